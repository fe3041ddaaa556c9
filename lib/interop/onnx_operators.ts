// Each operator of a graph, as layers: what it takes and what it makes of it.

import type { Activation } from "../lstm/activations.ts";
import { getActivation } from "../lstm/activations.ts";
import type { Layer } from "../model/layer.ts";
import { activation as activationLayer } from "../model/layers/activation.ts";
import { dense } from "../model/layers/dense.ts";
import { embedding } from "../model/layers/embedding.ts";
import type { LoadedLayer } from "./build_model.ts";
import { type Converted, taken, transposed } from "./conversion.ts";
import { operatorActivation } from "./onnx_activation.ts";
import { readLstm } from "./onnx_lstm.ts";
import {
  fillsWithZeros,
  joinStates,
  MERGE_OPERATORS,
  mergeDirections,
  pickFrom,
  pickState,
  readSizes,
  reshapeFlow,
  sizesOf,
  sliceFlow,
  squeezeFlow,
  transposeFlow,
  unsqueezeFlow,
} from "./onnx_shapes.ts";
import {
  attribute,
  type Constant,
  constantOf,
  type Flow,
  type GraphNode,
  intOf,
  UnreadNode,
  type Value,
} from "./onnx_values.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { OnnxTensor } from "../files/onnx_schema.ts";

/** The operators that are read, for messages. */
export const KNOWN_OPERATORS: string =
  "LSTM, MatMul, Gemm, Add, Gather, activations, and those that turn, drop or join axes";

/** Turns an attribute's array into numbers: done beforehand, since files may have to be read. */
export type AttributeTensors = ReadonlyMap<OnnxTensor, Tensor>;

/**
 * A node's results.
 *
 * @throws {UnreadNode} where it is not read as it stands.
 */
export function readNode(node: GraphNode, tensors: AttributeTensors): Value[] {
  const { operator, inputs, opset } = node;
  const flows = inputs.filter((value) => value?.kind === "flow") as Flow[];
  const [flow] = flows;
  if (operator === "LSTM") return readLstm(node);
  if (operator === "Constant") return [constantNode(node, tensors)];
  if (operator === "Concat" && flows.length > 0) return [joinStates(node)];
  if (operator === "Gather" && inputs[0]?.kind === "states") return [pickState(inputs[0], node)];
  if (flow === undefined) return [aside(node, tensors)];
  if (flows.length > 1) return [gated(flows, node)];
  if (MERGE_OPERATORS.includes(operator)) return [mergeDirections(flow, node)];
  switch (operator) {
    case "Identity":
    case "Dropout":
    case "Cast":
      return [flow];
    case "Shape":
      return [{ kind: "sizes", sizes: flow.axes.map((axis) => sizeOfAxis(flow, axis)) }];
    case "Transpose":
      return [transposeFlow(flow, node)];
    case "Squeeze":
      return [squeezeFlow(flow, node)];
    case "Unsqueeze":
      return [unsqueezeFlow(flow, node)];
    case "Slice":
      return [sliceFlow(flow, node)];
    case "Reshape": {
      const target = sizesOf(inputs[1]);
      if (target === undefined) throw new UnreadNode("its shape is not known");
      return [reshapeFlow(flow, target, widthOf(flow) * flow.directions)];
    }
    case "Gather":
      return [inputs[1] === flow ? lookUp(flow, node) : pickFrom(flow, node)];
    case "MatMul":
      return [matMul(flow, node)];
    case "Gemm":
      return [gemm(flow, node)];
    case "Add":
      return [addBias(flow, node)];
    default: {
      const options = {
        alpha: attribute(node, "alpha")?.float,
        beta: attribute(node, "beta")?.float,
      };
      const found = operator === "Gelu"
        ? getActivation("gelu", { approximate: textOf(node, "approximate") === "tanh" })
        : operatorActivation(operator, options);
      if (found === undefined) throw new UnreadNode(`operators are ${KNOWN_OPERATORS}`);
      if (operator.endsWith("oftmax")) checkSoftmaxAxis(flow, node, opset);
      return [activated(flow, found)];
    }
  }
}

