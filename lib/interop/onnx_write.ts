// Each layer as ONNX's operators. Between layers, sequences are [batch, timesteps, features].

import type { Activation } from "../values/activations.ts";
import { isBuiltIn, isNamed } from "../values/built_in.ts";
import { joinGates, splitGates } from "../cells/gates.ts";
import type { Layer } from "../layers/layer.ts";
import { activationOf } from "../layers/layer_options.ts";
import { Tensor } from "../tensor/tensor.ts";
import { activationToOnnx } from "./onnx_activation.ts";
import type { OnnxGraphWriter } from "./onnx_graph_writer.ts";

/** A layer with its weights. */
export interface WrittenLayer {
  readonly name: string;
  readonly layer: Layer;
  readonly weights: readonly Tensor[];
}

type Write = (graph: OnnxGraphWriter, input: string, layer: WrittenLayer) => string;

const WRITERS: Readonly<Record<string, Write>> = {
  LSTM: (graph, input, written) => writeLstm(graph, input, written, [written.layer.config]),
  Bidirectional: (graph, input, written) => {
    const { layer, backward_layer: back } = written.layer.config as Record<string, Layer>;
    const { className } = written.layer.wrapped!;
    if (className !== "LSTM") throw refusal(written.name, `a Bidirectional of ${className}`);
    return writeLstm(graph, input, written, [layer!.config, back!.config]);
  },
  Dense: writeDense,
  TimeDistributed: (graph, input, { name, layer, weights }) => {
    const inner = layer.wrapped!;
    if (["Dense", "Activation", "Dropout"].includes(inner.className)) {
      return writeLayer(graph, input, { name, layer: inner, weights }); // each works on the last axis
    }
    throw refusal(name, `a TimeDistributed of ${inner.className}`);
  },
  Embedding: (graph, input, { name, layer, weights }) => {
    if (layer.config.mask_zero === true) throw refusal(name, "an Embedding with maskZero");
    const table = graph.constant(`${name}/embeddings`, weights[0]!);
    return graph.add("Gather", [table, input], { name });
  },
  Activation: (graph, input, { name, layer }) =>
    writeActivation(graph, input, activationOf(layer.config.activation), name),
  Dropout: (_, input) => input, // which drops nothing when it predicts
  GetItem: (graph, input, { name, layer }) => {
    const [index, ...more] = layer.config.index as (number | readonly (number | null)[])[];
    if (typeof index !== "number" || more.length > 0) throw refusal(name, "a GetItem of a stretch");
    return graph.add("Gather", [input, graph.integers(`${name}/index`, index)], { name, axis: 1 });
  },
};

/** Adds a layer's nodes; returns the name of their result. */
export function writeLayer(graph: OnnxGraphWriter, input: string, written: WrittenLayer): string {
  const { name, layer } = written;
  if (layer.config.stateful === true) throw refusal(name, `a stateful ${layer.className}`);
  if (!Object.hasOwn(WRITERS, layer.className)) throw refusal(name, `a ${layer.className}`);
  return WRITERS[layer.className]!(graph, input, written);
}

function refusal(name: string, what: string): TypeError {
  return new TypeError(
    `Cannot write an .onnx file: ONNX's LSTM knows neither masks nor kept states, and layers are ` +
      `of ${Object.keys(WRITERS).join(", ")}, but the layer ${name} is ${what}`,
  );
}

function writeLstm(
  graph: OnnxGraphWriter,
  input: string,
  { name, layer, weights }: WrittenLayer,
  directions: readonly Layer["config"][],
): string {
  const [first] = directions as [Layer["config"]];
  const [units, count] = [first.units as number, weights.length / directions.length];
  const stacked = (k: number, shape: number[], convert: (array: Tensor) => Tensor) => {
    const arrays = directions.map((_, d) => convert(weights[d * count + k]!));
    const data = Float32Array.from(arrays.flatMap((array) => [...array.data]));
    return new Tensor(data, [directions.length, ...shape]);
  };
  const ordered = (array: Tensor) => joinGates(splitGates(array), "onnx");
  const inputSize = weights[0]!.shape[0]!;
  const names = [
    graph.constant(`${name}/W`, stacked(0, [4 * units, inputSize], (w) => ordered(w).transpose())),
    graph.constant(`${name}/R`, stacked(1, [4 * units, units], (w) => ordered(w).transpose())),
  ];
  if (count === 3) { // Keras has one bias: the recurrent one is zero
    const both = (bias: Tensor) =>
      new Tensor(Float32Array.from([...ordered(bias).data, ...new Array(4 * units).fill(0)]), [
        8 * units,
      ]);
    names.push(graph.constant(`${name}/B`, stacked(2, [8 * units], both)));
  }
  const timeFirst = graph.add("Transpose", [input], {
    name: `${name}/time_first`,
    perm: [1, 0, 2],
  });
  const isReverse = first.go_backwards === true;
  const all = graph.add("LSTM", [timeFirst, ...names], {
    name: `${name}/all`,
    results: 2,
    hidden_size: units,
    direction: directions.length === 2 ? "bidirectional" : isReverse ? "reverse" : "forward",
    ...activationLists(name, directions),
  });
  const merge = directions.length === 2 ? layer.config.merge_mode as string : undefined;
  return first.return_sequences === true
    ? sequenceOf(graph, all, name, merge, isReverse)
    : lastOf(graph, `${all}:1`, name, merge);
}

