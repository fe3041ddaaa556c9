// An ONNX graph as a model: each of its nodes in turn, with the file's own axes, as ONNX Runtime has
// them. What depends on no input's numbers is computed beforehand, or of the lengths of a call.

import { quoted } from "../../base/quoted.ts";
import type { OnnxFile } from "../../files/onnx.ts";
import type { OnnxNode, OnnxValue } from "../../files/onnx_schema.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import { Connection } from "../../layers/connection.ts";
import type { LoadedModel } from "../build_model.ts";
import { OLDEST_OPSET } from "./attributes.ts";
import { GraphBuild } from "./build.ts";
import { gateOrderOf } from "./cells.ts";
import { shownNode, UnreadNode } from "./errors.ts";
import { FLOATS, HALVES, WHOLES, WORDS } from "./kinds.ts";
import { constant, type Known, sizeLimit } from "./known.ts";
import { checkNames, neededNodes, reachedInputs, usesOf } from "./names.ts";
import { checkAxes, MAX_AXES } from "./node_layers.ts";
import { QUANTIZED, readNode } from "./operators.ts";
import { openPart, type Result, type Step } from "./step.ts";

/** Opens a graph: recurrent layers with whatever stands around them. */
export function openOnnx(file: OnnxFile): LoadedModel {
  checkOpset(file);
  const { graph, arrays } = file;
  const nodes = graph.nodes ?? [];
  const build = new GraphBuild();
  const values = new Map<string, Result>();
  const kinds = new Map(graph.initializers?.map(({ name, dataType }) => [name ?? "", dataType]));
  for (const [key, tensor] of arrays) {
    values.set(key, constant(key, tensor, WHOLES.includes(Number(kinds.get(key)))));
  }
  const outputs = (graph.outputs ?? []).map(({ name = "" }) => name);
  if (outputs.length === 0 || outputs.includes("")) {
    throw new UnreadableFileError("it must have an output", "the graph has none with a name");
  }
  const needed = neededNodes(nodes, outputs);
  const uses = usesOf(needed, outputs, { numbers: false });
  const inputs = (graph.inputs ?? []).filter(({ name = "" }) => !arrays.has(name));
  checkNames(nodes, new Set([...arrays.keys(), ...inputs.map(({ name = "" }) => name)]));
  for (const input of inputs) {
    if (uses.has(input.name ?? "")) values.set(input.name ?? "", inputOf(input, build));
  }
  const takers = usesOf(needed, outputs, { numbers: true });
  const reading = { values, uses, takers, build, limit: sizeLimit() };
  for (const node of nodes) {
    if (!needed.has(node)) continue;
    const { operands, results } = readChecked(node, file, reading);
    node.outputs?.forEach((key, k) => {
      const result = results[k];
      if (key === "" || result === undefined) return;
      values.set(key, result);
      takers.set(key, takersOf(result, operands, node, reading, key));
    });
  }
  const ends = outputs.map((name) => {
    const end = values.get(name);
    if (end instanceof Connection && end.call !== undefined) return end;
    const rule = "each of its outputs must come out of its layers";
    throw new UnreadableFileError(rule, `the output is ${quoted(name)}`);
  });
  const reached = reachedInputs(ends);
  const isReached = (one: Result | undefined) => one instanceof Connection && reached.has(one);
  return loaded(file, build, {
    inputs: [...build.inputs.keys()].filter(isReached),
    outputs: ends,
    idle: inputs.map(({ name = "" }) => name).filter((name) => !isReached(values.get(name))),
    isHalf: [...inputs.map(({ type }) => type?.tensor?.dataType), ...kinds.values()]
      .some((kind) => HALVES.includes(Number(kind))),
  });
}

/** Throws where the operators are older than those that are read. */
export function checkOpset({ opset }: OnnxFile): void {
  if (opset >= OLDEST_OPSET) return;
  const rule = `its operators must be of opset ${OLDEST_OPSET} or later`;
  throw new UnreadableFileError(rule, `the opset is ${opset}`);
}

/** By how many nodes a result is taken; of what is only seen otherwise, by how many all of it. */
function takersOf(
  result: Result,
  operands: readonly (Result | undefined)[],
  { inputs = [] }: OnnxNode,
  { takers, build }: Reading,
  key: string,
): number {
  const own = takers.get(key) ?? 0;
  if (!(result instanceof Connection)) return own;
  const k = operands.findIndex((one) =>
    one instanceof Connection && build.viewOf(one).of === build.viewOf(result).of
  );
  const before = k < 0 ? 1 : takers.get(inputs[k]!) ?? Infinity;
  return before === 1 ? own : Infinity;
}

