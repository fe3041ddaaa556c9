// A plan of lib/compute for as many samples as one likes: a large batch goes through in parts, so that
// the memory for it has a bound.

import type { DenseLayer } from "../../compute/dense_layer.ts";
import type { LstmLayer, Numbers, SequenceSizes } from "../../compute/lstm_layer.ts";
import { Plan } from "../../compute/plan.ts";

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
    const length = this.#inputLength;
    const results: Float32Array<ArrayBuffer>[] = [];
    for (let part = 0; part < this.#parts; part++) {
      results.push(this.#whole.run(x.subarray(part * length, (part + 1) * length)));
    }
    if (this.#rest !== undefined) results.push(this.#rest.run(x.subarray(this.#parts * length)));
    const all = new Float32Array(results.reduce((sum, result) => sum + result.length, 0));
    results.reduce((at, result) => (all.set(result, at), at + result.length), 0);
    return all;
  }

  /** Reads the weights of these layers instead, which have the same sizes. */
  refresh(layers: Layers): void {
    this.#whole.refresh(layers);
    this.#rest?.refresh(layers);
  }
}

function samplesOfPart(
  layers: Layers,
  { batch, timesteps, inputSize }: SequenceSizes,
  partBytes: number,
): number {
  const width = layers.reduce((sum, { units }) => sum + units, inputSize);
  const most = partBytes / (4 * timesteps * width);
  if (batch <= most) return batch;
  return most >= ROUND ? Math.floor(most / ROUND) * ROUND : Math.max(1, Math.floor(most));
}
