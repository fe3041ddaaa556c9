// Keras's activations by ONNX's operators.

import type { Activation, ActivationOptions } from "../../../values/activations.ts";
import { isBuiltIn, isNamed } from "../../../values/built_in.ts";
import { activationToOnnx } from "../activation.ts";
import { DATA_TYPES, type OnnxGraphWriter } from "./graph_writer.ts";

type Write = (graph: OnnxGraphWriter, x: string, options: ActivationOptions) => string;

/** Operators of the recurrent operators alone, and one that came after opset 17. */
const NOT_ALONE = ["Affine", "ScaledTanh", "Mish"];
/** Operators that the recurrent operators do not know. */
const ALONE = ["Softmax", "LogSoftmax", "Mish"];

const clip = (graph: OnnxGraphWriter, x: string, low: number, high: number) =>
  graph.add("Clip", [x, graph.number(low), graph.number(high)]);

const gated = (graph: OnnxGraphWriter, x: string, gate: string) => graph.add("Mul", [x, gate]);

const silu: Write = (graph, x) => gated(graph, x, graph.add("Sigmoid", [x]));
const hardSilu: Write = (graph, x) => graph.add("HardSwish", [x]);

/** Those that are no operator, or several. */
const WRITERS: Readonly<Record<string, Write>> = {
  silu,
  swish: silu,
  hard_silu: hardSilu,
  hard_swish: hardSilu,
  mish: (graph, x) => gated(graph, x, graph.add("Tanh", [graph.add("Softplus", [x])])),
  relu: (graph, x, { negativeSlope = 0, maxValue, threshold = 0 }) => {
    const kept = threshold === 0
      ? graph.add("Relu", [x])
      : graph.add("ThresholdedRelu", [x], { alpha: { float: threshold } });
    const most = maxValue ?? Infinity;
    const above = most === Infinity ? kept : clip(graph, kept, 0, most);
    if (negativeSlope === 0) return above;
    const below = graph.add("Relu", [graph.add("Sub", [graph.number(threshold), x])]);
    return graph.add("Sub", [above, graph.add("Mul", [below, graph.number(negativeSlope)])]);
  },
  relu6: (graph, x) => clip(graph, x, 0, 6),
  celu: (graph, x, { alpha = 1 }) => graph.add("Celu", [x], { alpha: { float: alpha } }),
  selu: (graph, x) => graph.add("Selu", [x]), // whose defaults are Keras's numbers
  affine: (graph, x, { alpha = 1, beta = 0 }) =>
    graph.add("Add", [graph.add("Mul", [x, graph.number(alpha)]), graph.number(beta)]),
  scaled_tanh: (graph, x, { alpha = 1, beta = 1 }) =>
    graph.add("Mul", [
      graph.add("Tanh", [graph.add("Mul", [x, graph.number(beta)])]),
      graph.number(alpha),
    ]),
  sparse_sigmoid: (graph, x) =>
    graph.add("HardSigmoid", [x], { alpha: { float: 0.5 }, beta: { float: 0.5 } }),
  log_sigmoid: (graph, x) => graph.add("Neg", [graph.add("Softplus", [graph.add("Neg", [x])])]),
  hard_tanh: (graph, x) => clip(graph, x, -1, 1),
  tanh_shrink: (graph, x) => graph.add("Sub", [x, graph.add("Tanh", [x])]),
  hard_shrink: (graph, x, { threshold = 0.5 }) =>
    graph.add("Shrink", [x], { lambd: { float: threshold }, bias: { float: 0 } }),
  soft_shrink: (graph, x, { threshold = 0.5 }) =>
    graph.add("Shrink", [x], { lambd: { float: threshold }, bias: { float: threshold } }),
  threshold: (graph, x, { threshold, defaultValue }) =>
    graph.add("Where", [
      graph.add("LessOrEqual", [x, graph.number(threshold!)]),
      graph.number(defaultValue!),
      x,
    ]),
  squareplus: (graph, x, { b = 4 }) => { // max(x, 0) + b / 2(√(x² + b) + |x|), where nothing cancels
    const root = graph.add("Sqrt", [
      graph.add("Add", [graph.add("Mul", [x, x]), graph.number(b)]),
    ]);
    const sum = graph.add("Add", [root, graph.add("Abs", [x])]);
    return graph.add("Add", [
      graph.add("Relu", [x]),
      graph.add("Div", [graph.number(b / 2), sum]),
    ]);
  },
  sparse_plus: (graph, x) => { // (x + 1)² / 4 is never below x
    const bend = clip(graph, graph.add("Add", [x, graph.number(1)]), 0, 2);
    const square = graph.add("Mul", [bend, bend]);
    return graph.add("Max", [x, graph.add("Mul", [square, graph.number(0.25)])]);
  },
  gelu: (graph, x, { approximate = false }) => {
    if (approximate) { // x · σ(2u), u = √(2/π) (x + 0.044715 x³)
      const slope = 2 * Math.sqrt(2 / Math.PI);
      const square = graph.add("Mul", [graph.add("Mul", [x, x]), graph.number(0.044715 * slope)]);
      const u = graph.add("Mul", [x, graph.add("Add", [square, graph.number(slope)])]);
      return gated(graph, x, graph.add("Sigmoid", [u]));
    }
    const erf = graph.add("Erf", [graph.add("Mul", [x, graph.number(Math.SQRT1_2)])]);
    const half = graph.add("Mul", [x, graph.number(0.5)]);
    return graph.add("Mul", [half, graph.add("Add", [erf, graph.number(1)])]);
  },
  exponential: (graph, x) => graph.add("Exp", [x]),
  sparsemax: (graph, given) => { // x above τ, by the largest numbers that stay above it themselves
    const x = graph.add("Sub", [given, graph.add("ReduceMax", [given], { axes: [-1] })]);
    const width = graph.add("Shape", [x], { start: -1 });
    const [sorted] = graph.addAll("TopK", [x, width], 2, { axis: -1 }) as [string, string];
    const one = graph.integers("one", 1);
    const places = graph.add("Range", [
      one,
      graph.add("Add", [graph.add("Squeeze", [width]), one]),
      one,
    ]);
    const k = graph.add("Cast", [places], { to: DATA_TYPES.float });
    const bound = graph.add("Add", [graph.add("Mul", [sorted, k]), graph.number(1)]);
    const sums = graph.add("CumSum", [sorted, graph.integers("axis", -1)]);
    const stays = graph.add("Cast", [graph.add("Greater", [bound, sums])], {
      to: DATA_TYPES.float,
    });
    const axes = graph.integers("axes", [-1]);
    const total = graph.add("ReduceSum", [graph.add("Mul", [sorted, stays]), axes]);
    const count = graph.add("ReduceSum", [stays, axes]);
    const above = graph.add("Sub", [total, graph.number(1)]);
    return graph.add("Relu", [graph.add("Sub", [x, graph.add("Div", [above, count])])]);
  },
};

