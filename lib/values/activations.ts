import { kindOf } from "../base/kind.ts";
import { didYouMean, either, nearestNames } from "../base/names.ts";
import { checkOptions, refuseOptions } from "../base/options.ts";
import { formatShape } from "../tensor/shape.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import {
  activationCurves,
  type Curve,
  type ElementwiseActivationName,
  type OptionValue,
} from "./activation_curves.ts";
import { activationRows, type RowActivationName, type RowFunction } from "./activation_rows.ts";
import { builtIn, checkOwn, isNamed } from "./built_in.ts";
import { type CurveLoops, curveLoops } from "./curve_loops.ts";

/** The names that {@linkcode getActivation} knows, spelt as Keras serialises them. */
export type ActivationName = ElementwiseActivationName | RowActivationName;

/** What shapes an activation, Keras's arguments in camelCase; each activation takes its own few. */
export interface ActivationOptions {
  /** relu, leaky_relu: the slope below the threshold. */
  readonly negativeSlope?: number;
  /** relu: the largest value; null for none. */
  readonly maxValue?: number | null;
  /** relu, hard_shrink, soft_shrink, threshold: where the curve breaks. */
  readonly threshold?: number;
  /** threshold: the value at and below the threshold. */
  readonly defaultValue?: number;
  /** elu, celu: how far the curve reaches below 0; ONNX's own: the factor in front. */
  readonly alpha?: number;
  /** hard_sigmoid_onnx and affine: what is added; scaled_tanh: the factor of x. */
  readonly beta?: number;
  /** squareplus: how round the bend is. */
  readonly b?: number;
  /** gelu: by tanh instead of the error function. */
  readonly approximate?: boolean;
}

/** An activation function: of a number, or of each element (each row, for softmax and its kin). */
export interface Activation {
  (x: number): number;
  (x: TensorLike): Tensor;
  /** Keras's name of it; of a function of your own, whatever you call it. */
  readonly activationName: string;
  /** The options it was made with; `{}` where there are none. */
  readonly options: ActivationOptions;
  /**
   * The gradient with respect to x, from x and that with respect to f(x), and from y = f(x) where it
   * is known; all of one shape.
   */
  readonly backward: (x: Tensor, gradient: Tensor, y?: Tensor) => Tensor;
}

/** All names, in the order of the tables. */
const activationNames = [...Object.keys(activationCurves), ...Object.keys(activationRows)];

/**
 * The activation of that name, as Keras 3 computes it, in float64.
 *
 * A function of a number or of a tensor of any shape; softmax, log_softmax, sparsemax and glu work
 * on the last axis and need a tensor. `hard_sigmoid_keras2` is what Keras 2 and TF.js call
 * hard_sigmoid. Source: keras/src/activations/activations.py, Keras 3.15.1.
 *
 * @throws {RangeError} where the name is unknown; the message offers the nearest ones.
 * @throws {TypeError} where an option is unknown, missing or not a number.
 *
 * @example
 * ```ts
 * import { getActivation } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const hardSigmoid = getActivation("hard_sigmoid");
 * assertEquals(hardSigmoid(0), 0.5);
 * assertEquals(getActivation("relu", { negativeSlope: 0.5 })([-4, 4]).toArray(), [-2, 4]);
 * ```
 */
export function getActivation(name: ActivationName, options: ActivationOptions = {}): Activation {
  if (Object.hasOwn(activationCurves, name)) {
    const { defaults, make } = activationCurves[name as ElementwiseActivationName];
    const chosen = chosenOptions(name, options, defaults);
    const loops = curveLoops[name as ElementwiseActivationName];
    return builtIn(elementwise(name, { ...options }, make(chosen), loops));
  }
  if (Object.hasOwn(activationRows, name)) {
    chosenOptions(name, options, {});
    return builtIn(rowwise(name, activationRows[name as RowActivationName]));
  }
  const near = nearestNames(String(name), activationNames).length > 0;
  throw new RangeError(
    `Cannot find an activation: the name must be ` +
      `${near ? "one of Keras's" : either(activationNames)}, but ` +
      `${typeof name === "string" ? JSON.stringify(name) : kindOf(name)} was given` +
      didYouMean(String(name), activationNames),
  );
}

/** @param loops the curve over many numbers, where somebody has written it for speed */
export function elementwise(
  activationName: string,
  options: ActivationOptions,
  { f, derivative }: Curve,
  loops: CurveLoops = {
    each: (x, into) => {
      for (let k = 0; k < into.length; k++) into[k] = f(x[k]!);
    },
    back: (x, y, dy, into) => {
      for (let k = 0; k < into.length; k++) into[k] = dy[k]! * derivative(x[k]!, y?.[k]);
    },
  },
): Activation {
  const activation = (x: number | TensorLike, more?: unknown) => {
    if (more !== undefined) refuseOptions(`take ${activationName}`, [more], 0);
    if (typeof x === "number") return f(x);
    const given = asFloat64(x);
    const values = new Float64Array(given.data.length);
    loops.each(given.data, values);
    return new Tensor(values, given.shape);
  };
  const backward = (x: Tensor, gradient: Tensor, y?: Tensor) => {
    const back = new Float64Array(gradient.data.length);
    loops.back(x.data, y?.data, gradient.data, back);
    return new Tensor(back, gradient.shape);
  };
  return Object.assign(activation as { (x: number): number; (x: TensorLike): Tensor }, {
    activationName,
    options,
    backward,
  });
}

