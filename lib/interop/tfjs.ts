// TF.js's model.json: Keras's configuration in an older spelling, and arrays by name.

import { isRecord } from "../files/json.ts";
import { readTfjs, type TfjsFile } from "../files/tfjs.ts";
import { asFileError, UnreadableFileError } from "../files/unreadable.ts";
import { namesOf } from "../layers/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LayerArrays, LoadedModel } from "./build_model.ts";
import { type Converted, lettersOf, taken } from "./conversion.ts";
import { type Format, MODEL_RULE } from "./format.ts";
import { inputShapeOf } from "./keras_input.ts";
import { type KerasModel, kerasModel } from "./keras_config.ts";
import { leavesOf } from "./keras_node.ts";
import { kerasWriter, TFJS_WRITER } from "./keras_version.ts";
import { kerasWeights } from "./keras_weights.ts";
import { orderedByName } from "./weight_order.ts";

/** TF.js's own files: its configuration, and the shards of its weights beside it. */
export const TFJS: Format = {
  name: "model.json",
  kind: "json",
  model: async (file) => {
    const parts = await readTfjs(file);
    return asFileError(MODEL_RULE, () => openTfjs(parts));
  },
};

/** Opens a model.json of layers; a graph model (`format: "graph-model"`) is refused. */
function openTfjs({ topology, arrays, writers }: TfjsFile): LoadedModel {
  const { model_config: converted, keras_version: keras, node } = isRecord(topology)
    ? topology
    : {};
  if (node !== undefined) {
    const rule = "a TF.js model must be a layers model (tf.loadLayersModel)";
    throw new UnreadableFileError(rule, "the file is a graph model");
  }
  const record = isRecord(converted) ? converted : isRecord(topology) ? topology : {};
  const version = typeof keras === "string" ? keras : "";
  const writer = /^\d/.test(version) ? kerasWriter(version) : TFJS_WRITER;
  const parsed = kerasModel(record, writer);
  const stored = arraysIn(arrays, parsed, nameOf(record.config));
  return {
    ...parsed,
    arrays: stored,
    inputShape: inputShapeOf(
      parsed,
      (layer) => stored.of({ name: layer.name!, layer, weights: namesOf(layer) }, 0),
    ),
    provenance: {
      framework: writers[0] ?? "TF.js",
      ...(version && { version }),
      gateOrder: lettersOf("keras"),
      notes: parsed.notes,
    },
  };
}

function nameOf(config: unknown): string {
  return isRecord(config) && typeof config.name === "string" ? config.name : "";
}

/** Each layer's arrays, by their names; a layer's own name may have slashes. */
function arraysIn(
  arrays: ReadonlyMap<string, Tensor>,
  { listed }: KerasModel,
  model: string,
): LayerArrays {
  if ([...arrays.keys()].every((key) => /^layers\/.*\/vars\/\d+$/.test(key))) { // a .keras before
    const file = { arrays, others: new Map(), attributes: new Map() };
    return kerasWeights(file, { listed, areNamed: true });
  }
  // the longest first: of a model within, its own name is the layer's, or both with a slash
  const layers = leavesOf(listed).flatMap(({ name, ownName, around }) =>
    [ownName, [...around, ownName].join("/")].map((own) => ({ name, own }))
  ).filter(({ name, own }, _, all) =>
    all.every((other) => other.own !== own || other.name === name)
  )
    .sort((a, b) => b.own.length - a.own.length);
  const groups = new Map<string, Converted[]>();
  for (const [key, tensor] of arrays) {
    // Keras 3's names begin with the model's
    const owner = (layers.find(({ own }) => key.startsWith(`${own}/`)) ??
      layers.find(({ own }) => key.startsWith(`${model}/${own}/`)))?.name;
    if (owner === undefined) {
      const state = `${JSON.stringify(key.split("/")[0])} has some and is none`;
      throw new UnreadableFileError("each of its arrays must belong to a layer", state);
    }
    groups.set(owner, [...groups.get(owner) ?? [], taken(key, tensor)]);
  }
  return { of: (placed) => orderedByName(placed, groups.get(placed.name) ?? []) };
}
