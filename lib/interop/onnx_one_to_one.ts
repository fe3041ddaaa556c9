// An ONNX graph node by node: each a layer of a model of any shape, with the file's own axes, as
// ONNX Runtime has them. What depends on no input's numbers is computed beforehand, or of the
// lengths of a call.

import { quoted } from "../base/quoted.ts";
import type { OnnxFile } from "../files/onnx.ts";
import type { OnnxNode, OnnxTensor, OnnxValue } from "../files/onnx_schema.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
import { Connection } from "../layers/connection.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LoadedModel } from "./build_model.ts";
import { lettersOf } from "./conversion.ts";
import {
  activate,
  clip,
  combine,
  gemm,
  matMul,
  normalizeChannels,
  normalizeRows,
  power,
  reduce,
  unary,
} from "./onnx_arithmetic.ts";
import {
  checkAttributes,
  floatOf,
  hasAttribute,
  intOf,
  intsOf,
  tensorOf,
} from "./onnx_attributes.ts";
import { foldOf, TRUTHS } from "./onnx_folding.ts";
import {
  computed,
  constant,
  constantPart,
  constantTensor,
  filled,
  isConstant,
  type Known,
  lengthsOf,
  listed,
  type Part,
  sizeLimit,
  unknownRank,
} from "./onnx_known.ts";
import {
  changeAxes,
  concat,
  expand,
  gather,
  pad,
  reshape,
  reverseSequence,
  slice,
  split,
  tile,
  transpose,
  where,
} from "./onnx_movements.ts";
import { checkAxes } from "./onnx_node_layers.ts";
import { WHOLE } from "./onnx_operators.ts";
import { recur } from "./onnx_recurrent.ts";
import { connectionOf, GraphBuild, openPart, type Result, type Step } from "./onnx_step.ts";
import { shownNode, UnreadNode, type Value } from "./onnx_values.ts";
import { convolve, pool, poolAll } from "./onnx_windows.ts";

type Read = (step: Step) => (Result | undefined)[];

/** Each operator over what comes from the inputs. */
const OPERATORS: Readonly<Record<string, Read>> = {
  LSTM: recur,
  MatMul: matMul,
  Gemm: gemm,
  Add: combine,
  Sum: combine,
  Mean: combine,
  Sub: combine,
  Mul: combine,
  Div: combine,
  Max: combine,
  Min: combine,
  PRelu: combine,
  Neg: unary,
  Sqrt: unary,
  Reciprocal: unary,
  Exp: unary,
  Log: unary,
  Abs: unary,
  Erf: unary,
  Pow: power,
  Clip: clip,
  Reshape: reshape,
  Squeeze: changeAxes,
  Unsqueeze: changeAxes,
  Flatten: changeAxes,
  Transpose: transpose,
  Concat: concat,
  Slice: slice,
  Split: split,
  Gather: gather,
  Expand: expand,
  Tile: tile,
  Where: where,
  Pad: pad,
  ReverseSequence: reverseSequence,
  ReduceMean: reduce,
  ReduceSum: reduce,
  ReduceMax: reduce,
  ReduceMin: reduce,
  ReduceProd: reduce,
  LayerNormalization: normalizeRows,
  BatchNormalization: normalizeChannels,
  Conv: convolve,
  MaxPool: pool,
  AveragePool: pool,
  GlobalAveragePool: poolAll,
  GlobalMaxPool: poolAll,
  Identity: (step) => [connectionOf(step, 0)],
  Dropout: (step) => [connectionOf(step, 0)],
  Cast: (step) => [castOf(step)],
  Shape: (step) => [shapeOf(step)],
  Size: (step) => {
    const x = connectionOf(step, 0);
    const fold = foldOf("Size")!;
    const shape = lengthsOf("", x, 0, Infinity);
    return [
      computed(
        nameOf(step),
        [shape],
        true,
        ([of]) => fold([{ shape: [...of!.data!], data: undefined }], step, true)[0]!,
      ),
    ];
  },
};

const FLOATS = [1, 10, 11, 16]; // TensorProto.DataType: float32, float16, float64, bfloat16
const WHOLES = [2, 3, 4, 5, 6, 7, 9, 12, 13]; // integers and truth values
const WORDS = [2, 3, 4, 5, 6, 7, 12, 13];

