// The recurrent nodes of an ONNX graph alone, whatever stands around them: each needs its weights to
// be constant.

import type { OnnxFile } from "../../files/onnx.ts";
import type { OnnxNode } from "../../files/onnx_schema.ts";
import { Connection } from "../../layers/connection.ts";
import { checkAttributes } from "./attributes.ts";
import { GraphBuild } from "./build.ts";
import { gateOrderOf, isZero, RECURRENT } from "./cells.ts";
import { shownNode, UnreadNode } from "./errors.ts";
import { checkOpset } from "./graph.ts";
import { WHOLES } from "./kinds.ts";
import { constant, type Known, sizeLimit } from "./known.ts";
import { checkNames, neededNodes, OF_LENGTHS } from "./names.ts";
import { readNode } from "./operators.ts";
import { recurrentOperator } from "./recurrent.ts";
import { isGiven, type Step } from "./step.ts";
import { inputOfNode } from "../python_lines.ts";
import type { RecurrentPart, RecurrentParts } from "../recurrent_part.ts";

/** Each LSTM, GRU and RNN of the graph: its whole sequence, the batch first. */
export function onnxRecurrent(file: OnnxFile): RecurrentParts {
  checkOpset(file);
  const { arrays, opset, producer } = file;
  const graph = new AloneGraph(file);
  const parts: RecurrentPart[] = [];
  const unread: string[] = [];
  for (const node of graph.recurrent) {
    try {
      parts.push(partOf(node, graph));
    } catch (error) {
      if (!isReason(error)) throw error;
      unread.push(`${shownNode(node)}: ${error.message}`);
    }
  }
  const isDouble = [...arrays.values()].every(({ data }) => data instanceof Float64Array);
  return {
    parts,
    unread,
    precision: isDouble && arrays.size > 0 ? "float64" : "float32",
    provenance: {
      framework: producer || "ONNX",
      version: `opset ${opset}`,
      gateOrder: gateOrderOf(file.graph.nodes ?? []),
      notes: ["Input and result are [batch, timesteps, …], whatever the layout of the file."],
    },
  };
}

/** Whether an error says that a node is not read. */
function isReason(error: unknown): error is Error {
  return error instanceof UnreadNode || error instanceof RangeError || error instanceof TypeError;
}

function partOf(node: OnnxNode, graph: AloneGraph): RecurrentPart {
  const step = graph.stepOf(node);
  checkAttributes(step);
  const { inputs = [] } = node;
  const { make, arrays, inputSize, form, isReversed } = recurrentOperator(step);
  const states = inputs.slice(5, 5 + form.kinds).filter((name) => name !== "");
  const takesStates = states.some((name) => !graph.areZeros(name));
  const lengths = inputs[4] ?? "";
  const isMasked = lengths !== "" && graph.dependsOnNumbers(lengths);
  const [x = ""] = inputs;
  const given = [
    x,
    ...(takesStates ? states : []),
    ...(isMasked ? [lengths] : []),
  ];
  return {
    name: node.name || (node.outputs?.find((name) => name !== "") ?? ""),
    layer: make({ returnSequences: true, returnState: false, isMasked }),
    weights: arrays.flat(),
    inputShape: [graph.lengthOf(x, form.batchFirst ? 1 : 0), inputSize],
    input: inputOfNode(given, form.batchFirst),
    takesStates,
    mask: isMasked ? "input" : undefined,
    isTurned: isReversed,
    notes: [
      ...(takesStates ? ["Its first states are inputs of its own, after x: [batch, units]."] : []),
      ...(isMasked
        ? ["Which steps count is an input of its own, the mask: 1 up to a sample's length."]
        : []),
    ],
  };
}

/** Operators that only bring the numbers of their first input to other places. */
const MOVING = [
  "Expand",
  "Unsqueeze",
  "Squeeze",
  "Reshape",
  "Transpose",
  "Slice",
  "Gather",
  "Cast",
];

/** What is known of a graph's names without its inputs. */
class AloneGraph {
  /** The recurrent nodes, in the order of the file. */
  readonly recurrent: readonly OnnxNode[];
  readonly #build = new GraphBuild();
  readonly #makers: ReadonlyMap<string, OnnxNode>;
  readonly #constants = new Map<string, Known>();