function loaded(
  { arrays, opset, producer, graph }: OnnxFile,
  build: GraphBuild,
  found: {
    readonly inputs: readonly Connection[];
    readonly outputs: readonly Connection[];
    readonly idle: readonly string[];
    readonly isHalf: boolean;
  },
): LoadedModel {
  const isDouble = [...arrays.values()].every(({ data }) => data instanceof Float64Array);
  const { inputs, outputs, idle, isHalf } = found;
  const lengths = inputs.map((one) => build.inputs.get(one));
  const keepsFirst = build.agreed(({ shapeOf }) =>
    outputs.every((one) => shapeOf(one)[0] === shapeOf(inputs[0]!)[0])
  );
  const areSamples = !build.isTied && new Set(lengths).size === 1 && keepsFirst !== false;
  return {
    parts: { inputs, outputs, ...(areSamples ? {} : { areSamples }) },
    arrays: { of: ({ layer }) => build.arraysOf(layer) },
    precision: isDouble && arrays.size > 0 ? "float64" : "float32",
    provenance: {
      framework: producer || "ONNX",
      version: `opset ${opset}`,
      gateOrder: gateOrderOf(graph.nodes ?? []),
      notes: [
        "Its inputs and outputs have the file's axes.",
        ...(areSamples
          ? []
          : ["The first axis is not that of samples, each for itself: it is not trained."]),
        ...(isHalf ? ["Its floats of 16 bits are computed in float32."] : []),
        ...(idle.length === 0 ? [] : [`Not taken: its inputs ${idle.join(", ")}.`]),
      ],
    },
  };
}

interface Reading {
  readonly values: ReadonlyMap<string, Result>;
  readonly uses: ReadonlyMap<string, number>;
  readonly takers: ReadonlyMap<string, number>;
  readonly build: GraphBuild;
  readonly limit: (known: Known) => void;
}

function readChecked(node: OnnxNode, file: OnnxFile, reading: Reading) {
  const { type: operator = "", domain = "" } = node;
  const { values, uses, takers, build, limit } = reading;
  const shown = shownNode(node);
  const rule = "each of its nodes must be one that is read";
  if (domain !== "" && domain !== "ai.onnx") {
    const isQuantized = /^(QLinear|Dynamic)|Integer|Quant/.test(operator);
    const advice = isQuantized ? `: ${QUANTIZED}` : "";
    throw new UnreadableFileError(rule, `${shown} of ${quoted(domain)}${advice}`);
  }
  const operands = (node.inputs ?? []).map((key) => {
    if (key === "" || build.lists.has(key)) return undefined;
    const found = values.get(key);
    if (found !== undefined) return found;
    const early = "each node must come after those that it takes from";
    const state = `${operator} ${quoted(node.name ?? "")} takes ${quoted(key)}`;
    throw new UnreadableFileError(early, state);
  });
  const step: Step = {
    node,
    operator,
    opset: file.opset,
    operands,
    takers: (node.inputs ?? []).map((key) => takers.get(key) ?? 0),
    uses: (node.outputs ?? []).map((key) => uses.get(key) ?? 0),
    build,
  };
  try {
    const results = readNode(step, file);
    for (const one of results) {
      if (one === undefined || one instanceof Connection) continue;
      checkAxes(openPart(one).shape.length);
      limit(one);
    }
    return { operands, results };
  } catch (cause) {
    const isOwn = cause instanceof UnreadNode || cause instanceof RangeError ||
      cause instanceof TypeError;
    if (!isOwn) throw cause;
    throw new UnreadableFileError(rule, `${shown}: ${cause.message}`, { cause });
  }
}

function inputOf({ name = "", type }: OnnxValue, build: GraphBuild): Connection {
  const kind = Number(type?.tensor?.dataType);
  const axes = type?.tensor?.shape?.axes;
  const areWords = WORDS.includes(kind);
  if (!areWords && !FLOATS.includes(kind) || axes === undefined || axes.length === 0) {
    const rule = "its inputs must be arrays of floats or of words";
    throw new UnreadableFileError(
      rule,
      `the input ${quoted(name)} is of data type ${kind} and ${axes?.length ?? "unknown"} axes`,
    );
  }
  if (axes.length > MAX_AXES) {
    const rule = `it may have at most ${MAX_AXES} axes`;
    throw new UnreadableFileError(rule, `the count is ${axes.length}`);
  }
  const lengths = axes.map(({ length }) => Number(length ?? 0) > 0 ? Number(length) : null);
  const connection = new Connection(lengths.slice(1), { name });
  build.addInput(
    connection,
    lengths.map((length, k) => length ?? axes[k]!.parameter ?? ""),
    areWords,
  );
  return connection;
}
