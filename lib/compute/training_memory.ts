// What the training of every layer shares: its place in WASM's memory, and whose numbers are there.

import type { Arena } from "./arena.ts";
import { checkLength } from "./lengths.ts";
import type { Numbers } from "./gated_layer.ts";

/** A forward run, and the way back through it. */
export interface TrainingRun<Gradients> {
  /** What the layer returns. */
  readonly output: Float32Array<ArrayBuffer>;
  /**
   * From the gradient with respect to `output`. Right in any order of runs, fastest right after its
   * own.
   */
  readonly backward: (
    gradient: Numbers,
    options?: { readonly byInput?: boolean },
  ) => Gradients;
}

/** A layer's memory, reused by every run of it. */
export class TrainingMemory {
  readonly #arena: Arena;
  readonly #bytes: number;
  #base = 0;
  #generation = 0;
  /** Whose gates, states and sums are in memory. */
  #current: object | undefined;

  constructor(arena: Arena, bytes: number) {
    this.#arena = arena;
    this.#bytes = bytes;
  }

  /** Where it begins; reserved anew where the arena has started over. */
  base(): number {
    if (this.#generation !== this.#arena.generation) {
      this.#base = this.#arena.reserve(this.#bytes);
      this.#generation = this.#arena.generation;
    }
    return this.#base;
  }

  /** Runs forward; backward repeats that first where another run has used the memory since. */
  run<Gradients>(
    forward: () => Float32Array<ArrayBuffer>,
    backward: (gradient: Numbers, byInput: boolean) => Gradients,
  ): TrainingRun<Gradients> {
    const output = forward();
    const run: TrainingRun<Gradients> = {
      output,
      backward: (gradient, { byInput = true } = {}) => {
        checkLength("gradient", gradient, output.length);
        const isThere = this.#current === run && this.#generation === this.#arena.generation;
        if (!isThere) forward();
        this.#current = run;
        return backward(gradient, byInput);
      },
    };
    this.#current = run;
    return run;
  }
}
