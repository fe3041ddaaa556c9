import { quoted } from "../../base/quoted.ts";
import { type Activation, getActivation } from "../../values/activations.ts";
import { isBuiltIn } from "../../values/built_in.ts";
import { textOf } from "./attributes.ts";
import { UnreadNode } from "./errors.ts";
import type { Step } from "./step.ts";

/** An activation's options in ONNX: some operators take one or both. */
export interface OnnxActivationOptions {
  readonly alpha?: number | undefined;
  readonly beta?: number | undefined;
}

type Make = (options: OnnxActivationOptions) => Activation;

const near = (a: number, b: number) => Math.abs(a - b) < 1e-7; // as float32 keeps 1/6

/** ONNX's operators, with its defaults (onnx/defs/rnn/defs.cc, onnx/defs/math/defs.cc). */
const MAKERS: Readonly<Record<string, Make>> = {
  Sigmoid: () => getActivation("sigmoid"),
  Tanh: () => getActivation("tanh"),
  Relu: () => getActivation("relu"),
  Softsign: () => getActivation("softsign"),
  Softplus: () => getActivation("softplus"),
  LeakyRelu: ({ alpha = 0.01 }) => getActivation("leaky_relu", { negativeSlope: alpha }),
  Elu: ({ alpha = 1 }) => getActivation("elu", alpha === 1 ? {} : { alpha }),
  ThresholdedRelu: ({ alpha = 1 }) =>
    getActivation("threshold", { threshold: alpha, defaultValue: 0 }),
  HardSigmoid: ({ alpha = 0.2, beta = 0.5 }) =>
    beta === 0.5 && near(alpha, 0.2)
      ? getActivation("hard_sigmoid_keras2")
      : beta === 0.5 && near(alpha, 1 / 6)
      ? getActivation("hard_sigmoid")
      : getActivation("hard_sigmoid_onnx", { alpha, beta }),
  ScaledTanh: ({ alpha, beta }) => getActivation("scaled_tanh", given("ScaledTanh", alpha, beta)),
  Affine: ({ alpha, beta }) => getActivation("affine", given("Affine", alpha, beta)),
};

/** Operators that stand behind a layer and are no activation of the LSTM operator. */
const ALONE: Readonly<Record<string, Make>> = {
  Softmax: () => getActivation("softmax"),
  LogSoftmax: () => getActivation("log_softmax"),
  Mish: () => getActivation("mish"),
  HardSwish: () => getActivation("hard_silu"),
};

/** Which of alpha and beta an operator takes, in the lists of the LSTM operator too. */
const TAKES: Readonly<Record<string, readonly ("alpha" | "beta")[]>> = {
  LeakyRelu: ["alpha"],
  Elu: ["alpha"],
  ThresholdedRelu: ["alpha"],
  HardSigmoid: ["alpha", "beta"],
  ScaledTanh: ["alpha", "beta"],
  Affine: ["alpha", "beta"],
};

function given(name: string, alpha: number | undefined, beta: number | undefined) {
  if (alpha !== undefined && beta !== undefined) return { alpha, beta };
  throw new RangeError(`${name} has no alpha and beta, and ONNX gives it no defaults`);
}

/** The activation of an operator that stands in the graph; undefined where it is none. */
export function operatorActivation(
  operator: string,
  options: OnnxActivationOptions,
): Activation | undefined {
  const makers = { ...MAKERS, ...ALONE };
  return Object.hasOwn(makers, operator) ? makers[operator]!(options) : undefined;
}

/** The activation of a Gelu. */
export function gelu(step: Step): Activation {
  const approximate = textOf(step, "approximate", "none");
  if (approximate === "none" || approximate === "tanh") {
    return getActivation("gelu", { approximate: approximate === "tanh" });
  }
  throw new UnreadNode(`its approximate must be none or tanh: it is ${quoted(approximate)}`);
}

/**
 * The activations that a recurrent operator names, one after the other: each takes the next alpha and
 * the next beta, if it takes any.
 *
 * @throws {RangeError} where a name is unknown, or there are more numbers than are taken.
 */
export function listedActivations(
  names: readonly string[],
  alphas: readonly number[],
  betas: readonly number[],
): Activation[] {
  const rest = { alpha: [...alphas], beta: [...betas] };
  const found = names.map((name) => {
    // the specification leaves case open, and TensorFlow's converter writes "sigmoid"
    const known = Object.keys(MAKERS).find((maker) => maker.toLowerCase() === name.toLowerCase());
    if (known === undefined) {
      const all = Object.keys(MAKERS).join(", ");
      throw new RangeError(`activations are of ${all}: one is ${quoted(name)}`);
    }
    const takes = TAKES[known] ?? [];
    const next = (key: "alpha" | "beta") => takes.includes(key) ? rest[key].shift() : undefined;
    return MAKERS[known]!({ alpha: next("alpha"), beta: next("beta") });
  });
  if (rest.alpha.length + rest.beta.length > 0) {
    throw new RangeError("activation_alpha or activation_beta has more numbers than are taken");
  }
  return found;
}

/** An activation as ONNX's operators write it; undefined where none does. */
export function activationToOnnx(activation: Activation):
  | { readonly operator: string; readonly alpha?: number; readonly beta?: number }
  | undefined {
  if (!isBuiltIn(activation)) return undefined;
  const { activationName, options } = activation;
  const { alpha, beta, negativeSlope, maxValue, threshold, defaultValue } = options;
  switch (activationName) {
    case "sigmoid":
    case "tanh":
    case "softsign":
    case "softplus":
    case "softmax":
    case "mish":
      return { operator: activationName[0]!.toUpperCase() + activationName.slice(1) };
    case "log_softmax":
      return { operator: "LogSoftmax" };
    case "relu": {
      const isCapped = (maxValue ?? Infinity) !== Infinity || (threshold ?? 0) !== 0;
      if (isCapped) return undefined;
      return (negativeSlope ?? 0) === 0
        ? { operator: "Relu" }
        : { operator: "LeakyRelu", alpha: negativeSlope! };
    }
    case "leaky_relu":
      return { operator: "LeakyRelu", alpha: negativeSlope ?? 0.2 };
    case "elu":
      return { operator: "Elu", alpha: alpha ?? 1 };
    case "threshold":
      return defaultValue === 0 && (threshold ?? 0) >= 0
        ? { operator: "ThresholdedRelu", alpha: threshold! }
        : undefined;
    case "hard_sigmoid":
      return { operator: "HardSigmoid", alpha: 1 / 6, beta: 0.5 };
    case "hard_sigmoid_keras2":
      return { operator: "HardSigmoid", alpha: 0.2, beta: 0.5 };
    case "hard_sigmoid_onnx":
      return { operator: "HardSigmoid", alpha: alpha ?? 0.2, beta: beta ?? 0.5 };
    case "scaled_tanh":
      return { operator: "ScaledTanh", alpha: alpha ?? 1, beta: beta ?? 1 };
    case "affine":
      return { operator: "Affine", alpha: alpha ?? 1, beta: beta ?? 0 };
    case "linear":
      return { operator: "Affine", alpha: 1, beta: 0 };
    default:
      return undefined;
  }
}
