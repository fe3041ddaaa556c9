// A gated layer forward and backward, for training: all steps' gates and states stay in WASM's memory
// until the gradients are asked for.

import { type Arena, sharedArena } from "./arena.ts";
import { cellKinds } from "./cell_kinds.ts";
import type { GatedArrays, GatedForm, Numbers, SequenceSizes } from "./gated_layer.ts";
import { GatedPart } from "./gated_part.ts";
import { checkGatedArrays, checkLength } from "./lengths.ts";
import { SplitTraining, type TrainingRun } from "./split_training.ts";

/** Gradients of the loss, each as large as what it is with respect to. */
export interface GatedGradients {
  /** There when asked for. */
  readonly x?: Float32Array<ArrayBuffer>;
  readonly kernel: Float32Array<ArrayBuffer>;
  readonly recurrentKernel: Float32Array<ArrayBuffer>;
  /** Whether or not there is a bias. */
  readonly bias: Float32Array<ArrayBuffer>;
  /** With respect to the states that it started from, where it takes some. */
  readonly start: readonly Float32Array<ArrayBuffer>[];
}

/** What both directions need of one size, its memory reused by every run. */
export class GatedTraining {
  readonly #form: GatedForm;
  readonly #sizes: SequenceSizes;
  readonly #training: SplitTraining<GatedArrays>;

  constructor(form: GatedForm, sizes: SequenceSizes, arena: Arena = sharedArena()) {
    this.#form = form;
    this.#sizes = sizes;
    const { batch, timesteps, inputSize } = sizes;
    const { units, cellName } = form;
    this.#training = new SplitTraining(arena, {
      samples: batch,
      multiplications: batch * timesteps * (inputSize + units) * units * cellKinds[cellName].blocks,
      place: (layout, batch, lender) =>
        new GatedPart(arena, layout, form, { ...sizes, batch }, lender as GatedPart | undefined),
    });
  }

  /**
   * @param x `[batch, timesteps, inputSize]`; it and the others must stay as they are until `backward`
   * @param start the states, `[batch, units]` each, where it takes some. Default: zeros.
   * @returns `[batch, timesteps, units]` with `returnSequences`, in the order of computation, else
   * `[batch, units]`; behind it the last states, where it takes some; and the way back
   * @throws {TypeError} where an array's length does not fit the sizes.
   */
  forward(
    x: Numbers,
    arrays: GatedArrays,
    start: readonly Numbers[] = [],
  ): TrainingRun<GatedGradients> {
    const { batch, timesteps, inputSize } = this.#sizes;
    const { units, cellName } = this.#form;
    checkLength("x", x, batch * timesteps * inputSize);
    checkGatedArrays(arrays, cellKinds[cellName], units, inputSize);
    const { output, backward } = this.#training.run([x, ...start], arrays);
    return {
      output,
      backward: (gradient, options = {}) => {
        const { bySample, byWeights } = backward(gradient, options);
        const [kernel, recurrentKernel, bias] = byWeights;
        const { byInput = true } = options;
        return {
          ...(byInput && { x: bySample[0]! }),
          ...{ kernel: kernel!, recurrentKernel: recurrentKernel!, bias: bias! },
          start: byInput ? bySample.slice(1) : bySample,
        };
      },
    };
  }
}