/** Opens a graph whatever its shape. */
export function openNodes(file: OnnxFile): LoadedModel {
  const { graph, arrays } = file;
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
  const needed = neededNodes(graph.nodes ?? [], outputs);
  const used = new Set([...needed].flatMap(({ inputs = [] }) => inputs).concat(outputs));
  const inputs = (graph.inputs ?? []).filter(({ name = "" }) => !arrays.has(name));
  const taken = inputs.filter(({ name = "" }) => used.has(name));
  checkNames(
    graph.nodes ?? [],
    new Set([...arrays.keys(), ...inputs.map(({ name = "" }) => name)]),
  );
  const connections = taken.map((input) => {
    const connection = inputOf(input, build);
    values.set(input.name ?? "", connection);
    return connection;
  });
  const uses = usesOf(needed, outputs);
  const limit = sizeLimit();
  for (const node of graph.nodes ?? []) {
    if (!needed.has(node)) continue;
    const results = readChecked(node, file, { values, uses, build, limit });
    node.outputs?.forEach((key, k) => {
      const result = results[k];
      if (key === "" || result === undefined) return;
      values.set(key, result);
      if (!(result instanceof Connection)) return;
      const more = uses.get(key) ?? 0;
      build.uses.set(result, (build.uses.get(result) ?? 0) + more);
    });
  }
  const ends = outputs.map((name) => {
    const end = values.get(name);
    if (end instanceof Connection && end.call !== undefined) return end;
    const rule = "each of its outputs must come out of its layers";
    throw new UnreadableFileError(rule, `the output is ${quoted(name)}`);
  });
  const reached = reachedInputs(ends);
  const idle = inputs.filter(({ name = "" }) => {
    const connection = values.get(name);
    return !(connection instanceof Connection) || !reached.has(connection);
  });
  return loaded(file, build, {
    inputs: connections.filter((one) => reached.has(one)),
    outputs: ends,
    idle: idle.map(({ name = "" }) => name),
    isHalf: [...inputs.map(({ type }) => type?.tensor?.dataType), ...kinds.values()]
      .some((kind) => [10, 16].includes(Number(kind))),
  });
}

