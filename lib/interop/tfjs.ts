// TF.js's model.json: Keras's configuration in an older spelling, and arrays by name.

import { isRecord } from "../files/json.ts";
import type { TfjsFile } from "../files/tfjs.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LoadedLayer, LoadedModel } from "./build_model.ts";
import { type Converted, lettersOf, taken } from "./conversion.ts";
import { inferredInput } from "./keras.ts";
import { kerasConfig } from "./keras_config.ts";
import { kerasLayer } from "./keras_layers.ts";
import { pathsOf } from "./keras_weights.ts";

/** Opens a model.json of layers; a graph model (`format: "graph-model"`) is refused. */
export function openTfjs({ topology, arrays, writers }: TfjsFile, name: string): LoadedModel {
  const { model_config: converted, keras_version: keras, node } = isRecord(topology)
    ? topology
    : {};
  if (node !== undefined) {
    const rule = "a TF.js model must be a layers model (tf.loadLayersModel)";
    throw new UnreadableFileError(name, rule, "file is a graph model");
  }
  // hard_sigmoid is TF.js's own in every version, unless Keras 3 itself wrote the configuration
  const version = typeof keras === "string" ? keras : "";
  const generation = /^3\./.test(version) ? "keras3" : "keras2";
  const { line, inputShape, precision } = kerasConfig(converted ?? topology, name);
  const layers = line.map((node) => kerasLayer(node, { name, generation }));
  const groups = grouped(arrays);
  const loaded = layers.map((layer): LoadedLayer => {
    const count = pathsOf(layer).length;
    return { layer, weights: count === 0 ? [] : groups.get(layer.name!) ?? [] };
  });
  const known = new Set(layers.map((layer) => layer.name));
  const stray = [...groups.keys()].find((group) => !known.has(group));
  if (stray !== undefined) {
    const state = `${JSON.stringify(stray)} has some and is none`;
    throw new UnreadableFileError(name, "each of its arrays must belong to a layer", state);
  }
  return {
    layers: loaded,
    inputShape: inputShape ?? inferredInput(loaded, name),
    precision,
    provenance: {
      format: "model.json",
      framework: writers[0] ?? "TF.js",
      ...(version && { version }),
      gateOrder: lettersOf("keras"),
      notes: [],
    },
  };
}

/** The arrays of each layer in the file's order: `lstm_LSTM1/kernel` belongs to `lstm_LSTM1`. */
function grouped(arrays: ReadonlyMap<string, Tensor>): Map<string, Converted[]> {
  const groups = new Map<string, Converted[]>();
  for (const [key, tensor] of arrays) {
    const layer = key.split("/")[0]!;
    groups.set(layer, [...groups.get(layer) ?? [], taken(key, tensor)]);
  }
  return groups;
}
