// An ONNX graph as a row of layers, followed from its input to its first output.

import { quoted } from "../base/quoted.ts";
import type { OnnxFile } from "../files/onnx.ts";
import type { OnnxNode, OnnxValue } from "../files/onnx_schema.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
import { MAX_UNPACKED_BYTES } from "../files/zip.ts";
import type { OpenShape } from "../layers/layer.ts";
import { type LoadedModel, MAX_LAYERS, rowWithArrays } from "./build_model.ts";
import { type Converted, lettersOf } from "./conversion.ts";
import { OLDEST_OPSET } from "./onnx_attributes.ts";
import { readNode } from "./onnx_operators.ts";
import {
  type AxisName,
  type Flow,
  shownNode,
  UnreadAxes,
  UnreadNode,
  type Value,
} from "./onnx_values.ts";

const FLOATS = [1, 11]; // TensorProto.DataType: float32, float64
const WORDS = [6, 7]; // int32, int64
const MAX_AXES = 8;

/** Opens a graph: LSTMs with what stands around them in classifiers and taggers. */
export function openOnnx(file: OnnxFile): LoadedModel {
  checkOpset(file);
  const input = inputOf(file);
  const shape = shapeOf(input);
  const isWords = WORDS.includes(Number(input.type?.tensor?.dataType));
  const rest: AxisName[] = isWords ? [] : ["feature"];
  // The first two axes are told apart by what the graph does with them.
  const orders: AxisName[][] = [["batch", "time", ...rest], ["time", "batch", ...rest]];
  let found: Flow | undefined;
  let refused: unknown;
  for (const axes of orders) {
    try {
      found = follow(file, { name: input.name ?? "", axes });
      return loadedModel(file, found, { axes, shape });
    } catch (error) {
      if (!(error instanceof UnreadableFileError) || !(error.cause instanceof UnreadAxes)) {
        throw error;
      }
      refused ??= error;
    }
  }
  throw refused;
}

/** Throws where the operators are older than those that are read. */
export function checkOpset({ opset }: OnnxFile): void {
  if (opset >= OLDEST_OPSET) return;
  const rule = `its operators must be of opset ${OLDEST_OPSET} or later`;
  throw new UnreadableFileError(rule, `the opset is ${opset}`);
}

/** Runs the graph on axes instead of numbers, and returns what its first output is. */
function follow(
  { graph, arrays, attributes, opset }: OnnxFile,
  input: { name: string; axes: AxisName[] },
): Flow {
  const values = new Map<string, Value>();
  for (const [key, tensor] of arrays) values.set(key, { kind: "constant", name: key, tensor });
  const { axes } = input;
  values.set(input.name, { kind: "flow", axes, directions: 1, layers: [], isInput: true });
  const wanted = graph.outputs?.[0]?.name || refuseWithoutOutput();
  const needed = neededNodes(graph.nodes ?? [], wanted);
  checkNames(graph.nodes ?? [], values);
  const limits = sizeLimits();
  for (const node of graph.nodes ?? []) {
    if (!needed.has(node)) continue;
    const inputs = (node.inputs ?? []).map((key) =>
      key === "" ? undefined : values.get(key) ?? missing(key, node)
    );
    const results = readChecked(node, inputs, opset, attributes);
    results.forEach(limits);
    node.outputs?.forEach((key, k) => {
      if (key !== "") values.set(key, results[k] ?? { kind: "beside" });
    });
  }
  const result = values.get(wanted);
  if (result?.kind === "flow" && result.layers.length > 0) return result;
  const rule = "its first output must come out of its layers";
  throw new UnreadableFileError(rule, `the output is ${quoted(wanted)}`);
}

/** Throws where two nodes, or a node and an array, have a result of one name. */
function checkNames(
  nodes: readonly OnnxNode[],
  given: ReadonlyMap<string, Value>,
): void {
  const seen = new Set(given.keys());
  for (const key of nodes.flatMap(({ outputs = [] }) => outputs)) {
    if (seen.has(key)) {
      const state = `the name ${quoted(key)} occurs twice`;
      throw new UnreadableFileError("each result of a node needs its own name", state);
    }
    if (key !== "") seen.add(key);
  }
}

function refuseWithoutOutput(): never {
  throw new UnreadableFileError("it must have an output", "the graph has none with a name");
}

/** Throws where a graph makes much of little: nodes may take one array again and again. */
function sizeLimits(): (value: Value) => void {
  const counted = new Set<Converted>();
  let bytes = 0;
  const atMost = (count: number, most: number, what: string) => {
    if (count <= most) return;
    throw new UnreadableFileError(`it may have at most ${most} ${what}`, `the count is ${count}`);
  };
  return (value) => {
    if (value.kind !== "flow") return;
    atMost(value.layers.length, MAX_LAYERS, "layers");
    atMost(value.axes.length, MAX_AXES, "axes");
    for (const array of value.layers.at(-1)?.weights ?? []) {
      if (!counted.has(array)) bytes += array.tensor.data.byteLength;
      counted.add(array);
    }
    atMost(bytes, MAX_UNPACKED_BYTES, "bytes of weights");
  };
}

