// A plan of lib/compute for as many samples as one likes: a large batch goes through in parts, so that
// the memory for it has a bound.

import type { DenseLayer } from "../../compute/dense_layer.ts";
import type { LstmLayer, Numbers, SequenceSizes } from "../../compute/lstm_layer.ts";
import { Plan, type Recorded } from "../../compute/plan.ts";

type Layers = readonly (LstmLayer | DenseLayer)[];

/** What a part's inputs and sequences may take together; a single sample may take more. */
const PART_BYTES = 64 * 2 ** 20;
/** Samples that a tile of the fast equations takes at a time divide it. */
const ROUND = 48;

/** Layers that follow each other, over a batch of fixed size. */
export class BatchPlan {
  readonly #whole: Plan;
  readonly #rest: Plan | undefined;
  readonly #parts: number;
  readonly #inputLength: number; // of a part

  /** @param partBytes what a part's inputs and sequences may take together */
  constructor(layers: Layers, sizes: SequenceSizes, partBytes: number = PART_BYTES) {
    const samples = samplesOfPart(layers, sizes, partBytes);
    this.#parts = Math.floor(sizes.batch / samples);
    this.#inputLength = samples * sizes.timesteps * sizes.inputSize;
    this.#whole = new Plan(layers, { ...sizes, batch: samples });
    const left = sizes.batch % samples;
    if (left > 0) this.#rest = new Plan(layers, { ...sizes, batch: left });
  }

  /** The memory it holds, in bytes. */
  get bytes(): number {
    return this.#whole.bytes + (this.#rest?.bytes ?? 0);
  }

  /** @param x `[batch, timesteps, inputSize]`; the result is the caller's own. */
  run(x: Numbers): Float32Array<ArrayBuffer> {
    if (this.#parts === 1 && this.#rest === undefined) return this.#whole.run(x);
    return joined(this.#runParts(x, (_, output) => output));
  }

  /** The same, and what the first layer recorded, `[batch, timesteps, units]` each. */
  record(x: Numbers): { output: Float32Array<ArrayBuffer>; recorded: Recorded } {
    const parts = this.#runParts(x, (plan, output) => ({ output, recorded: plan.recorded(0) }));
    const [first] = parts as [typeof parts[number]];
    if (parts.length === 1) return first;
    const names = Object.keys(first.recorded) as (keyof Recorded)[];
    const entries = names.map((name) => [name, joined(parts.map((part) => part.recorded[name]))]);
    return {
      output: joined(parts.map((part) => part.output)),
      recorded: Object.fromEntries(entries),
    };
  }

  #runParts<T>(x: Numbers, each: (plan: Plan, output: Float32Array<ArrayBuffer>) => T): T[] {
    const length = this.#inputLength;
    const parts = Array.from({ length: this.#parts }, (_, part) => {
      const own = x.subarray(part * length, (part + 1) * length);
      return each(this.#whole, this.#whole.run(own));
    });
    if (this.#rest === undefined) return parts;
    return [...parts, each(this.#rest, this.#rest.run(x.subarray(this.#parts * length)))];
  }

  /** Reads the weights of these layers instead, which have the same sizes. */
  refresh(layers: Layers): void {
    this.#whole.refresh(layers);
    this.#rest?.refresh(layers);
  }
}

function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}

function samplesOfPart(
  layers: Layers,
  { batch, timesteps, inputSize }: SequenceSizes,
  partBytes: number,
): number {
  const width = layers.reduce((sum, layer) => {
    const sequences = layer.kind === "lstm" && layer.record === true ? 6 : 1;
    return sum + layer.units * sequences;
  }, inputSize);
  const most = partBytes / (4 * timesteps * width);
  if (batch <= most) return batch;
  return most >= ROUND ? Math.floor(most / ROUND) * ROUND : Math.max(1, Math.floor(most));
}