/** Y, [steps, directions, batch, units]. */
function sequenceOf(
  graph: OnnxGraphWriter,
  all: string,
  name: string,
  merge: string | undefined,
  isReversed: boolean,
): string {
  if (merge === "concat") {
    const turned = graph.add("Transpose", [all], { name: `${name}/turned`, perm: [2, 0, 1, 3] });
    return graph.add("Reshape", [turned, graph.integers(`${name}/shape`, [0, 0, -1])], { name });
  }
  let steps = merged(graph, all, name, merge, 1);
  if (isReversed) { // Keras gives the outputs in the order of computation, ONNX in that of time
    const ends = [[-1], [-(2 ** 31)], [0], [-1]];
    const slice = ["starts", "ends", "axes", "steps"].map((key, k) =>
      graph.integers(`${name}/${key}`, ends[k]!)
    );
    steps = graph.add("Slice", [steps, ...slice], { name: `${name}/reversed` });
  }
  return graph.add("Transpose", [steps], { name, perm: [1, 0, 2] });
}

/** Y_h, [directions, batch, units]. */
function lastOf(
  graph: OnnxGraphWriter,
  last: string,
  name: string,
  merge: string | undefined,
): string {
  if (merge !== "concat") return merged(graph, last, name, merge, 0);
  const turned = graph.add("Transpose", [last], { name: `${name}/turned`, perm: [1, 0, 2] });
  return graph.add("Reshape", [turned, graph.integers(`${name}/shape`, [0, -1])], { name });
}

/** The axis of directions, gone: dropped where there is one, else merged. */
function merged(
  graph: OnnxGraphWriter,
  input: string,
  name: string,
  merge: string | undefined,
  axis: number,
): string {
  const own = axis === 0 ? name : `${name}/merged`;
  if (merge === "mul") {
    return graph.add("ReduceProd", [input], { name: own, axes: [axis], keepdims: 0 });
  }
  if (merge === "ave") {
    return graph.add("ReduceMean", [input], { name: own, axes: [axis], keepdims: 0 });
  }
  const axes = graph.integers(`${name}/directions`, [axis]); // an input of these two since opset 13
  return merge === "sum"
    ? graph.add("ReduceSum", [input, axes], { name: own, keepdims: 0 })
    : graph.add("Squeeze", [input, axes], { name: own });
}

function activationLists(name: string, directions: readonly Layer["config"][]) {
  const found = directions.flatMap((config) => {
    const [f, g] = [config.recurrent_activation, config.activation].map((value) => {
      const activation = activationOf(value);
      const written = activationToOnnx(activation);
      if (written !== undefined && !["Softmax", "LogSoftmax", "Mish"].includes(written.operator)) {
        return written;
      }
      throw unknownActivation(name, activation);
    });
    return [f!, g!, g!];
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

function writeDense(
  graph: OnnxGraphWriter,
  input: string,
  { name, layer, weights }: WrittenLayer,
): string {
  const [kernel, bias] = weights;
  const activation = activationOf(layer.config.activation);
  const isLinear = isNamed(activation, "linear");
  const linear = isLinear ? name : `${name}/linear`;
  const product = graph.add("MatMul", [input, graph.constant(`${name}/kernel`, kernel!)], {
    name: bias === undefined ? linear : `${name}/product`,
  });
  const sum = bias === undefined
    ? product
    : graph.add("Add", [product, graph.constant(`${name}/bias`, bias)], { name: linear });
  return isLinear ? sum : writeActivation(graph, sum, activation, name);
}

function writeActivation(
  graph: OnnxGraphWriter,
  input: string,
  activation: Activation,
  name: string,
): string {
  const { activationName } = activation;
  if (isNamed(activation, "linear")) return input;
  if (isBuiltIn(activation) && (activationName === "silu" || activationName === "swish")) {
    const gate = graph.add("Sigmoid", [input], { name: `${name}/gate` });
    return graph.add("Mul", [input, gate], { name });
  }
  const { operator, alpha, beta } = activationToOnnx(activation) ?? {};
  // Mish came with opset 18; Affine and ScaledTanh are the LSTM operator's alone
  if (operator === undefined || ["Mish", "Affine", "ScaledTanh"].includes(operator)) {
    throw unknownActivation(name, activation);
  }
  return graph.add(operator, [input], {
    name,
    ...(alpha === undefined ? {} : { alpha: { floats: [alpha] } }),
    ...(beta === undefined ? {} : { beta: { floats: [beta] } }),
    ...(operator.endsWith("oftmax") ? { axis: -1 } : {}),
  });
}

function unknownActivation(name: string, activation: Activation): RangeError {
  const { activationName } = activation;
  if (!isBuiltIn(activation)) {
    return new RangeError(
      `Cannot write an .onnx file: each activation must be one that getActivation() makes, ` +
        `but ${activationName} of ${name} is a function of your own`,
    );
  }
  return new RangeError(
    `Cannot write an .onnx file: its activations must be ONNX's (sigmoid, tanh, relu, ` +
      `leaky_relu, elu, hard_sigmoid, softsign, softplus, threshold; softmax and silu in dense ` +
      `layers), but the activation of ${name} is ${activationName}`,
  );
}
