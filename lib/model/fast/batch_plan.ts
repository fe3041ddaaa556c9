// A plan of lib/compute for as many samples as one likes: a large batch goes through in parts, so that
// the memory for it has a bound.

import { cellKinds } from "../../compute/cell_kinds.ts";
import type { Numbers, SequenceSizes } from "../../compute/gated_layer.ts";
import { joined } from "../../compute/lengths.ts";
import { Plan, type PlanLayer, type Recorded } from "../../compute/plan.ts";

type Layers = readonly PlanLayer[];

/** What a part's inputs and sequences may take together; a single sample may take more. */
const PART_BYTES = 64 * 2 ** 20;
/** Samples that a tile of the fast equations takes at a time divide it. */
const ROUND = 48;

/** What a single layer did. */
interface LayerRun {
  readonly output: Float32Array<ArrayBuffer>;
  /** Its gates and states at every step, where asked for. */
  readonly recorded: Recorded;
  /** Its states after the last step, where it started from some. */
  readonly ends: Recorded;
}

/** Layers that follow each other, over a batch of fixed size. */
export class BatchPlan {
  readonly #whole: Plan;
  readonly #rest: Plan | undefined;
  readonly #parts: number;
  readonly #batch: number;
  readonly #samples: number; // of a part
  readonly #inputLength: number; // of a part

  /** @param partBytes what a part's inputs and sequences may take together */
  constructor(layers: Layers, sizes: SequenceSizes, partBytes: number = PART_BYTES) {
    const samples = samplesOfPart(layers, sizes, partBytes);
    this.#batch = sizes.batch;
    this.#samples = samples;
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
    return joined(this.#runParts(x, undefined, (_, output) => output));
  }

  /** The same of a single layer, with what happened inside: what it recorded, and where it ended. */
  runLayer(x: Numbers, { start, records }: {
    /** The states that it starts from, `[batch, units]` each, where it takes some. */
    readonly start?: readonly Numbers[] | undefined;
    readonly records: boolean;
  }): LayerRun {
    const parts = this.#runParts(x, start, (plan, output): LayerRun => ({
      output,
      recorded: records ? plan.recorded(0) : [],
      ends: start === undefined ? [] : plan.ends(),
    }));
    const [first] = parts as [LayerRun];
    if (parts.length === 1) return first;
    const each = (name: "recorded" | "ends") =>
      first[name].map((_, k) => joined(parts.map((part) => part[name][k]!)));
    return {
      output: joined(parts.map(({ output }) => output)),
      recorded: each("recorded"),
      ends: each("ends"),
    };
  }

  #runParts<T>(
    x: Numbers,
    start: readonly Numbers[] | undefined,
    each: (plan: Plan, output: Float32Array<ArrayBuffer>) => T,
  ): T[] {
    const whole = new Array(this.#parts).fill(this.#whole) as Plan[];
    const plans = this.#rest === undefined ? whole : [...whole, this.#rest];
    return plans.map((plan, part) => {
      const own = (all: Numbers, length: number) =>
        all.subarray(part * length, (part + 1) * length); // of the last, what is left
      const states = start?.map((state) => own(state, state.length / this.#batch * this.#samples));
      return each(plan, plan.run(own(x, this.#inputLength), states));
    });
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
  const width = layers.reduce((sum, layer) => {
    if (layer.kind !== "gated" || layer.record !== true) return sum + layer.units;
    const { gates, states } = cellKinds[layer.cellName];
    return sum + layer.units * (gates + states);
  }, inputSize);
  const most = partBytes / (4 * timesteps * width);
  if (batch <= most) return batch;
  return most >= ROUND ? Math.floor(most / ROUND) * ROUND : Math.max(1, Math.floor(most));
}
