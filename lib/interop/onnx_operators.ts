// Each operator of a graph, as layers: what it takes and what it makes of it.

import { quoted } from "../base/quoted.ts";
import { type Activation, getActivation } from "../values/activations.ts";
import { embedding } from "../layers/embedding.ts";
import { taken } from "./conversion.ts";
import { operatorActivation } from "./onnx_activation.ts";
import { activated, addBias, gated, gemm, matMul } from "./onnx_dense.ts";
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
import { checkAttributes, floatOf, intOf, tensorOf, textOf } from "./onnx_attributes.ts";
import { constantOf, type Flow, type GraphNode, UnreadNode, type Value } from "./onnx_values.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { OnnxTensor } from "../files/onnx_schema.ts";

/** The operators that are read, for messages. */
export const KNOWN_OPERATORS: string =
  "LSTM, MatMul, Gemm, Add, Gather, activations, and those that turn, drop or join axes";

const CAST_FLOATS = [1, 11]; // TensorProto.DataType: float32, float64
const CAST_WORDS = [6, 7]; // int32, int64

/** Operators whose second input may come from the layers. */
const TAKES_SECOND = ["Add", "Gather", "MatMul"];

/** Operators that compute a model's result on their own, whatever they take. */
export const WHOLE: ReadonlyMap<string, string> = new Map([
  ["GRU", "of the recurrent layers, LSTM is read"],
  ["RNN", "of the recurrent layers, LSTM is read"],
  ["Loop", "loops are not read (tf2onnx writes masks, GRUs and other cells as loops)"],
  ["Scan", "loops are not read (converters write masks and other cells as loops)"],
  ["If", "branches are not read (PyTorch writes squeeze() without an axis as one)"],
]);

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
  if (WHOLE.has(operator)) throw new UnreadNode(WHOLE.get(operator));
  checkAttributes(node);
  if (operator === "LSTM") return readLstm(node);
  if (operator === "Constant") return [constantNode(node, tensors)];
  if (operator === "Concat" && flows.length > 0) return [joinStates(node)];
  if (operator === "Gather" && inputs[0]?.kind === "states") return [pickState(inputs[0], node)];
  if (flow === undefined) return [aside(node, tensors)];
  if (flows.length > 1) return [gated(flows, node)];
  if (inputs[0] !== flow && !TAKES_SECOND.includes(operator)) {
    throw new UnreadNode("its first input must come from the layers");
  }
  if (MERGE_OPERATORS.includes(operator)) return [mergeDirections(flow, node)];
  switch (operator) {
    case "Identity":
      return [flow];
    case "Dropout":
      if (inputs[2] !== undefined && !isZeroConstant(inputs[2])) {
        throw new UnreadNode("it always trains");
      }
      return [flow];
    case "Cast":
      checkCast(flow, node);
      return [flow];
    case "Shape":
      return [{
        kind: "sizes",
        sizes: flow.axes.map((axis) => sizeOfAxis(flow, axis))
          .slice(intOf(node, "start", 0), intOf(node, "end", Infinity)), // as Python slices
      }];
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
      if (intOf(node, "allowzero", 0) !== 0) throw new UnreadNode("it has allowzero");
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
        alpha: floatOf(node, "alpha"),
        beta: floatOf(node, "beta"),
      };
      const found = operator === "Gelu" ? gelu(node) : operatorActivation(operator, options);
      if (found === undefined) throw new UnreadNode(`operators are ${KNOWN_OPERATORS}`);
      if (operator.endsWith("oftmax")) checkSoftmaxAxis(flow, node, opset);
      return [activated(flow, found)];
    }
  }
}

/** Words stay whole numbers, results floats; another kind would cut them off. */
function checkCast({ isInput, axes }: Flow, node: GraphNode): void {
  const to = intOf(node, "to", 0);
  const areWords = isInput && !axes.includes("feature");
  if (!(areWords ? CAST_WORDS : CAST_FLOATS).includes(to)) {
    throw new UnreadNode(`it turns ${areWords ? "words" : "floats"} into data type ${to}`);
  }
}

function isZeroConstant(value: Value): boolean {
  return value.kind === "constant" && value.tensor.data.every((x) => x === 0);
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
  const isZero = first?.kind === "zeros" || first !== undefined && isZeroConstant(first);
  const others = operator === "Concat" ? inputs.every((value) => value?.kind === "zeros") : true;
  return { kind: keepsZeros.includes(operator) && isZero && others ? "zeros" : "beside" };
}

function constantNode(node: GraphNode, tensors: AttributeTensors): Value {
  const raw = tensorOf(node, "value");
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

/** The activation of a Gelu. */
export function gelu(node: GraphNode): Activation {
  const approximate = textOf(node, "approximate", "none");
  if (approximate === "none" || approximate === "tanh") {
    return getActivation("gelu", { approximate: approximate === "tanh" });
  }
  throw new UnreadNode(
    `its approximate must be none or tanh: it is ${quoted(approximate)}`,
  );
}
