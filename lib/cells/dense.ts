import { checkOptions, checkParts, type KeysOf } from "../base/options.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat64, type Tensor, type TensorLike } from "../tensor/tensor.ts";
import { type Activation, type ActivationName, getActivation } from "../values/activations.ts";
import { checkOwn } from "../values/built_in.ts";
import { Gradients } from "../values/gradients.ts";
import { numbers } from "../values/numbers.ts";
import type { Ops } from "../values/ops.ts";

/** A dense layer's arrays, in Keras's layout. */
export interface DenseWeights {
  /** `[inputSize, units]` */
  readonly kernel: TensorLike;
  /** `[units]`; without it, no bias is added. */
  readonly bias?: TensorLike;
}

/** The activation of a dense layer. */
export interface DenseActivation {
  /** By Keras's name or made by `getActivation`. Default: `"linear"`. */
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
  return denseEquation(
    numbers,
    asFloat64(x),
    W,
    b,
    denseActivation(options.activation ?? "linear"),
  );
}

/** y = φ(x·W + b) */
export function denseEquation<V>(o: Ops<V>, x: V, W: V, b: V | undefined, φ: Activation): V {
  return o.apply(φ, o.affine([[x, W]], b));
}

/** What {@linkcode denseForward} was given. */
export interface DenseRun {
  /** `[…, inputSize]` */
  readonly x: TensorLike;
  /** Kernel and bias. */
  readonly weights: DenseWeights;
}

export const DENSE_RUN: KeysOf<DenseRun> = { x: "required", weights: "required" };

/** The gradients of the loss with respect to what went into a dense layer. */
export interface DenseGradients {
  /** `[…, inputSize]` */
  readonly x: Tensor;
  /** `[inputSize, units]` */
  readonly kernel: Tensor;
  /** `[units]`; there where the weights have a bias. */
  readonly bias?: Tensor;
}

/**
 * The gradients of the loss with respect to a dense layer's input and weights, in float64, from its
 * gradient dy with respect to the layer's result:
 *
 * ```txt
 * z  = x·W + b    y = φ(z)
 * dz = φ'(z) ⊙ dy
 * dx = dz·Wᵀ      dW = xᵀ·dz      db = Σ dz
 * ```
 *
 * @param run input and weights of the forward run
 * @param gradient of the loss with respect to the result, `[…, units]`
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
  const dy = asFloat64(gradient);
  const φ = denseActivation(options.activation ?? "linear");
  const tape = new Gradients();
  const [input, kernel, bias] = [tape.leaf(asFloat64(x)), tape.leaf(W), b && tape.leaf(b)];
  const y = denseEquation(tape, input, kernel, bias, φ);
  if (!sameShape(dy.shape, y.value.shape)) {
    throw new TypeError(
      `Cannot ${action}: the gradient must have the result's shape ` +
        `${formatShape(y.value.shape)}, but its shape is ${formatShape(dy.shape)}`,
    );
  }
  tape.backward([[y, dy]]);
  return {
    x: tape.gradientOf(input),
    kernel: tape.gradientOf(kernel),
    ...(bias && { bias: tape.gradientOf(bias) }),
  };
}

export function denseActivation(activation: ActivationName | Activation): Activation {
  const φ = typeof activation === "function" ? activation : getActivation(activation);
  checkOwn(φ, "compute a dense layer");
  return φ;
}

export function checkDenseWeights(weights: DenseWeights): { W: Tensor; b: Tensor | undefined } {
  checkParts("compute a dense layer", "the weights", weights, DENSE_WEIGHTS);
  const { kernel, bias } = weights;
  const W = asFloat64(kernel);
  const b = bias === undefined ? undefined : asFloat64(bias);
  if (W.shape.length !== 2 || b !== undefined && !sameShape(b.shape, W.shape.slice(1))) {
    throw new TypeError(
      `Cannot compute a dense layer: the kernel must be [inputSize, units] and the bias [units], ` +
        `but the shapes are ${formatShape(W.shape)} and ${b ? formatShape(b.shape) : "none"}`,
    );
  }
  return { W, b };
}