/** What no layer went into: constants, lengths, and the zeros that an LSTM begins with. */
function aside(node: GraphNode, tensors: AttributeTensors): Value {
  const { operator, inputs } = node;
  const sizes = readSizes(node);
  if (sizes !== undefined) return sizes;
  if (operator === "ConstantOfShape") {
    const read = (raw: unknown) => tensors.get(raw as OnnxTensor)!;
    return { kind: fillsWithZeros(node, read) ? "zeros" : "beside" };
  }
  const keepsZeros = [
    "Expand",
    "Slice",
    "Unsqueeze",
    "Squeeze",
    "Concat",
    "Gather",
    "Reshape",
    "Cast",
  ];
  const [first] = inputs;
  const isZero = first?.kind === "zeros" ||
    first?.kind === "constant" && first.tensor.data.every((x) => x === 0);
  const others = operator === "Concat" ? inputs.every((value) => value?.kind === "zeros") : true;
  return { kind: keepsZeros.includes(operator) && isZero && others ? "zeros" : "beside" };
}

function constantNode(node: GraphNode, tensors: AttributeTensors): Value {
  const raw = attribute(node, "value")?.tensor;
  const tensor = raw === undefined ? undefined : tensors.get(raw);
  if (tensor === undefined) throw new UnreadNode("a Constant must have a value that is an array");
  return { kind: "constant", name: node.node.outputs?.[0] ?? "", tensor };
}

/** The table of an embedding, picked from by the input itself. */
function lookUp(flow: Flow, node: GraphNode): Flow {
  const table = constantOf(node, 0, "its table");
  const [inputDim, outputDim] = table.tensor.shape;
  if (!flow.isInput || table.tensor.shape.length !== 2 || intOf(node, "axis", 0) !== 0) {
    throw new UnreadNode("an embedding looks up the model's own input in a table of two axes");
  }
  const layer = embedding({ inputDim: inputDim!, outputDim: outputDim! });
  const { name, tensor } = table;
  const layers = [...flow.layers, { layer, weights: [taken(name, tensor)] }];
  return { ...flow, axes: [...flow.axes, "feature"], layers, isInput: false };
}

function matMul(flow: Flow, node: GraphNode): Flow {
  if (node.inputs[0] !== flow) throw new UnreadNode("it multiplies a constant by a layer's result");
  const kernel = constantOf(node, 1, "its second factor");
  return withDense(flow, taken(kernel.name, kernel.tensor), undefined);
}

function gemm(flow: Flow, node: GraphNode): Flow {
  const factor = (name: string) => attribute(node, name)?.float ?? 1;
  if (
    node.inputs[0] !== flow || intOf(node, "transA", 0) !== 0 || factor("alpha") !== 1 ||
    factor("beta") !== 1
  ) throw new UnreadNode("it scales, or multiplies otherwise than a dense layer");
  const given = constantOf(node, 1, "its second factor");
  const kernel = taken(given.name, given.tensor);
  const bias = node.inputs[2] === undefined ? undefined : constantOf(node, 2, "its bias");
  return withDense(flow, intOf(node, "transB", 0) === 1 ? transposed(kernel) : kernel, bias);
}

function withDense(flow: Flow, kernel: Converted, bias: Constant | undefined): Flow {
  if (flow.axes.at(-1) !== "feature" || flow.axes.includes("direction")) {
    throw new UnreadNode(`its input must end in the features: it is [${flow.axes}]`);
  }
  if (kernel.tensor.shape.length !== 2) throw new UnreadNode("its second factor must be a matrix");
  const units = kernel.tensor.shape[1]!;
  const layer = dense({ units, useBias: bias !== undefined });
  const weights = [kernel, ...(bias ? [biasOf(bias, units)] : [])];
  return { ...flow, layers: [...flow.layers, { layer, weights }] };
}

