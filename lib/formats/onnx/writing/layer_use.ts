// What a kind of layer is written with, and what it becomes.

import type { Layer, OpenShape } from "../../../layers/layer.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { OnnxGraphWriter } from "./graph_writer.ts";

/** A value of the graph. */
export interface GraphValue {
  readonly name: string;
  /** Without the batch. */
  readonly shape: OpenShape;
  /** Which steps count, truth values `[batch, timesteps]`; all where there is none. */
  readonly mask?: string | undefined;
  /** Whether it holds whole numbers, int64. Default: false. */
  readonly isWords?: boolean;
}

/** One use of a layer. */
export interface LayerUse {
  /** The layer's name, for messages. */
  readonly name: string;
  readonly layer: Layer;
  readonly inputs: readonly GraphValue[];
  /** In Keras's order. */
  readonly weights: readonly Tensor[];
}

/** What a layer gave: one result, or several, and the mask that the first of them has. */
export type Given =
  | string
  | { readonly outputs: readonly string[]; readonly mask?: string | undefined };

/** How a kind of layer is written in ONNX. */
export interface OnnxKind {
  /** Adds its nodes. */
  readonly write: (graph: OnnxGraphWriter, use: LayerUse) => Given;
  /**
   * Whether each row of the last axis is computed by itself, with whatever axes before it: the same
   * at each timestep, and a mask goes on. Default: false.
   */
  readonly isRowwise?: boolean;
}

/** Kinds of layers by Keras's class. */
export type OnnxKinds = Readonly<Record<string, OnnxKind>>;

/** A layer of each row, of one input and one result. */
export function rowwise(
  write: (graph: OnnxGraphWriter, x: string, use: LayerUse) => string,
): OnnxKind {
  return { isRowwise: true, write: (graph, use) => write(graph, use.inputs[0]!.name, use) };
}

/** A layer of one input and one result, which hands on no mask. */
export function plain(
  write: (graph: OnnxGraphWriter, x: GraphValue, use: LayerUse) => string,
): OnnxKind {
  return { write: (graph, use) => write(graph, use.inputs[0]!, use) };
}

/** ONNX has no counterpart: the rule, and what the layer is. */
export function refusal(rule: string, name: string, found: string): TypeError {
  return new TypeError(
    `Cannot write an .onnx file: ${rule}, but the layer ${name} is ${found}`,
  );
}
