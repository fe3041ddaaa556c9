// A node of an ONNX graph on its way into a model, one to one.

import { Connection } from "../layers/connection.ts";
import type { Layer } from "../layers/layer.ts";
import { MAX_LAYERS } from "./build_model.ts";
import { type Converted, taken } from "./conversion.ts";
import {
  constantPart,
  constantTensor,
  isConstant,
  type Known,
  type Lengths,
  type Part,
  partOf,
} from "./onnx_known.ts";
import {
  firstIs,
  fullShape,
  nodeLayer,
  type Operand,
  type Operation,
  reshapeTo,
  type WeightOperand,
} from "./onnx_node_layers.ts";
import { type GraphNode, UnreadNode } from "./onnx_values.ts";

/** A result of a node: what a layer gives, or what is computed of lengths. */
export type Result = Connection | Known;

/** A node with its inputs looked up. */
export interface Step extends GraphNode {
  /** undefined where an optional input is not there. */
  readonly operands: readonly (Result | undefined)[];
  /** How often each of its results is taken. */
  readonly uses: readonly number[];
  readonly build: GraphBuild;
}

/** The layers of a graph, and their arrays. */
export class GraphBuild {
  readonly #arrays = new Map<Layer, readonly Converted[]>();
  /** How often the result of a node is taken, by the connection. */
  readonly uses = new Map<Connection, number>();
  /** The whole numbers among the inputs. */
  readonly words = new Set<Connection>();
  /** Which axis the first one of an input became, where it is known. */
  readonly firstAxes = new Map<Connection, number>();
  /** The lengths that the file gives the inputs' first axes. */
  readonly given = new Map<Connection, number>();
  /** The names that the file gives them. */
  readonly symbols = new Map<Connection, string>();
  /** Whether the first axis is the time to an LSTM, or the file has numbers for each place of a batch. */
  isTied = false;

  /** A layer's results. */
  apply(
    layer: Layer,
    inputs: readonly Connection[],
    arrays: readonly Converted[] = [],
  ): Connection[] {
    this.#add(layer, arrays);
    const results = layer.applyAll(inputs);
    for (const one of results) firstIs(one, fullShape(inputs[0]!)[0]!);
    return results;
  }

  /** The results of an operation of its own. */
  operate(operator: string, operands: readonly Operand[], operation: Operation): Connection[] {
    const { layer, arrays, results } = nodeLayer(operator, operands, operation);
    this.#add(layer, arrays);
    return [...results];
  }

  #add(layer: Layer, arrays: readonly Converted[]): void {
    this.#arrays.set(layer, arrays);
    const { size } = this.#arrays;
    if (size <= MAX_LAYERS) return;
    throw new UnreadNode(`it may have at most ${MAX_LAYERS} layers, but the count is ${size}`);
  }

  /** A layer's arrays. */
  arraysOf(layer: Layer): readonly Converted[] {
    return this.#arrays.get(layer) ?? [];
  }

  /** The connection with a length of its last axis that weights tell. */
  pinned(x: Connection, length: number): Connection {
    const last = x.shape.at(-1);
    if (last === length) return x;
    if (typeof last === "number") {
      throw new UnreadNode(
        `the last axis of its input is ${last}, where its weights take ${length}`,
      );
    }
    return this.operate("Reshape", [x], {
      shapes: ([{ shape }]) => [shape.with(-1, length)],
      run: (o, [one]) => [reshapeTo(o, one!, one!.shape.with(-1, length))],
    })[0]!;
  }
}

/** The lengths as far as they are known before a call. */
export function openLengths(): Lengths {
  return { shapeOf: fullShape, found: new Map() };
}

/** An operand that must come from the graph's input. */
export function connectionOf(step: Step, k: number): Connection {
  const operand = step.operands[k];
  if (operand instanceof Connection) return operand;
  throw new UnreadNode(`its input ${k} must come from the graph's inputs`);
}

/** An operand that must be constant, as far as it is there. */
export function constantOperand(step: Step, k: number, what: string): Known | undefined {
  const operand = step.operands[k];
  if (operand === undefined) return undefined;
  if (!(operand instanceof Connection) && isConstant(operand)) return operand;
  throw new UnreadNode(`${what} must be constant`);
}

/** A single constant number. */
export function numberOf(step: Step, k: number, what: string): number | undefined {
  const known = constantOperand(step, k, what);
  if (known === undefined) return undefined;
  const { data } = constantPart(known);
  if (data.length !== 1) throw new UnreadNode(`${what} must be one number`);
  return data[0]!;
}

/** A constant as an array on its way. */
export function arrayOf(known: Known): Converted {
  return taken(known.name, constantTensor(known));
}

/** An operand as a weight, where it is an array of floats and constant. */
export function asWeight(operand: Result, name: string): Operand {
  if (operand instanceof Connection || !isConstant(operand) || operand.isWhole) return operand;
  const tensor = constantTensor(operand);
  if (tensor.data.length < 2) return operand;
  return { kind: "weight", name, array: taken(operand.name, tensor) };
}

/** A constant that must be a weight. */
export function weightOf(
  step: Step,
  k: number,
  name: string,
  trainable = true,
): WeightOperand | undefined {
  const known = constantOperand(step, k, `its ${name}`);
  return known && { kind: "weight", name, array: arrayOf(known), trainable };
}

/** What is known of a result before a call. */
export function openPart(known: Known): Part {
  return partOf(known, openLengths());
}
