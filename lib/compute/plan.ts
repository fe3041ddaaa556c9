// Layers that follow each other, prepared once and run often: weights packed, sizes fixed, one call
// of WASM for each run.

import { type Arena, Layout, sharedArena } from "./arena.ts";
import { type DenseLayer, DensePlaces } from "./dense_layer.ts";
import {
  type GatedLayer,
  GatedPlaces,
  type Numbers,
  type SequenceSizes,
  type Source,
} from "./gated_layer.ts";
import { checkDenseArrays, checkGatedArrays, checkLength } from "./lengths.ts";
import { chooseTiles } from "./wide.ts";

/** A layer of a plan. */
export type PlanLayer = GatedLayer | DenseLayer;

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
 * recorded.
 */
export class Plan {
  readonly #arena: Arena;
  readonly #places: (GatedPlaces | DensePlaces)[] = [];
  readonly #bytes: number;
  readonly #plans: number;
  readonly #x: number;
  readonly #inputLength: number;
  readonly #sizes: SequenceSizes;
  readonly #outputLength: number;
  readonly #multiplications: number;
  #generation = 0;
  #base = 0;
  #output = 0;

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
    const layout = new Layout();
    this.#plans = layout.add(layers.length * arena.engine.PLAN_BYTES.value / 4);
    this.#inputLength = sizes.batch * sizes.timesteps * sizes.inputSize;
    this.#x = layout.add(this.#inputLength);
    let { inputSize } = sizes;
    let rows = sizes.batch * sizes.timesteps;
    for (const layer of layers) {
      if (layer.kind === "gated") {
        const places = new GatedPlaces(layout, layer, { ...sizes, inputSize }, false);
        checkGatedArrays(layer, places.cell, layer.units, inputSize);
        this.#places.push(places);
        if (!layer.returnSequences) rows = sizes.batch;
      } else {
        checkDenseArrays(layer, layer.units, inputSize);
        this.#places.push(new DensePlaces(layout, layer, rows, inputSize));
      }
      inputSize = layer.units;
    }
    this.#outputLength = rows * inputSize;
    this.#multiplications = this.#places.reduce(
      (sum, { multiplications }) => sum + multiplications,
      0,
    );
    this.#bytes = layout.bytes;
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
    checkLength("x", x, this.#inputLength);
    const arena = this.#arena;
    if (this.#generation !== arena.generation) this.#load();
    if (this.#first !== undefined) this.#first.setStart(arena, this.#base, start);
    const { floats } = arena;
    const from = (this.#base + this.#x) >>> 2;
    if (x.length > SHORT) floats.set(x, from);
    else for (let k = 0; k < x.length; k++) floats[from + k] = x[k]!;
    chooseTiles(arena.engine, this.#multiplications);
    arena.engine.forward(this.#base + this.#plans, this.#places.length);
    return copy(floats, this.#output >>> 2, this.#outputLength);
  }

  /** The states of the first layer, which takes some, after its last step in the last run. */
  ends(): Float32Array<ArrayBuffer>[] {
    this.#checkRun("read the states");
    return this.#first!.ends(this.#arena, this.#base);
  }

  /** What layer `k` recorded in the last run, copied. */
  recorded(k: number): Recorded {
    return this.views(k).map((view) => view.slice());
  }

  /** The same without a copy: it lasts until the next call of anything in this folder. */
  views(k: number): readonly Float32Array<SharedArrayBuffer>[] {
    const places = this.#places[k];
    if (!(places instanceof GatedPlaces) || !places.layer.record) {
      throw new TypeError(
        `Cannot read a record: only a recording layer has one, but layer ${k} makes none`,
      );
    }
    this.#checkRun("read a record");
    const { batch, timesteps } = this.#sizes;
    const length = batch * timesteps * places.layer.units;
    return places.records.filter((place) => place !== undefined).map((place) => {
      const from = (this.#base + place) / 4;
      return this.#arena.floats.subarray(from, from + length);
    });
  }

  /** The layer that takes states, the first one alone. */
  get #first(): GatedPlaces | undefined {
    const [first] = this.#places;
    return first instanceof GatedPlaces && first.layer.takesStates === true ? first : undefined;
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
    if (layers !== undefined) this.#replaceArrays(layers);
    if (this.#generation !== this.#arena.generation) return this.#load();
    for (const places of this.#places) places.loadWeights(this.#arena, this.#base);
  }

  #replaceArrays(layers: readonly PlanLayer[]): void {
    this.#places.forEach((places, k) => {
      const layer = layers[k];
      if (places instanceof GatedPlaces && layer?.kind === "gated") {
        checkGatedArrays(layer, places.cell, places.layer.units, places.sizes.inputSize);
        places.layer = layer;
      } else if (places instanceof DensePlaces && layer?.kind === "dense") {
        checkDenseArrays(layer, places.layer.units, places.inputSize);
        places.layer = layer;
      } else {
        throw new TypeError(
          `Cannot take other weights: layer ${k} must stay what it was, but it is ` +
            (layer?.kind ?? "undefined"),
        );
      }
    });
  }

  #load(): void {
    const arena = this.#arena;
    const base = this.#base = arena.reserve(this.#bytes);
    this.#generation = arena.generation;
    const { timesteps, inputSize } = this.#sizes;
    let x: Source = {
      address: base + this.#x,
      step: inputSize * 4,
      sample: timesteps * inputSize * 4,
    };
    this.#places.forEach((places, k) => {
      const plan = base + this.#plans + k * arena.engine.PLAN_BYTES.value;
      const isLast = k === this.#places.length - 1;
      if (places instanceof GatedPlaces) {
        places.load(arena, base, plan, x, isLast);
        x = places.output(base);
        if (isLast && !places.layer.returnSequences) {
          x = { ...x, address: base + places.last };
        }
      } else {
        const everyStep = x.step !== 0;
        places.load(arena, base, plan, everyStep ? { ...x, sample: x.step } : x);
        const rowBytes = places.layer.units * 4;
        x = everyStep
          ? { address: base + places.output, step: rowBytes, sample: timesteps * rowBytes }
          : { address: base + places.output, step: 0, sample: rowBytes };
      }
    });
    this.#output = x.address;
  }
}

function copy(from: Float32Array, start: number, length: number): Float32Array<ArrayBuffer> {
  if (length > SHORT) return from.slice(start, start + length) as Float32Array<ArrayBuffer>;
  const result = new Float32Array(length);
  for (let k = 0; k < length; k++) result[k] = from[start + k]!;
  return result;
}
