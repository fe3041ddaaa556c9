import { checkOptions, checkParts, type KeysOf } from "../base/options.ts";
import { add, dot } from "../tensor/arithmetic.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat64, type Tensor, type TensorLike } from "../tensor/tensor.ts";
import { type Activation, type ActivationName, getActivation } from "./activations.ts";
import { checkOwn, isNamed } from "./built_in.ts";
import { sumRows } from "./product.ts";

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

export const DENSE_WEIGHTS: KeysOf<DenseWeights> = { kernel: "required", bias: "optional" };
export const DENSE_OPTIONS: KeysOf<DenseActivation> = { activation: "optional" };

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
  weights: DenseWeights,
  options: DenseActivation = {},
): Tensor {
  checkOptions("compute a dense layer", options, DENSE_OPTIONS);
  const { W, b } = checkDenseWeights(weights);
  return denseActivation(options.activation ?? "linear")(add(dot(asFloat64(x), W), b));
}

/** What {@linkcode denseForward} was given. */
export interface DenseRun {
  /** `[…, inputSize]` */
  readonly x: TensorLike;
  /** Kernel and bias. */
  readonly weights: DenseWeights;
}

export const DENSE_RUN: KeysOf<DenseRun> = { x: "required", weights: "required" };

/** The gradients of the loss by what went into a dense layer. */
export interface DenseGradients {
  /** `[…, inputSize]` */
  readonly x: Tensor;
  /** `[inputSize, units]` */
  readonly kernel: Tensor;
  /** `[units]`; there where the weights have a bias. */
  readonly bias?: Tensor;
}

/**
 * The gradients of the loss by a dense layer's input and weights, in float64, from its gradient dy
 * by the layer's result:
 *
 * ```txt
 * z  = x·W + b    y = φ(z)
 * dz = φ'(z) ⊙ dy
 * dx = dz·Wᵀ      dW = xᵀ·dz      db = Σ dz
 * ```
 *
 * @param run input and weights of the forward run
 * @param gradient of the loss by the result, `[…, units]`
 * @param options the same as in the forward run
 * @throws {TypeError} where a shape does not fit the others.
 *
 * @example
 * ```ts
 * import { denseBackward } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const weights = { kernel: [[1, -1], [2, -2]], bias: [0.5, 0.5] };
 * const { x, kernel } = denseBackward({ x: [[1, 2]], weights }, [[10, 20]], { activation: "relu" });
 * assertEquals(x.toArray(), [[10, 20]]); // the second unit is off
 * assertEquals(kernel.toArray(), [[10, 0], [20, 0]]);
 * ```
 */
export function denseBackward(
  run: DenseRun,
  gradient: TensorLike,
  options: DenseActivation = {},
): DenseGradients {
  const action = "go backward through a dense layer";
  checkParts(action, "the run", run, DENSE_RUN);
  checkOptions(action, options, DENSE_OPTIONS);
  const { x, weights } = run;
  const { W, b } = checkDenseWeights(weights);
  const [input, dy] = [asFloat64(x), asFloat64(gradient)];
  const z = add(dot(input, W), b);
  const φ = denseActivation(options.activation ?? "linear");
  const shape = isNamed(φ, "glu") ? z.shape.with(-1, z.shape.at(-1)! / 2) : z.shape;
  if (!sameShape(dy.shape, shape)) {
    throw new TypeError(
      `Cannot ${action}: the gradient must have the result's shape ${formatShape(shape)}, ` +
        `but its shape is ${formatShape(dy.shape)}`,
    );
  }
  const dz = φ.backward(z, dy);
  const [inputSize, units] = W.shape as [number, number];
  return {
    x: dot(dz, W.transpose()),
    kernel: dot(input.reshape([-1, inputSize]).transpose(), dz.reshape([-1, units])),
    ...(weights.bias === undefined ? {} : { bias: sumRows(dz) }),
  };
}

export function denseActivation(activation: ActivationName | Activation): Activation {
  const φ = typeof activation === "function" ? activation : getActivation(activation);
  checkOwn(φ, "compute a dense layer");
  return φ;
}

export function checkDenseWeights(weights: DenseWeights): { W: Tensor; b: Tensor } {
  checkParts("compute a dense layer", "the weights", weights, DENSE_WEIGHTS);
  const { kernel, bias } = weights;
  const [W, b] = [asFloat64(kernel), asFloat64(bias ?? 0)];
  if (W.shape.length !== 2 || bias !== undefined && !sameShape(b.shape, W.shape.slice(1))) {
    throw new TypeError(
      `Cannot compute a dense layer as the kernel must be [inputSize, units] and the bias [units]: ` +
        `current shapes are ${formatShape(W.shape)} and ${formatShape(b.shape)}`,
    );
  }
  return { W, b };
}
