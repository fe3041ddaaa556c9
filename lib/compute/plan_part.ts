// The samples of a plan that one thread computes, layer after layer.

import type { Arena, Layout } from "./arena.ts";
import { type DenseLayer, DensePlaces } from "./dense_layer.ts";
import { type GatedLayer, GatedPlaces, type SequenceSizes, type Source } from "./gated_layer.ts";
import { checkDenseArrays, checkGatedArrays } from "./lengths.ts";

/** A layer of a plan. */
export type PlanLayer = GatedLayer | DenseLayer;

/** Where some samples' arrays lie in a plan's block. */
export class PlanPart {
  readonly places: readonly (GatedPlaces | DensePlaces)[];
  readonly samples: number;
  /** Where x is, in bytes from the block's start, and how many numbers it has. */
  readonly x: number;
  readonly inputLength: number;
  readonly outputLength: number;
  /** The address of its plans for assembly/index.ts, one for each layer, since `load`. */
  plans = 0;
  /** That of its result. */
  output = 0;
  readonly #plans: number;
  readonly #planBytes: number;
  readonly #sizes: SequenceSizes;

  /**
   * @param lender the part whose weights it reads; without one, it has its own
   * @throws {TypeError} where an array's length does not fit the sizes.
   */
  constructor(
    arena: Arena,
    layout: Layout,
    layers: readonly PlanLayer[],
    sizes: SequenceSizes,
    lender?: PlanPart,
  ) {
    const { batch, timesteps } = sizes;
    this.samples = batch;
    this.#sizes = sizes;
    this.#planBytes = arena.engine.PLAN_BYTES.value;
    this.#plans = layout.add(layers.length * this.#planBytes / 4);
    this.inputLength = batch * timesteps * sizes.inputSize;
    this.x = layout.add(this.inputLength);
    let { inputSize } = sizes;
    let rows = batch * timesteps;
    this.places = layers.map((layer, k) => {
      const [depth, lent] = [inputSize, lender?.places[k]];
      inputSize = layer.units;
      if (layer.kind === "dense") {
        checkDenseArrays(layer, layer.units, depth);
        return new DensePlaces(layout, layer, rows, depth, lent as DensePlaces | undefined);
      }
      const options = { keepSlots: false, lender: lent as GatedPlaces | undefined };
      const places = new GatedPlaces(layout, layer, { ...sizes, inputSize: depth }, options);
      checkGatedArrays(layer, places.cell, layer.units, depth);
      if (!layer.returnSequences) rows = batch;
      return places;
    });
    this.outputLength = rows * inputSize;
  }

  /** Writes the plans, and packs the weights where they are its own. */
  load(arena: Arena, base: number): void {
    const { timesteps, inputSize } = this.#sizes;
    this.plans = base + this.#plans;
    let x: Source = {
      address: base + this.x,
      step: inputSize * 4,
      sample: timesteps * inputSize * 4,
    };
    this.places.forEach((places, k) => {
      const plan = this.plans + k * this.#planBytes;
      const isLast = k === this.places.length - 1;
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
    this.output = x.address;
  }

  /** What layer `k`, which records, did; copied. */
  recorded(arena: Arena, base: number, k: number): Float32Array<ArrayBuffer>[] {
    const { layer, records } = this.places[k] as GatedPlaces;
    const length = this.samples * this.#sizes.timesteps * layer.units;
    return records.filter((place) => place !== undefined)
      .map((place) => arena.copy((base + place) / 4, length));
  }

  /** The layer that takes states, the first one alone. */
  get first(): GatedPlaces | undefined {
    const [first] = this.places;
    return first instanceof GatedPlaces && first.layer.takesStates === true ? first : undefined;
  }

  /** Takes the layers' arrays instead of its own; what they are stays the same. */
  replaceArrays(layers: readonly PlanLayer[]): void {
    this.places.forEach((places, k) => {
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
}