/** The activation of a value, over its last axis where it takes rows. */
export function writeActivation(
  graph: OnnxGraphWriter,
  x: string,
  activation: Activation,
  layer: string,
): string {
  if (isNamed(activation, "linear")) return x;
  const { activationName, options } = activation;
  const { operator, alpha, beta } = activationToOnnx(activation) ?? {};
  if (operator !== undefined && !NOT_ALONE.includes(operator)) {
    return graph.add(operator, [x], {
      alpha: alpha === undefined ? undefined : { float: alpha },
      beta: beta === undefined ? undefined : { float: beta },
      axis: operator.endsWith("oftmax") ? -1 : undefined,
    });
  }
  if (isBuiltIn(activation) && Object.hasOwn(WRITERS, activationName)) {
    return WRITERS[activationName]!(graph, x, options);
  }
  throw unknownActivation(layer, activation, "one that ONNX's operators give");
}

/** The attributes of a recurrent operator: all activations in a row, and their numbers. */
export function activationLists(activations: readonly Activation[], layer: string) {
  const found = activations.map((activation) => {
    const written = activationToOnnx(activation);
    if (written !== undefined && !ALONE.includes(written.operator)) return written;
    throw unknownActivation(
      layer,
      activation,
      "of ONNX's recurrent operators in a recurrent layer (sigmoid, tanh, relu, leaky_relu, elu, " +
        "hard_sigmoid, softsign, softplus, threshold from 0 up, linear)",
    );
  });
  const floats = (key: "alpha" | "beta") => {
    const values = found.flatMap((activation) => activation[key] ?? []);
    return values.length === 0 ? undefined : { floats: values };
  };
  return {
    activations: found.map(({ operator }) => operator),
    activation_alpha: floats("alpha"),
    activation_beta: floats("beta"),
  };
}

function unknownActivation(layer: string, activation: Activation, rule: string): RangeError {
  const { activationName } = activation;
  return new RangeError(
    isBuiltIn(activation)
      ? `Cannot write an .onnx file: its activations must be ${rule}, ` +
        `but the activation of ${layer} is ${activationName}`
      : `Cannot write an .onnx file: each activation must be one that getActivation() makes, ` +
        `but ${activationName} of ${layer} is a function of your own`,
  );
}
