import { Tensor } from "../../tensor/tensor.ts";

/** A run of one layer, and the way back through it. */
export interface FastRun {
  readonly output: Tensor;
  /** A recurrent layer's states after the last step, where it started from some. */
  readonly ends?: readonly Tensor[];
  /** From the gradients with respect to the output and the ends; that of the input may be left out. */
  readonly backward: (gradient: Tensor, options?: BackwardOptions) => FastGradients;
  /** What becomes of each weight in training; undefined where nothing does. */
  readonly updates?: readonly (Tensor | undefined)[];
}

/** What else a way back begins with. */
interface BackwardOptions {
  readonly byInput?: boolean;
  readonly byEnds?: readonly Tensor[];
}

/** The gradients with respect to what went in. */
interface FastGradients {
  readonly input?: Tensor;
  /** Of the states that it started from. */
  readonly start?: readonly Tensor[];
  readonly weights: readonly Tensor[];
}

/** What a prediction gave: there is no way back. */
export function predicted(
  output: Float32Array<ArrayBuffer>,
  shape: readonly number[],
): FastRun {
  return {
    output: new Tensor(output, shape),
    backward: () => {
      throw new Error(
        "Cannot go backward: a run that trains keeps what is needed, but this one was a prediction",
      );
    },
  };
}