export function rowwise(activationName: ActivationName, { f, backward }: RowFunction): Activation {
  const overRows = (x: Tensor, f: (row: Float64Array, r: number) => Float64Array) => {
    const length = x.shape.at(-1)!;
    const rows = length === 0 ? 0 : x.data.length / length;
    const results = Array.from(
      { length: rows },
      (_, r) => f(asFloat64(x).data.subarray(r * length, (r + 1) * length), r),
    );
    const width = results[0]?.length ?? length;
    const data = new Float64Array(rows * width);
    results.forEach((row, r) => data.set(row, r * width));
    return new Tensor(data, [...x.shape.slice(0, -1), width]);
  };
  const activation = (x: number | TensorLike, more?: unknown) => {
    if (more !== undefined) refuseOptions(`take ${activationName}`, [more], 0);
    const given = asFloat64(x);
    const length = given.shape.at(-1);
    if (length === undefined || activationName === "glu" && length % 2 !== 0) {
      throw new TypeError(
        `Cannot take ${activationName}: it works on the last axis` +
          `${activationName === "glu" ? ", which must be even" : ""}, ` +
          `but the shape is ${formatShape(given.shape)}`,
      );
    }
    return overRows(given, f);
  };
  return Object.assign(activation as { (x: number): number; (x: TensorLike): Tensor }, {
    activationName,
    options: {},
    backward: (x: Tensor, gradient: Tensor) => {
      const dy = asFloat64(gradient);
      const width = dy.shape.at(-1)!;
      return overRows(x, (row, r) => backward(row, dy.data.subarray(r * width, (r + 1) * width)));
    },
  });
}

/** An activation's options, its family's defaults among them. */
export function allOptions(
  { activationName, options }: Activation,
): Readonly<Record<string, OptionValue>> {
  const isCurve = Object.hasOwn(activationCurves, activationName);
  const { defaults } = isCurve
    ? activationCurves[activationName as ElementwiseActivationName]
    : { defaults: {} };
  return chosenOptions(activationName, options, defaults);
}

/** The defaults, with what was given in their place; null stands for a default. */
function chosenOptions(
  name: string,
  options: ActivationOptions,
  defaults: Readonly<Record<string, OptionValue>>,
): Record<string, OptionValue> {
  const known = Object.keys(defaults).map((key) => [key, "optional"] as const);
  checkOptions(`make ${name}`, options, Object.fromEntries(known));
  const chosen = { ...defaults };
  for (const [key, value] of Object.entries(options)) {
    if (value !== null && value !== undefined) chosen[key] = value;
  }
  for (const [key, value] of Object.entries(chosen)) {
    const wanted = typeof defaults[key];
    if (typeof value !== wanted || Number.isNaN(value)) {
      throw new TypeError(
        `Cannot make ${name}: ${key} must be a ${wanted}, but it is ${value}`,
      );
    }
  }
  return chosen;
}

/**
 * The activation meant by a name or by the function that {@linkcode getActivation} made.
 *
 * @throws {TypeError} where it is `glu`, which halves the axis, so that no gate fits the next.
 */
export function lstmActivation(activation: ActivationName | Activation): Activation {
  const chosen = typeof activation === "function" ? activation : getActivation(activation);
  checkOwn(chosen, "use an activation");
  if (isNamed(chosen, "glu")) {
    throw new TypeError(
      `Cannot use an activation in an LSTM: it must keep the number of units, but glu halves it`,
    );
  }
  return chosen;
}

/**
 * σ(x) = 1 / (1 + e⁻ˣ): between 0 and 1, the gates' usual activation.
 *
 * @example
 * ```ts
 * import { sigmoid } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sigmoid(0), 0.5);
 * assertEquals(sigmoid([-Infinity, 0]).toArray(), [0, 0.5]);
 * ```
 */
export const sigmoid: Activation = getActivation("sigmoid");

/**
 * tanh(x): between −1 and 1, the candidate's usual activation.
 *
 * @example
 * ```ts
 * import { tanh } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tanh([-Infinity, 0, Infinity]).toArray(), [-1, 0, 1]);
 * ```
 */
export const tanh: Activation = getActivation("tanh");

/**
 * max(x, 0), in a new tensor: the argument is left as it was.
 *
 * @example
 * ```ts
 * import { relu } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(relu([-2, 0, 3]).toArray(), [0, 0, 3]);
 * ```
 */
export const relu: Activation = getActivation("relu");

/**
 * e^(xₖ) / Σ e^(xⱼ) over the last axis: logits become probabilities. Stable for any finite logits.
 *
 * @param logits `[…, classes]`
 * @returns probabilities of the same shape, each row's sum 1
 *
 * @example
 * ```ts
 * import { softmax } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(softmax([[0, 0], [1e4, 0]]).toArray(), [[0.5, 0.5], [1, 0]]);
 * ```
 */
export function softmax(logits: TensorLike): Tensor {
  refuseOptions("take softmax", arguments, 1);
  return getActivation("softmax")(logits as Tensor);
}
