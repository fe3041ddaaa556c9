// The activations that take one number at a time, as Keras 3.15.1 defines them
// (keras/src/activations/activations.py, and keras/src/backend/jax/nn.py for the formulas).
// Each is written so that NaN stays NaN. At a kink the derivative is the one from the left.

import { normalCdf, normalPdf } from "./normal_distribution.ts";

/** A function of one number, and its slope. */
export interface Curve {
  readonly f: (x: number) => number;
  /** At x; sooner where y = f(x) is known. */
  readonly derivative: (x: number, y?: number) => number;
}

/** What an option of an activation may be. */
export type OptionValue = number | boolean;

/** An activation before its options are known: NaN stands for an option that must be given. */
export interface CurveFamily {
  readonly defaults: Readonly<Record<string, OptionValue>>;
  readonly make: (options: Readonly<Record<string, OptionValue>>) => Curve;
  /** The curve itself, where no option shapes it. */
  readonly fixed?: Curve;
}

/** e.g. `family({ alpha: 1 }, ({ alpha }) => …)`: the defaults name the options and their kinds. */
function family<const D extends Record<string, OptionValue>>(
  defaults: D,
  make: (options: { [K in keyof D]: D[K] extends boolean ? boolean : number }) => Curve,
): CurveFamily {
  return { defaults, make: make as CurveFamily["make"] };
}

function curve(f: Curve["f"], derivative: Curve["derivative"]): CurveFamily {
  return { ...family({}, () => ({ f, derivative })), fixed: { f, derivative } };
}

const clip = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);
const inside = (x: number, low: number, high: number) => x > low && x <= high ? 1 : 0;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

