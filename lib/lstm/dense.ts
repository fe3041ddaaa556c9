import { add, dot } from "../tensor/arithmetic.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat64, type Tensor, type TensorLike } from "../tensor/tensor.ts";
import { type Activation, type ActivationName, getActivation } from "./activations.ts";

/** A dense layer's arrays, in Keras's layout. */
export interface DenseWeights {
  /** `[inputSize, units]` */
  readonly kernel: TensorLike;
  /** `[units]`; without it, no bias is added. */
  readonly bias?: TensorLike;
}

/** The activation of a dense layer. */
export interface DenseActivation {
  /** By Keras's name or made by `getActivation`: `"linear"` unless said. */
  readonly activation?: ActivationName | Activation;
}

/**
 * A dense layer, y = φ(x·W + b), in float64.
 *
 * @param x `[…, inputSize]`
 * @returns `[…, units]`
 * @throws {TypeError} where a shape does not fit the others.
 *
 * @example
 * ```ts
 * import { denseForward } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const weights = { kernel: [[1, -1], [2, -2]], bias: [0.5, 0.5] };
 * assertEquals(denseForward([[1, 2]], weights, { activation: "relu" }).toArray(), [[5.5, 0]]);
 * ```
 */
export function denseForward(
  x: TensorLike,
  { kernel, bias }: DenseWeights,
  { activation = "linear" }: DenseActivation = {},
): Tensor {
  const [W, b] = [asFloat64(kernel), asFloat64(bias ?? 0)];
  if (W.shape.length !== 2 || bias !== undefined && !sameShape(b.shape, W.shape.slice(1))) {
    throw new TypeError(
      `Cannot compute a dense layer as the kernel must be [inputSize, units] and the bias [units]: ` +
        `current shapes are ${formatShape(W.shape)} and ${formatShape(b.shape)}`,
    );
  }
  const φ = typeof activation === "function" ? activation : getActivation(activation);
  return φ(add(dot(x, W), b));
}
