// Layers that follow each other, prepared once and run often: weights packed, sizes fixed, one call
// of WASM for each run, or one in each thread.

import { type Arena, Layout, sharedArena } from "./arena.ts";
import { cellKinds } from "./cell_kinds.ts";
import type { Numbers, SequenceSizes } from "./gated_layer.ts";
import { checkLength, joined } from "./lengths.ts";
import { type PlanLayer, PlanPart } from "./plan_part.ts";
import { chooseTiles } from "./wide.ts";

export type { PlanLayer };

/** What a layer with `record` did, `[batch, timesteps, units]` each: its gates, then its states, in Keras's order. */
export type Recorded = readonly Float32Array<ArrayBuffer>[];

/** A call of WASM and its copies are for more than this; below, a loop is faster. */
const SHORT = 64;

/**
 * Gated and dense layers over sequences of fixed sizes.
 *
 * A dense layer after a gated one that returns its sequences works on each timestep. The weights are
 * read when the plan is made, and again by {@linkcode Plan.refresh}.
 *
 * It holds, 4 bytes a number: x; the weights, an LSTM's units rounded up to 4, others to 16; z of some
 * timesteps, as many as 512 KiB hold or 48 rows need; two states, and a GRU's h·U of one timestep; and
 * `batch · timesteps · units` for each sequence that goes on, or for every gate and state where they are
 * recorded. Of the weights there is one copy for all threads.
 */
export class Plan {
  readonly #arena: Arena;
  readonly #sizes: SequenceSizes;
  readonly #multiplications: number;
  #layers: readonly PlanLayer[];
  #parts: readonly PlanPart[] = [];
  #bytes = 0;
  #generation = 0;
  #base = 0;

  /**
   * @param layers at least one; a gated one that is not the last of these returns its sequences
   * @param sizes of x: `[batch, timesteps, inputSize]`
   * @throws {TypeError} where an array's length does not fit the sizes.
   */
  constructor(
    layers: readonly PlanLayer[],
    sizes: SequenceSizes,
    arena: Arena = sharedArena(),
  ) {
    this.#arena = arena;
    this.#sizes = sizes;
    this.#layers = layers;
    this.#multiplications = multiplicationsOf(layers, sizes);
    this.#load();
  }

  /** The memory it holds, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param x `[batch, timesteps, inputSize]`; the result is the caller's own
   * @param start the states that the first layer starts from, where it takes some. Default: zeros.
   */
  run(x: Numbers, start?: readonly Numbers[]): Float32Array<ArrayBuffer> {
    const { batch, timesteps, inputSize } = this.#sizes;
    checkLength("x", x, batch * timesteps * inputSize);
    const arena = this.#arena;
    if (this.#generation !== arena.generation) this.#load();
    const parts = this.#parts;
    if (parts.length > 1) return this.#runTogether(x, start);
    const [part] = parts as [PlanPart];
    part.first?.setStart(arena, this.#base, start);
    const { floats } = arena;
    const from = (this.#base + part.x) >>> 2;
    if (x.length > SHORT) floats.set(x, from);
    else for (let k = 0; k < x.length; k++) floats[from + k] = x[k]!;
    chooseTiles(arena.engine, this.#multiplications);
    arena.engine.forward(part.plans, part.places.length);
    return copy(floats, part.output >>> 2, part.outputLength);
  }

  /** The same, each part in a thread. */
  #runTogether(x: Numbers, start: readonly Numbers[] | undefined): Float32Array<ArrayBuffer> {
    const arena = this.#arena;
    const { batch } = this.#sizes;
    let sample = 0;
    for (const part of this.#parts) {
      const own = (all: Numbers) => {
        const each = all.length / batch;
        return all.subarray(sample * each, (sample + part.samples) * each);
      };
      part.first?.setStart(arena, this.#base, start?.map(own));
      arena.floats.set(own(x), (this.#base + part.x) / 4);
      sample += part.samples;
    }
    const calls = this.#parts.map(({ plans, places: { length: count } }) =>
      ({ name: "forward", plan: plans, count }) as const
    );
    if (!arena.make(calls, this.#multiplications)) return this.run(x, start);
    return joined(
      this.#parts.map(({ output, outputLength }) =>
        arena.floats.subarray(output / 4, output / 4 + outputLength)
      ),
    );
  }

  /** The states of the first layer, which takes some, after its last step in the last run. */
  ends(): Float32Array<ArrayBuffer>[] {
    this.#checkRun("read the states");
    const parts = this.#parts.map((part) => part.first!.ends(this.#arena, this.#base));
    return parts[0]!.map((_, state) => joined(parts.map((ends) => ends[state]!)));
  }

  /** What layer `k` recorded in the last run, copied. */
  recorded(k: number): Recorded {
    const layer = this.#layers[k];
    if (layer?.kind !== "gated" || !layer.record) {
      throw new TypeError(
        `Cannot read a record: only a recording layer has one, but layer ${k} makes none`,
      );
    }
    this.#checkRun("read a record");
    const parts = this.#parts.map((part) => part.recorded(this.#arena, this.#base, k));
    return parts[0]!.map((_, site) => joined(parts.map((sites) => sites[site]!)));
  }

  #checkRun(action: string): void {
    if (this.#generation === this.#arena.generation) return;
    throw new Error(
      `Cannot ${action}: it holds until another plan runs, but one did; run the plan again`,
    );
  }

  /**
   * Reads the weights again, after their arrays have changed.
   *
   * @param layers the same ones with other arrays, where these are to be read instead
   * @throws {TypeError} where an array's length does not fit the sizes.
   */
  refresh(layers?: readonly PlanLayer[]): void {
    const [first] = this.#parts as [PlanPart];
    if (layers !== undefined) {
      first.replaceArrays(layers);
      this.#layers = layers;
    }
    if (this.#generation !== this.#arena.generation) return this.#load();
    for (const places of first.places) places.loadWeights(this.#arena, this.#base);
  }

  #load(): void {
    const arena = this.#arena;
    this.#layOut(); // the number of threads may be another one
    const base = this.#base = arena.reserve(this.#bytes);
    this.#generation = arena.generation;
    const [first, ...others] = this.#parts as [PlanPart, ...PlanPart[]];
    for (const part of [first, ...others]) part.load(arena, base);
  }

  #layOut(): void {
    const arena = this.#arena;
    const layout = new Layout();
    const parts: PlanPart[] = [];
    for (const batch of arena.shares(this.#sizes.batch, this.#multiplications)) {
      parts.push(new PlanPart(arena, layout, this.#layers, { ...this.#sizes, batch }, parts[0]));
    }
    this.#parts = parts;
    this.#bytes = layout.bytes;
  }
}

function multiplicationsOf(
  layers: readonly PlanLayer[],
  { batch, timesteps, inputSize }: SequenceSizes,
): number {
  let [rows, depth, sum] = [batch * timesteps, inputSize, 0];
  for (const layer of layers) {
    if (layer.kind === "gated") {
      sum += rows * (depth + layer.units) * cellKinds[layer.cellName].blocks * layer.units;
      if (!layer.returnSequences) rows = batch;
    } else {
      sum += rows * depth * layer.units;
    }
    depth = layer.units;
  }
  return sum;
}

function copy(from: Float32Array, start: number, length: number): Float32Array<ArrayBuffer> {
  if (length > SHORT) return from.slice(start, start + length) as Float32Array<ArrayBuffer>;
  const result = new Float32Array(length);
  for (let k = 0; k < length; k++) result[k] = from[start + k]!;
  return result;
}