/** An Add behind a MatMul is the dense layer's bias. */
function addBias(flow: Flow, node: GraphNode): Flow {
  const last = flow.layers.at(-1);
  const { units, use_bias: useBias, activation } = last?.layer.config ?? {};
  if (last?.layer.className !== "Dense" || useBias !== false || activation !== "linear") {
    throw new UnreadNode("it adds to what is no MatMul");
  }
  const bias = constantOf(node, node.inputs[0] === flow ? 1 : 0, "its other term");
  const layer = dense({ units: units as number });
  return replaceLast(flow, layer, [...last.weights, biasOf(bias, units as number)]);
}

function biasOf({ name, tensor }: Constant, units: number): Converted {
  if (tensor.data.length !== units) {
    throw new UnreadNode(`its bias must be [${units}]: it is [${tensor.shape}]`);
  }
  return taken(name, tensor.shape.length === 1 ? tensor : tensor.reshape([units]));
}

/** An activation behind a dense layer is the layer's own. */
function activated(flow: Flow, chosen: Activation): Flow {
  const last = flow.layers.at(-1);
  const { units, use_bias: useBias, activation } = last?.layer.config ?? {};
  if (last?.layer.className === "Dense" && activation === "linear") {
    const options = { units: units as number, useBias: useBias as boolean, activation: chosen };
    return replaceLast(flow, dense(options), last.weights);
  }
  if (flow.isInput) throw new UnreadNode("it changes the model's input before its first layer");
  return { ...flow, layers: [...flow.layers, { layer: activationLayer(chosen), weights: [] }] };
}

/** `x·σ(x)`: how exporters write silu. */
function gated(flows: readonly Flow[], { operator }: GraphNode): Flow {
  const [x, gate] = flows.toSorted((a, b) => activationOf(a).localeCompare(activationOf(b)));
  if (operator === "Mul" && flows.length === 2) {
    const sigmoid = activated(x!, getActivation("sigmoid"));
    const shown = ({ layers }: Flow) =>
      JSON.stringify(layers.map(({ layer: { className, config }, weights }) => {
        return [className, config, weights.map(({ from }) => from)];
      }));
    if (shown(sigmoid) === shown(gate!)) return activated(x!, getActivation("silu"));
  }
  throw new UnreadNode("it takes several results of layers");
}

function activationOf({ layers }: Flow): string {
  const { activation } = layers.at(-1)?.layer.config ?? {};
  return activation === "sigmoid" ? "sigmoid" : "";
}

function replaceLast(flow: Flow, layer: Layer, weights: LoadedLayer["weights"]): Flow {
  return { ...flow, layers: [...flow.layers.slice(0, -1), { layer, weights }] };
}

function checkSoftmaxAxis(flow: Flow, node: GraphNode, opset: number): void {
  const rank = flow.axes.length;
  const axis = intOf(node, "axis", opset < 13 ? 1 : -1);
  if ((axis < 0 ? axis + rank : axis) !== rank - 1 || flow.axes.at(-1) !== "feature") {
    throw new UnreadNode(`its axis must be the features: it is ${axis} of [${flow.axes}]`);
  }
}

/** A length: known for features and directions, a name for the others. */
function sizeOfAxis(flow: Flow, axis: Flow["axes"][number]) {
  if (axis === "one") return 1;
  if (axis === "direction") return flow.directions;
  const width = widthOf(flow);
  return axis === "feature" && width > 0 ? width : axis;
}

/** How many features come out of the last layer, of one direction; 0 where it is not known. */
function widthOf({ layers, axes, directions }: Flow): number {
  let width = 0;
  for (const { layer, weights } of layers) {
    if (["LSTM", "ReverseLSTM", "Bidirectional"].includes(layer.className)) {
      const perDirection = weights[0]!.tensor.shape[1]! / 4;
      width = perDirection * (layer.className === "Bidirectional" ? 2 : 1);
    } else if (weights.length > 0) width = weights[0]!.tensor.shape[1]!;
  }
  return axes.includes("direction") ? width / directions : width;
}

function textOf(node: GraphNode, name: string): string {
  return new TextDecoder().decode(attribute(node, name)?.text);
}