function readChecked(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  opset: number,
  attributes: OnnxFile["attributes"],
): Value[] {
  const { type: operator = "", domain = "" } = node;
  const shown = shownNode(node);
  const rule = "each of its nodes must be one that a row of layers has";
  if (domain !== "" && domain !== "ai.onnx") {
    throw new UnreadableFileError(rule, `${shown} of ${quoted(domain)}`);
  }
  try {
    return readNode({ node, operator, inputs, opset }, attributes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const kind = cause instanceof UnreadNode || cause instanceof RangeError;
    if (!kind) throw cause;
    throw new UnreadableFileError(rule, `${shown}: ${reason}`, { cause });
  }
}

/** The nodes that lead to an output; the others may be anything. */
function neededNodes(nodes: readonly OnnxNode[], output: string): Set<OnnxNode> {
  const makers = new Map(nodes.flatMap((node) => (node.outputs ?? []).map((key) => [key, node])));
  const needed = new Set<OnnxNode>();
  const open = [output];
  while (open.length > 0) {
    const maker = makers.get(open.pop()!);
    if (maker === undefined || needed.has(maker)) continue;
    needed.add(maker);
    open.push(...maker.inputs ?? []);
  }
  return needed;
}

function loadedModel(
  { arrays, graph, opset, producer }: OnnxFile,
  flow: Flow,
  { axes, shape }: { axes: AxisName[]; shape: OpenShape },
): LoadedModel {
  const order: AxisName[] = flow.axes.filter((axis) => axis !== "one");
  const isKnown = order.every((axis, k) => order.indexOf(axis) === k) &&
    order.includes("feature") &&
    order.includes("batch");
  const isTurned = order.indexOf("feature") < Math.max(...["direction", "time"].map((axis) => {
    return order.indexOf(axis as AxisName);
  }));
  if (!isKnown || isTurned) {
    const rule = "its first output must have a batch and features";
    throw new UnreadableFileError(rule, `the axes are [${flow.axes}]`);
  }
  const size = flow.layers[0]!.weights[0]?.tensor.shape[0] ?? null;
  const timesteps = shape[axes.indexOf("time")] ?? null;
  const isDouble = [...arrays.values()].every(({ data }) => data instanceof Float64Array);
  const others = (graph.outputs ?? []).slice(1).map((output) => output.name);
  const shown = (names: readonly string[]) => `[${names.join(", ")}]`;
  return {
    ...rowWithArrays(flow.layers),
    inputShape: axes.includes("feature") ? [timesteps, size] : [timesteps],
    precision: isDouble ? "float64" : "float32",
    provenance: {
      framework: producer || "ONNX",
      version: `opset ${opset}`,
      gateOrder: lettersOf("onnx"),
      notes: [
        ...(axes[0] === "time"
          ? [`The file's input is ${shown(axes)}; here it is batch first.`]
          : []),
        ...(flow.axes[0] === "batch" && !flow.axes.includes("direction") ? [] : [
          `The file's output is ${shown(flow.axes)}; here it is batch first, directions joined.`,
        ]),
        ...(others.length > 0 ? [`Not predicted: its other outputs, ${others.join(", ")}.`] : []),
      ],
    },
  };
}

/** The one input that is no initializer. */
function inputOf({ graph, arrays }: OnnxFile): OnnxValue {
  const inputs = (graph.inputs ?? []).filter((input) => !arrays.has(input.name ?? ""));
  const taken = new Set(graph.nodes?.flatMap((node) => node.inputs ?? []));
  const used = inputs.filter((input) => taken.has(input.name ?? ""));
  const kind = Number(used[0]?.type?.tensor?.dataType);
  const axes = used[0]?.type?.tensor?.shape?.axes?.length;
  const fits = FLOATS.includes(kind) && axes === 3 || WORDS.includes(kind) && axes === 2;
  if (used.length !== 1 || !fits) {
    const shown = used.map((input) => `${input.name} [${shapeOf(input)}]`).join(", ") || "none";
    const initial = used.length > 1 ? " (initial states are not read)" : "";
    const rule = "it must have one input, of sequences of floats or of words" + initial;
    throw new UnreadableFileError(rule, `the inputs are ${shown}`);
  }
  return used[0]!;
}

/** The lengths of an input's axes, null where they are open. */
function shapeOf({ type }: OnnxValue): OpenShape {
  const axes = type?.tensor?.shape?.axes ?? [];
  return axes.map(({ length }) => Number(length ?? 0) > 0 ? Number(length) : null);
}

function missing(key: string, node: OnnxNode): never {
  const rule = "each node must come after those that it takes from";
  const state = `${node.type} ${quoted(node.name ?? "")} takes ${quoted(key)}`;
  throw new UnreadableFileError(rule, state);
}
