import { Tensor } from "../../tensor/tensor.ts";

/** A run of one layer, and the way back through it. */
export interface FastRun {
  readonly output: Tensor;
  /** From the gradient with respect to the output; that of the input may be left out. */
  readonly backward: (
    gradient: Tensor,
    options?: { readonly byInput?: boolean },
  ) => { readonly input?: Tensor; readonly weights: readonly Tensor[] };
  /** What becomes of each weight in training; undefined where nothing does. */
  readonly updates?: readonly (Tensor | undefined)[];
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
