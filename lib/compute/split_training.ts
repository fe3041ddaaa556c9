// What the training of every layer shares: its samples, split over the threads; its place in WASM's
// memory, and whose numbers are there.

import { type Arena, Layout } from "./arena.ts";
import type { Numbers } from "./gated_layer.ts";
import { checkLength, joined } from "./lengths.ts";
import type { Call } from "./thread.ts";

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

type Floats = Float32Array<ArrayBuffer>;

/** Gradients: for each sample its own, and those of the weights, which all samples share. */
interface Gradients {
  readonly bySample: readonly Floats[];
  readonly byWeights: readonly Floats[];
}

/** Where numbers lie: bytes from the layer's block, and how many, a multiple of 4. */
export interface Span {
  readonly place: number;
  readonly count: number;
}

/** Some samples of a layer, which one thread computes. `base` is where the layer's block begins. */
export interface TrainingPart<Arrays> {
  readonly samples: number;
  /** All is written for the call that goes forward. */
  forward(base: number, inputs: readonly Numbers[], arrays: Arrays): Call;
  /** What came of it. */
  outputs(base: number): readonly Floats[];
  /** All is written for the call that goes back. */
  backward(base: number, gradients: readonly Numbers[], arrays: Arrays, byInput: boolean): Call;
  /** For each sample its own gradients. */
  bySample(base: number, byInput: boolean): readonly Floats[];
  /** Where those of the weights, which all samples share, lie in panels. */
  readonly sums: Span;
  /** The same as the weights are laid out. */
  byWeights(base: number): readonly Floats[];
}

/** How a layer is split. */
interface Splitting<Arrays> {
  readonly samples: number;
  readonly multiplications: number;
  /** A part's places; it reads the weights that its lender packs. */
  readonly place: (
    layout: Layout,
    samples: number,
    lender: TrainingPart<Arrays> | undefined,
  ) => TrainingPart<Arrays>;
}

/** A layer's training: its memory is reused by every run. */
export class SplitTraining<Arrays> {
  readonly #arena: Arena;
  readonly #splitting: Splitting<Arrays>;
  #parts: readonly TrainingPart<Arrays>[] = [];
  #base = 0;
  #generation = 0;
  /** Whose gates, states and sums are in memory. */
  #current: object | undefined;

  constructor(arena: Arena, splitting: Splitting<Arrays>) {
    this.#arena = arena;
    this.#splitting = splitting;
  }

  /**
   * Runs forward; backward repeats that first where another run has used the memory since.
   *
   * @param inputs arrays whose first axis is the samples
   * @returns the outputs, one after the other; the way back takes gradients as these are laid out
   */
  run(inputs: readonly Numbers[], arrays: Arrays): TrainingRun<Gradients> {
    const outputs = this.#forward(inputs, arrays);
    const output = outputs.length === 1 ? outputs[0]! : joined(outputs);
    const run: TrainingRun<Gradients> = {
      output,
      backward: (gradient, { byInput = true } = {}) => {
        checkLength("gradient", gradient, output.length);
        const gradients: Numbers[] = [];
        outputs.reduce((from, { length }) => {
          gradients.push(gradient.subarray(from, from + length));
          return from + length;
        }, 0);
        for (;;) {
          if (this.#current !== run || !this.#isThere) this.#forward(inputs, arrays);
          this.#current = run;
          const found = this.#backward(gradients, arrays, byInput);
          if (found !== undefined) return found;
        }
      },
    };
    this.#current = run;
    return run;
  }

  #forward(inputs: readonly Numbers[], arrays: Arrays): Floats[] {
    do {
      this.#reserve();
    } while (
      !this.#make((part, own) => part.forward(this.#base, inputs.map(own), arrays))
    );
    return inEach(this.#parts.map((part) => part.outputs(this.#base)), joined);
  }

  #backward(
    gradients: readonly Numbers[],
    arrays: Arrays,
    byInput: boolean,
  ): Gradients | undefined {
    const isMade = this.#make((part, own) =>
      part.backward(this.#base, gradients.map(own), arrays, byInput)
    );
    if (!isMade) return undefined;
    const base = this.#base;
    const [first, ...others] = this.#parts as [TrainingPart<Arrays>, ...TrainingPart<Arrays>[]];
    for (const { sums } of others) { // in the order of the parts
      this.#arena.engine.addArray(base + first.sums.place, base + sums.place, sums.count);
    }
    return {
      bySample: inEach(this.#parts.map((part) => part.bySample(base, byInput)), joined),
      byWeights: first.byWeights(base),
    };
  }

  /** Makes each part's call, with its own samples of an array; false where that is to be repeated. */
  #make(call: (part: TrainingPart<Arrays>, own: (all: Numbers) => Numbers) => Call): boolean {
    const { samples, multiplications } = this.#splitting;
    let first = 0;
    const calls = this.#parts.map((part) => {
      const from = first;
      first += part.samples;
      return call(part, (all) => {
        const each = all.length / samples;
        return all.subarray(from * each, (from + part.samples) * each);
      });
    });
    return this.#arena.make(calls, multiplications);
  }

  get #isThere(): boolean {
    return this.#generation === this.#arena.generation;
  }

  /** Its memory, reserved anew where the arena has started over. */
  #reserve(): void {
    if (this.#isThere) return;
    const { samples, multiplications, place } = this.#splitting;
    const layout = new Layout();
    const parts: TrainingPart<Arrays>[] = [];
    for (const share of this.#arena.shares(samples, multiplications)) {
      parts.push(place(layout, share, parts[0]));
    }
    this.#parts = parts;
    this.#base = this.#arena.reserve(layout.bytes);
    this.#generation = this.#arena.generation;
  }
}

/** What is made of the parts' first arrays, of their second ones, and so on. */
function inEach(
  parts: readonly (readonly Floats[])[],
  made: (arrays: readonly Floats[]) => Floats,
): Floats[] {
  const [first, ...others] = parts as [readonly Floats[], ...(readonly Floats[])[]];
  if (others.length === 0) return [...first];
  return first.map((_, k) => made(parts.map((arrays) => arrays[k]!)));
}