  constructor(readonly file: OnnxFile) {
    const { graph, arrays } = file;
    const nodes = graph.nodes ?? [];
    checkNames(nodes, new Set(arrays.keys()));
    this.recurrent = nodes.filter(({ type = "", domain = "" }) =>
      RECURRENT.includes(type) && (domain === "" || domain === "ai.onnx")
    );
    this.#makers = new Map(
      nodes.flatMap((node) => (node.outputs ?? []).map((key) => [key, node] as const)),
    );
    const kinds = new Map(graph.initializers?.map(({ name, dataType }) => [name ?? "", dataType]));
    for (const [key, tensor] of arrays) {
      this.#constants.set(key, constant(key, tensor, WHOLES.includes(Number(kinds.get(key)))));
    }
    const wanted = this.recurrent.flatMap(({ inputs = [] }) => inputs.slice(1));
    const needed = neededNodes(nodes, wanted);
    const limit = sizeLimit();
    for (const node of nodes) if (needed.has(node)) this.#fold(node, limit);
  }

  /** Computes a node of constants. */
  #fold(node: OnnxNode, limit: (known: Known) => void): void {
    const names = (node.inputs ?? []).filter((name) => name !== "");
    if (RECURRENT.includes(node.type ?? "") || !names.every((name) => this.#constants.has(name))) {
      return;
    }
    try {
      readNode(this.stepOf(node), this.file).forEach((result, k) => {
        if (!isGiven(result)) return;
        limit(result);
        this.#constants.set(node.outputs?.[k] ?? "", result);
      });
    } catch (error) {
      if (!isReason(error)) throw error; // a node that is not read makes no constant
    }
  }

  stepOf(node: OnnxNode): Step {
    const { inputs = [], outputs = [], type = "" } = node;
    const x = new Connection([null, null], {});
    return {
      node,
      operator: type,
      opset: this.file.opset,
      operands: inputs.map((name) => {
        if (name === "") return undefined;
        return this.#constants.get(name) ?? x;
      }),
      takers: inputs.map(() => 1),
      uses: outputs.map(() => 1),
      build: this.#build,
    };
  }

  /** Whether a result depends on numbers that come in, and not on their lengths alone. */
  dependsOnNumbers(name: string): boolean {
    const open = [name];
    const seen = new Set<string>();
    while (open.length > 0) {
      const key = open.pop()!;
      if (key === "" || seen.has(key) || this.#constants.has(key)) continue;
      seen.add(key);
      const maker = this.#makers.get(key);
      if (maker === undefined || (maker.inputs ?? []).length === 0) return true;
      if (!OF_LENGTHS.includes(maker.type ?? "")) open.push(...maker.inputs ?? []);
    }
    return false;
  }

  /** Whether a result is of zeros, however many. */
  areZeros(name: string): boolean {
    const open = [name];
    const seen = new Set<string>();
    while (open.length > 0) {
      const key = open.pop()!;
      const known = this.#constants.get(key);
      if (seen.has(key) || known !== undefined && isZero(known)) continue;
      seen.add(key);
      const maker = this.#makers.get(key);
      const { type = "", inputs = [], attributes = [] } = maker ?? {};
      if (known === undefined && type === "ConstantOfShape") {
        const [value] = attributes;
        if (value?.tensor === undefined || this.#isZeroTensor(maker!)) continue;
      }
      if (known === undefined && MOVING.includes(type)) open.push(inputs[0] ?? "");
      else if (known === undefined && type === "Concat") open.push(...inputs);
      else return false;
    }
    return true;
  }

  #isZeroTensor(node: OnnxNode): boolean {
    const value = this.file.attributes.get(node.attributes![0]!.tensor!);
    return value !== undefined && value.data.every((number) => number === 0);
  }

  /** How long an axis of a result is, where the file tells. */
  lengthOf(name: string, axis: number): number | null {
    const { inputs = [], values = [] } = this.file.graph;
    const value = [...inputs, ...values].find((one) => one.name === name);
    const length = Number(value?.type?.tensor?.shape?.axes?.[axis]?.length ?? 0);
    return Number.isSafeInteger(length) && length > 0 ? length : null;
  }
}