const silu = curve(
  (x) => x * sigmoid(x),
  (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
);

/** relu6(x + 3) / 6 */
const hardSigmoid = (x: number) => clip(x + 3, 0, 6) / 6;
const hardSilu = curve(
  (x) => x * hardSigmoid(x),
  (x) => hardSigmoid(x) + x * inside(x, -3, 3) / 6,
);

/** α(eˣ − 1) below 0; `scale` is selu's. */
const exponentialBelow0 = (alpha: number, scale = 1, width = 1): Curve => ({
  f: (x) => scale * (x <= 0 ? alpha * Math.expm1(x / width) : x),
  derivative: (x) => scale * (x <= 0 ? alpha / width * Math.exp(x / width) : 1),
});

// Klambauer et al. 2017, "Self-Normalizing Neural Networks": the fixed point of mean 0, variance 1.
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/**
 * Keras's names of the activations of one number at a time. `hard_sigmoid_keras2` is Keras 2's;
 * `hard_sigmoid_onnx`, `scaled_tanh` and `affine` are those of ONNX's LSTM operator.
 */
export type ElementwiseActivationName =
  | "linear"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leaky_relu"
  | "relu6"
  | "elu"
  | "celu"
  | "selu"
  | "hard_sigmoid"
  | "hard_sigmoid_keras2"
  | "hard_sigmoid_onnx"
  | "scaled_tanh"
  | "affine"
  | "sparse_sigmoid"
  | "log_sigmoid"
  | "hard_tanh"
  | "tanh_shrink"
  | "hard_shrink"
  | "soft_shrink"
  | "threshold"
  | "softplus"
  | "softsign"
  | "squareplus"
  | "sparse_plus"
  | "silu"
  | "swish"
  | "hard_silu"
  | "hard_swish"
  | "mish"
  | "gelu"
  | "exponential";

/** The families by name. */
export const activationCurves: Record<ElementwiseActivationName, CurveFamily> = {
  linear: curve((x) => x, () => 1),
  // 1 − y has lost most of its digits where y is near 1.
  sigmoid: curve(sigmoid, (x, y = sigmoid(x)) => y * (y < 0.75 ? 1 - y : sigmoid(-x))),
  tanh: curve((x) => Math.tanh(x), (x, y = Math.tanh(x)) => 1 - y * y),
  relu: family(
    { negativeSlope: 0, maxValue: Infinity, threshold: 0 },
    ({ negativeSlope, maxValue, threshold }) => ({
      f: (x) => {
        const kept = threshold === 0 ? Math.max(x, 0) : x <= threshold ? 0 : x;
        const above = maxValue === Infinity ? kept : clip(kept, 0, maxValue);
        return negativeSlope === 0 ? above : above - negativeSlope * Math.max(threshold - x, 0);
      },
      derivative: (x) => {
        const clippedBelow = maxValue === Infinity ? -Infinity : 0;
        const above = x > threshold && x > clippedBelow && x <= maxValue ? 1 : 0;
        return above + (x < threshold ? negativeSlope : 0);
      },
    }),
  ),
  leaky_relu: family({ negativeSlope: 0.2 }, ({ negativeSlope }) => ({
    f: (x) => x <= 0 ? negativeSlope * x : x,
    derivative: (x) => x <= 0 ? negativeSlope : 1,
  })),
  relu6: curve((x) => clip(x, 0, 6), (x) => inside(x, 0, 6)),
  elu: family({ alpha: 1 }, ({ alpha }) => exponentialBelow0(alpha)),
  celu: family({ alpha: 1 }, ({ alpha }) => exponentialBelow0(alpha, 1, alpha)),
  selu: family({}, () => exponentialBelow0(SELU_ALPHA, SELU_SCALE)),
  hard_sigmoid: curve(hardSigmoid, (x) => inside(x, -3, 3) / 6),
  hard_sigmoid_keras2: curve(
    (x) => clip(0.2 * x + 0.5, 0, 1), // Keras 2's and TF.js's
    (x) => 0.2 * inside(x, -2.5, 2.5),
  ),
  hard_sigmoid_onnx: family({ alpha: 0.2, beta: 0.5 }, ({ alpha, beta }) => ({
    f: (x) => clip(alpha * x + beta, 0, 1),
    derivative: (x) => alpha * inside(alpha * x + beta, 0, 1),
  })),
  scaled_tanh: family({ alpha: 1, beta: 1 }, ({ alpha, beta }) => ({
    f: (x) => alpha * Math.tanh(beta * x),
    derivative: (x) => alpha * beta * (1 - Math.tanh(beta * x) ** 2),
  })),
  affine: family({ alpha: 1, beta: 0 }, ({ alpha, beta }) => ({
    f: (x) => alpha * x + beta,
    derivative: () => alpha,
  })),
  sparse_sigmoid: curve((x) => clip((x + 1) / 2, 0, 1), (x) => inside(x, -1, 1) / 2),
  log_sigmoid: curve((x) => -softplus(-x), (x) => sigmoid(-x)),
  hard_tanh: curve((x) => clip(x, -1, 1), (x) => inside(x, -1, 1)),
  tanh_shrink: curve((x) => x - Math.tanh(x), (x) => Math.tanh(x) ** 2),
  hard_shrink: family({ threshold: 0.5 }, ({ threshold }) => ({
    f: (x) => Math.abs(x) <= threshold ? 0 : x,
    derivative: (x) => Math.abs(x) <= threshold ? 0 : 1,
  })),
  soft_shrink: family({ threshold: 0.5 }, ({ threshold }) => ({
    f: (x) => Math.abs(x) <= threshold ? 0 : x - Math.sign(x) * threshold,
    derivative: (x) => Math.abs(x) <= threshold ? 0 : 1,
  })),
  threshold: family({ threshold: NaN, defaultValue: NaN }, ({ threshold, defaultValue }) => ({
    f: (x) => x <= threshold ? defaultValue : x,
    derivative: (x) => x <= threshold ? 0 : 1,
  })),
  softplus: curve(softplus, sigmoid),
  softsign: curve((x) => x / (1 + Math.abs(x)), (x) => 1 / (1 + Math.abs(x)) ** 2),
  squareplus: family({ b: 4 }, ({ b }) => ({
    f: (x) => (x + Math.sqrt(x * x + b)) / 2,
    derivative: (x) => (1 + x / Math.sqrt(x * x + b)) / 2,
  })),
  sparse_plus: curve(
    (x) => x <= -1 ? 0 : x >= 1 ? x : (x + 1) ** 2 / 4,
    (x) => clip((x + 1) / 2, 0, 1),
  ),
  silu,
  swish: silu,
  hard_silu: hardSilu,
  hard_swish: hardSilu,
  mish: curve(
    (x) => x * Math.tanh(softplus(x)),
    (x) => {
      const t = Math.tanh(softplus(x));
      return t + x * sigmoid(x) * (1 - t * t);
    },
  ),
  gelu: family({ approximate: false }, ({ approximate }) => approximate ? tanhGelu() : erfGelu()),
  exponential: curve((x) => Math.exp(x), (x) => Math.exp(x)),
};

function erfGelu(): Curve {
  return {
    f: (x) => x * normalCdf(x),
    derivative: (x) => normalCdf(x) + x * normalPdf(x),
  };
}

/** x·σ(2u), which is x(1 + tanh u)/2 (Hendrycks and Gimpel 2016, "Gaussian Error Linear Units"). */
function tanhGelu(): Curve {
  const slope = Math.sqrt(2 / Math.PI);
  const u = (x: number) => slope * (x + 0.044715 * x ** 3);
  const uSlope = (x: number) => slope * (1 + 3 * 0.044715 * x * x);
  const gate = (x: number) => sigmoid(2 * u(x));
  return {
    f: (x: number) => x * gate(x),
    derivative: (x: number) => gate(x) * (1 + x * sigmoid(-2 * u(x)) * 2 * uSlope(x)),
  };
}

/** What the functions above call, by its name there: with it, the source of each is whole. */
export const curveScope: Readonly<Record<string, unknown>> = {
  clip,
  inside,
  sigmoid,
  softplus,
  hardSigmoid,
  exponentialBelow0,
  erfGelu,
  tanhGelu,
  SELU_ALPHA,
  SELU_SCALE,
};