function loaded(
  { arrays, opset, producer }: OnnxFile,
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
  const lengths = inputs.map((one) => build.given.get(one) ?? build.symbols.get(one) ?? "");
  const areSamples = !build.isTied && new Set(lengths).size === 1;
  return {
    parts: { inputs, outputs, ...(areSamples ? {} : { areSamples }) },
    arrays: { of: ({ layer }) => build.arraysOf(layer) },
    precision: isDouble && arrays.size > 0 ? "float64" : "float32",
    provenance: {
      framework: producer || "ONNX",
      version: `opset ${opset}`,
      gateOrder: lettersOf("onnx"),
      notes: [
        "Its nodes are layers one to one, its inputs and outputs have the file's axes.",
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
  readonly build: GraphBuild;
  readonly limit: (known: Known) => void;
}

function readChecked(node: OnnxNode, file: OnnxFile, reading: Reading): (Result | undefined)[] {
  const { type: operator = "", domain = "" } = node;
  const shown = shownNode(node);
  const rule = "each of its nodes must be one that is read";
  if (domain !== "" && domain !== "ai.onnx") {
    throw new UnreadableFileError(rule, `${shown} of ${quoted(domain)}`);
  }
  const operands = (node.inputs ?? []).map((key) => {
    if (key === "") return undefined;
    const found = reading.values.get(key);
    if (found !== undefined) return found;
    const early = "each node must come after those that it takes from";
    throw new UnreadableFileError(
      early,
      `${operator} ${quoted(node.name ?? "")} takes ${quoted(key)}`,
    );
  });
  try {
    const results = readNode(
      {
        node,
        operator,
        opset: file.opset,
        operands,
        inputs: operands.map(asValue),
        uses: (node.outputs ?? []).map((key) => reading.uses.get(key) ?? 0),
        build: reading.build,
      },
      file,
    );
    for (const one of results) {
      if (one === undefined || one instanceof Connection) continue;
      checkAxes(openPart(one).shape.length);
      reading.limit(one);
    }
    return results;
  } catch (cause) {
    const isOwn = cause instanceof UnreadNode || cause instanceof RangeError ||
      cause instanceof TypeError;
    if (!isOwn) throw cause;
    throw new UnreadableFileError(rule, `${shown}: ${cause.message}`, { cause });
  }
}

function readNode(step: Step, file: OnnxFile): (Result | undefined)[] {
  const { operator, operands } = step;
  if (WHOLE.has(operator)) throw new UnreadNode(WHOLE.get(operator));
  checkAttributes(step);
  if (operator === "Constant") return [constantNode(step, file)];
  if (operator === "ConstantOfShape") return [constantOfShape(step, file)];
  const drops = operands[2];
  if (operator === "Dropout" && drops !== undefined) checkDrops(drops);
  const read = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator]! : activate;
  if (operands.some((one) => one instanceof Connection)) return read(step);
  const isFolded = operator === "Cast" || foldOf(operator) !== undefined;
  return isFolded
    ? folded(step, operands as readonly (Known | undefined)[])
    : read(withConnections(step, operands as readonly (Known | undefined)[]));
}

/** What a layer computes of constants alone: the first of them comes out of a layer, too. */
function withConnections(step: Step, operands: readonly (Known | undefined)[]): Step {
  const { build } = step;
  const [anchor] = build.firstAxes.keys(); // any input
  if (anchor === undefined) throw new UnreadNode("it computes with constants alone");
  return {
    ...step,
    operands: operands.map((one, k) => {
      if (one === undefined || k > 0 && isConstant(one)) return one;
      return build.operate("Constant", [anchor, one], {
        shapes: ([, known]) => [known!.shape],
        run: (_, [, known]) => [known!.value],
      })[0]!;
    }),
  };
}

/** What depends on no input's numbers. */
function folded(step: Step, operands: readonly (Known | undefined)[]): Known[] {
  const { operator, node } = step;
  const there = operands.filter((one) => one !== undefined);
  const areWhole = there.every((one) => one.isWhole);
  const make = (isWhole: boolean, fold: (parts: readonly (Part | undefined)[]) => Part[]) =>
    (node.outputs ?? [""]).map((name, k) => {
      const known = computed(name, there, isWhole, (parts) => {
        const all = operands.map((one) => one && parts[there.indexOf(one)]);
        const found = fold(all)[k];
        if (found === undefined) throw new UnreadNode(`it has no result ${k}`);
        return found;
      });
      const moved = operator === "Concat" ? there : there.slice(0, 1);
      return MOVING.includes(operator) && moved.every(areZeros) ? { ...known, zeros: true } : known;
    });
  if (operator === "Cast") {
    const to = intOf(step, "to", 0);
    const isWhole = WHOLES.includes(to);
    if (!isWhole && !FLOATS.includes(to)) throw new UnreadNode(`it casts to data type ${to}`);
    const f = to === 9
      ? (x: number) => Number.isNaN(x) ? NaN : Number(x !== 0)
      : isWhole
      ? Math.trunc
      : (x: number) => x;
    return make(isWhole, ([x]) => [{ shape: x!.shape, data: x!.data?.map(f) }]);
  }
  const fold = foldOf(operator);
  if (fold === undefined) {
    throw new UnreadNode("it computes with constants alone, and is none of those that are read so");
  }
  const isWhole = TRUTHS.includes(operator) || ["Shape", "Size"].includes(operator) ||
    (["Gather", "Slice", "Reshape", "Expand", "Squeeze", "Unsqueeze", "Split", "Dropout"]
        .includes(operator)
      ? there[0]!.isWhole
      : operator === "Where"
      ? there.slice(1).every((one) => one.isWhole)
      : areWhole);
  return make(isWhole, (parts) => fold(parts, step, areWhole));
}

/** Operators whose results are zeros where what they move is. */
const MOVING = [
  "Concat",
  "Expand",
  "Slice",
  "Unsqueeze",
  "Squeeze",
  "Gather",
  "Reshape",
  "Cast",
  "Identity",
  "Transpose",
  "Split",
];

function areZeros(known: Known): boolean {
  return known.zeros === true ||
    isConstant(known) && constantPart(known).data.every((value) => value === 0);
}

function constantNode(step: Step, file: OnnxFile): Known {
  const name = nameOf(step);
  const raw = tensorOf(step, "value");
  if (raw !== undefined) {
    const tensor = file.attributes.get(raw)!;
    return constant(name, tensor, WHOLES.includes(Number(raw.dataType)));
  }
  const part = (numbers: readonly number[], shape: readonly number[]): Part => ({
    shape,
    data: Float64Array.from(numbers),
  });
  const [float, floats] = [floatOf(step, "value_float"), hasAttribute(step, "value_floats")];
  if (float !== undefined) return computed(name, [], false, () => part([float], []));
  if (floats) {
    const list = step.node.attributes!.find((one) => one.name === "value_floats")!.floats ?? [];
    return computed(name, [], false, () => listed(list));
  }
  if (hasAttribute(step, "value_int")) {
    return computed(name, [], true, () => part([intOf(step, "value_int", 0)], []));
  }
  if (hasAttribute(step, "value_ints")) {
    return computed(name, [], true, () => listed(intsOf(step, "value_ints", NaN)!));
  }
  throw new UnreadNode("a Constant must have a value that is a number or an array");
}

function constantOfShape(step: Step, file: OnnxFile): Known {
  const [shape] = step.operands;
  if (shape === undefined || shape instanceof Connection) {
    throw new UnreadNode("its shape must not depend on the inputs' numbers");
  }
  const raw: OnnxTensor | undefined = tensorOf(step, "value");
  const value: Tensor | undefined = raw && file.attributes.get(raw);
  const number = value?.data[0] ?? 0;
  const isWhole = raw !== undefined && WHOLES.includes(Number(raw.dataType));
  const known = computed(nameOf(step), [shape], isWhole, ([wanted]) =>
    filled(
      wanted!.data === undefined
        ? new Array<number>(unknownRank(wanted!)).fill(NaN)
        : [...wanted!.data],
      () => number,
    ));
  return number === 0 ? { ...known, zeros: true } : known;
}

function checkDrops(drops: Result): void {
  const isOff = !(drops instanceof Connection) && isConstant(drops) &&
    constantPart(drops).data.every((value) => value === 0);
  if (!isOff) throw new UnreadNode("it always trains");
}

/** Words stay whole numbers, results floats; another kind would cut them off. */
function castOf(step: Step): Connection {
  const [x, to] = [connectionOf(step, 0), intOf(step, "to", 0)];
  if (step.build.words.has(x)) {
    if (WORDS.includes(to) || FLOATS.includes(to)) return x;
  } else if (FLOATS.includes(to)) return x;
  else if (x.call === undefined && WORDS.includes(to)) { // floats that are words: checked at the table
    step.build.words.add(x);
    return x;
  }
  const what = step.build.words.has(x) ? "words" : "floats";
  throw new UnreadNode(`it turns ${what} into data type ${to}`);
}

function shapeOf(step: Step): Known {
  const end = hasAttribute(step, "end") ? intOf(step, "end", 0) : Infinity;
  return lengthsOf(nameOf(step), connectionOf(step, 0), intOf(step, "start", 0), end);
}

function nameOf({ node }: Step): string {
  return node.outputs?.[0] ?? "";
}

/** A result as attributes and arrays are read from it. */
function asValue(operand: Result | undefined): Value | undefined {
  if (operand === undefined) return undefined;
  if (operand instanceof Connection || !isConstant(operand)) return { kind: "beside" };
  return { kind: "constant", name: operand.name, tensor: constantTensor(operand) };
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
  if (axes.length > 8) {
    const rule = "it may have at most 8 axes";
    throw new UnreadableFileError(rule, `the count is ${axes.length}`);
  }
  const lengths = axes.map(({ length }) => Number(length ?? 0) > 0 ? Number(length) : null);
  const connection = new Connection(lengths.slice(1), { name });
  if (areWords) build.words.add(connection);
  build.firstAxes.set(connection, 0);
  if (lengths[0] !== null) build.given.set(connection, lengths[0]!);
  else if (axes[0]?.parameter) build.symbols.set(connection, axes[0].parameter);
  return connection;
}

/** The nodes that lead to the outputs; the others may be anything. */
function neededNodes(nodes: readonly OnnxNode[], outputs: readonly string[]): Set<OnnxNode> {
  const makers = new Map(nodes.flatMap((node) => (node.outputs ?? []).map((key) => [key, node])));
  const needed = new Set<OnnxNode>();
  const open = [...outputs];
  while (open.length > 0) {
    const maker = makers.get(open.pop()!);
    if (maker === undefined || needed.has(maker)) continue;
    needed.add(maker);
    open.push(...maker.inputs ?? []);
  }
  return needed;
}

/** How often each name is taken. */
function usesOf(nodes: Iterable<OnnxNode>, outputs: readonly string[]): Map<string, number> {
  const uses = new Map<string, number>();
  const names = [...nodes].flatMap(({ inputs = [] }) => inputs).concat(outputs);
  for (const name of names) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}

/** Throws where two nodes, or a node and an array or an input, have a result of one name. */
function checkNames(nodes: readonly OnnxNode[], given: ReadonlySet<string>): void {
  const seen = new Set(given);
  for (const key of nodes.flatMap(({ outputs = [] }) => outputs)) {
    if (seen.has(key)) {
      const state = `the name ${quoted(key)} occurs twice`;
      throw new UnreadableFileError("each result of a node needs its own name", state);
    }
    if (key !== "") seen.add(key);
  }
}

/** The inputs that outputs depend on. */
function reachedInputs(outputs: readonly Connection[]): Set<Connection> {
  const [inputs, seen] = [new Set<Connection>(), new Set<object>()];
  const open = [...outputs];
  while (open.length > 0) {
    const one = open.pop()!;
    if (one.call === undefined) inputs.add(one);
    else if (!seen.has(one.call)) {
      seen.add(one.call);
      open.push(...one.call.inputs);
    }
  }
  return inputs;
}
