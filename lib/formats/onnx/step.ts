// A node of an ONNX graph on its way into a model.

import type { OnnxNode } from "../../files/onnx_schema.ts";
import { Connection } from "../../layers/connection.ts";
import { type Converted, taken } from "../conversion.ts";
import type { GraphBuild } from "./build.ts";
import { UnreadNode } from "./errors.ts";
import {
  constantPart,
  constantTensor,
  isConstant,
  type Known,
  type Lengths,
  type Part,
  partOf,
} from "./known.ts";
import { fullShape, type Operand, type WeightOperand } from "./node_layers.ts";

/** A result of a node: what a layer gives, or what is computed of lengths. */
export type Result = Connection | Known;

/** A node with its inputs looked up. */
export interface Step {
  readonly node: OnnxNode;
  readonly operator: string;
  readonly opset: number;
  /** undefined where an optional input is not there. */
  readonly operands: readonly (Result | undefined)[];
  /** By how many nodes each operand is taken, and all that it came through. */
  readonly takers: readonly number[];
  /** How often each of its results is taken. */
  readonly uses: readonly number[];
  readonly build: GraphBuild;
}

/** The lengths as far as they are known before a call. */
function openLengths(): Lengths {
  return { shapeOf: fullShape, found: new Map() };
}

/** What is known of a result before a call. */
export function openPart(known: Known): Part {
  return partOf(known, openLengths());
}

/** An operand that must come from the graph's input. */
export function connectionOf(step: Step, k: number): Connection {
  const operand = step.operands[k];
  if (operand instanceof Connection) return operand;
  throw new UnreadNode(`its input ${k} must come from the graph's inputs`);
}

/** An operand that depends on no input's numbers. */
export function knownOperand(step: Step, k: number, what: string): Known {
  const operand = step.operands[k];
  if (operand === undefined) throw new UnreadNode(`${what} must be there`);
  if (operand instanceof Connection) {
    throw new UnreadNode(`${what} must not depend on the inputs' numbers`);
  }
  return operand;
}

/** An operand that must be constant, as far as it is there. */
export function constantOperand(step: Step, k: number, what: string): Known | undefined {
  const operand = step.operands[k];
  if (operand === undefined) return undefined;
  if (isGiven(operand)) return operand;
  throw new UnreadNode(`${what} must be constant`);
}

/** Whether an operand is a constant. */
export function isGiven(operand: Result | undefined): operand is Known {
  return operand !== undefined && !(operand instanceof Connection) && isConstant(operand);
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
  if (!isGiven(operand) || operand.isWhole) return operand;
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
