// The table of layers in ONNX. Another kind is an entry in one of the files below.

import type { OnnxGraphWriter } from "./graph_writer.ts";
import { ATTENTION_LAYERS } from "./attention.ts";
import { writeDistributed } from "./distributed.ts";
import { type Given, type LayerUse, type OnnxKind, type OnnxKinds, refusal } from "./layer_use.ts";
import { MASK_LAYERS } from "./masks.ts";
import { MERGE_LAYERS } from "./merges.ts";
import { RECURRENT_LAYERS } from "./recurrent.ts";
import { ROW_LAYERS } from "./row_layers.ts";
import { SHAPE_LAYERS } from "./shape_layers.ts";
import { WINDOW_LAYERS } from "./window_layers.ts";

/** The kinds that are written, by Keras's class. */
export const ONNX_KINDS: OnnxKinds = {
  ...RECURRENT_LAYERS,
  TimeDistributed: { write: (graph, use) => writeDistributed(graph, use, kindOf) },
  ...ROW_LAYERS,
  ...MASK_LAYERS,
  ...WINDOW_LAYERS,
  ...SHAPE_LAYERS,
  ...MERGE_LAYERS,
  ...ATTENTION_LAYERS,
};

/** Adds a layer's nodes. */
export function writeLayer(graph: OnnxGraphWriter, use: LayerUse): Exclude<Given, string> {
  const { name, layer, inputs: [x] } = use;
  if (layer.config.stateful === true) {
    const rule = "ONNX's operators start each call from zeros";
    throw refusal(rule, name, `a stateful ${layer.className}`);
  }
  const kind = kindOf(use);
  const given = kind.write(graph, use);
  if (typeof given !== "string") return given;
  return { outputs: [given], mask: kind.isRowwise ? x!.mask : undefined };
}

function kindOf({ name, layer: { className } }: LayerUse): OnnxKind {
  if (Object.hasOwn(ONNX_KINDS, className)) return ONNX_KINDS[className]!;
  const rule = `its layers must be of ${Object.keys(ONNX_KINDS).join(", ")}`;
  throw refusal(rule, name, `a ${className}`);
}
