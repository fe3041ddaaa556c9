// What the results of an ONNX graph's nodes are, as far as reading it needs to know.

import { quoted } from "../base/quoted.ts";
import type { OnnxNode } from "../files/onnx_schema.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LoadedLayer } from "./build_model.ts";

/** What an axis carries. "direction" has its count beside it; "one" is of length 1. */
export type AxisName = "batch" | "time" | "feature" | "direction" | "one";

/** What came out of the model's layers so far. */
export interface Flow {
  readonly kind: "flow";
  readonly axes: readonly AxisName[];
  /** How many directions the axis "direction" has. */
  readonly directions: number;
  /** The layers from the input to here. */
  readonly layers: readonly LoadedLayer[];
  /** Whether these are words, which an embedding looks up. */
  readonly isInput: boolean;
}

/** Numbers that are the same for every input. */
export interface Constant {
  readonly kind: "constant";
  readonly name: string;
  readonly tensor: Tensor;
}

/** Lengths of axes: what Shape gives, picked and joined. */
export interface Sizes {
  readonly kind: "sizes";
  readonly sizes: readonly (number | AxisName)[];
}

/** Zeros in whatever shape: how exporters write the state that an LSTM begins with. */
export interface Zeros {
  readonly kind: "zeros";
}

/** The last states of several LSTMs, one after the other. */
export interface States {
  readonly kind: "states";
  readonly flows: readonly Flow[];
}

/** A result of a node. "beside" is one that no prediction needs, so far. */
export type Value = Flow | Constant | Sizes | Zeros | States | { readonly kind: "beside" };

/** A node is not read as it stands; the message says why. */
export class UnreadNode extends Error {}

/** The axes do not fit an LSTM: with the input's first two axes exchanged they may. */
export class UnreadAxes extends UnreadNode {}

/** A node, its inputs looked up. */
export interface GraphNode {
  readonly node: OnnxNode;
  readonly operator: string;
  /** undefined where an optional input is not there. */
  readonly inputs: readonly (Value | undefined)[];
  readonly opset: number;
}

/** An input that must be a constant. */
export function constantOf(node: GraphNode, input: number, what: string): Constant {
  const value = node.inputs[input];
  if (value?.kind === "constant") return value;
  throw new UnreadNode(`${what} must be constant`);
}

/** What messages call a node. */
export function shownNode({ type = "", name, outputs }: OnnxNode): string {
  const article = /^[AEIO]|^LSTM/.test(type) ? "an" : "a";
  return `the node is ${quoted(name || (outputs?.[0] ?? ""))}, ${article} ${type}`;
}

/** An axis counted from the front. */
export function axisOf(axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(at) && at >= 0 && at < rank) return at;
  throw new UnreadNode(`axis ${axis} is none of ${rank}`);
}
