// A gated layer that goes on from states that are given, many rows side by side, all of which see the
// same x. It is multiplied once, and the weights are packed once for any number of rows and timesteps.

import { type Arena, Layout, sharedArena } from "./arena.ts";
import { type GatedLayer, GatedPlaces, type Numbers } from "./gated_layer.ts";
import { checkGatedArrays, checkLength, joined } from "./lengths.ts";

/** What the rows became. */
interface Ends {
  /** After the last step, `[rows, units]` each. */
  readonly states: readonly Float32Array<ArrayBuffer>[];
  /** Every hidden state, `[rows, timesteps, units]`, where the layer returns its sequences. */
  readonly sequence: Float32Array<ArrayBuffer> | undefined;
}

/** Where a run's arrays lie: those of each thread, after the weights. */
interface Places {
  readonly bytes: number;
  readonly weights: GatedPlaces;
  readonly parts: readonly { readonly places: GatedPlaces; readonly plan: number }[];
  readonly x: number;
}

/** Runs of a layer from states that are given. */
export class SharedInput {
  readonly #arena: Arena;
  readonly #layer: GatedLayer;
  readonly #inputSize: number;
  #generation = 0;
  #base = 0;
  #bytes = 0;

  /** @throws {TypeError} where an array's length does not fit the sizes. */
  constructor(layer: GatedLayer, inputSize: number, arena: Arena = sharedArena()) {
    this.#arena = arena;
    this.#layer = { ...layer, takesStates: true, record: false };
    this.#inputSize = inputSize;
    const { weights } = this.#places(1, 1);
    checkGatedArrays(layer, weights.cell, layer.units, inputSize);
  }

  /**
   * @param x `[timesteps, inputSize]`, of every row
   * @param states what the rows start from, `[rows, units]` each
   */
  run(x: Numbers, states: readonly Numbers[]): Ends {
    const [arena, inputSize] = [this.#arena, this.#inputSize];
    const { units, returnSequences = false } = this.#layer;
    const rows = Math.floor(states[0]!.length / units);
    const timesteps = Math.floor(x.length / inputSize);
    const { weights, parts, ...own } = this.#places(rows, timesteps);
    states.forEach((state) => checkLength("a state", state, rows * units));
    checkLength("x", x, timesteps * inputSize);
    if (this.#generation !== arena.generation || own.bytes > this.#bytes) {
      this.#base = arena.reserve(own.bytes);
      [this.#generation, this.#bytes] = [arena.generation, own.bytes];
      weights.loadWeights(arena, this.#base);
    }
    const base = this.#base;
    arena.floats.set(x, (base + own.x) / 4);
    const source = { address: base + own.x, step: inputSize * 4, sample: 0 };
    let row = 0;
    for (const { places, plan } of parts) {
      const end = row + places.sizes.batch;
      places.load(arena, base, base + plan, source, false);
      places.setStart(arena, base, states.map((state) => state.subarray(row * units, end * units)));
      row = end;
    }
    const calls = parts.map(({ plan }) =>
      ({ name: "forward", plan: base + plan, count: 1 }) as const
    );
    if (!arena.make(calls, this.#multiplications(rows, timesteps))) return this.run(x, states);
    const ends = parts.map(({ places }) => places.ends(arena, base));
    return {
      states: ends.length === 1
        ? ends[0]!
        : states.map((_, k) => joined(ends.map((own) => own[k]!))),
      sequence: returnSequences
        ? joined(parts.map(({ places }) => {
          const from = places.output(base).address / 4;
          return arena.floats.subarray(from, from + places.sizes.batch * timesteps * units);
        }))
        : undefined,
    };
  }

  #places(rows: number, timesteps: number): Places {
    const [arena, inputSize] = [this.#arena, this.#inputSize];
    const layout = new Layout();
    const placesOf = (batch: number, lender?: GatedPlaces) => {
      const sizes = { batch, timesteps, inputSize };
      return new GatedPlaces(layout, this.#layer, sizes, { keepSlots: false, lender });
    };
    const weights = placesOf(1);
    const x = layout.add(timesteps * inputSize);
    const parts = arena.shares(rows, this.#multiplications(rows, timesteps)).map((batch) => ({
      plan: layout.add(arena.engine.PLAN_BYTES.value / 4),
      places: placesOf(batch, weights),
    }));
    return { weights, x, parts, bytes: layout.bytes };
  }

  #multiplications(rows: number, timesteps: number): number {
    const { kernel, recurrentKernel } = this.#layer;
    return timesteps * (kernel.length + rows * recurrentKernel.length);
  }
}
