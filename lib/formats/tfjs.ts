// TF.js's model.json: Keras's configuration in an older spelling, and arrays by name.

import { isRecord } from "../files/json.ts";
import { readTfjs, type TfjsFile } from "../files/tfjs.ts";
import { asFileError, UnreadableFileError } from "../files/unreadable.ts";
import { namesOf } from "../layers/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LayerArrays, LoadedModel } from "./build_model.ts";
import { type Converted, lettersOf, taken } from "./conversion.ts";
import { fromCudnn } from "./keras/cudnn.ts";
import { type Format, MODEL_RULE } from "./format.ts";
import { inputShapeOf } from "./keras/input.ts";
import { kerasModel } from "./keras/config.ts";
import { kerasWriter, TFJS_WRITER } from "./keras/version.ts";
import { toldRecurrent } from "./keras/recurrent.ts";
import { arraysOfOwner, ownersOf } from "./keras/legacy.ts";
import { kerasWeights, type StoredLayer } from "./keras/weights.ts";
import { orAlone, type RecurrentParts } from "./recurrent_part.ts";
import { orderedByName } from "./weight_order.ts";

/** TF.js's own files: its configuration, and the shards of its weights beside it. */
export const TFJS: Format = {
  name: "model.json",
  writers: ["TF.js 4", "tensorflowjs_converter, of Keras 2 and 3, quantized too"],
  kind: "json",
  model: async (file) => {
    const parts = await readTfjs(file);
    return orAlone(
      () => asFileError(MODEL_RULE, () => openTfjs(parts)),
      file.name,
      () => recurrentIn(parts),
    );
  },
  recurrent: async (file) => recurrentIn(await readTfjs(file)),
};

/** Opens a model.json of layers; a graph model (`format: "graph-model"`) is refused. */
function openTfjs({ topology, arrays, writers }: TfjsFile): LoadedModel {
  const { record, version, writer } = toldIn(topology);
  const parsed = kerasModel(record, writer);
  const stored = arraysIn(arrays, parsed.listed, nameOf(record.config), refuseStray);
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

/** The recurrent layers of a model.json alone. */
function recurrentIn({ topology, arrays, writers }: TfjsFile): RecurrentParts {
  return asFileError(MODEL_RULE, () => {
    const { record, version, writer } = toldIn(topology);
    const { parts, unread } = toldRecurrent(record, writer, (listed) => {
      return arraysIn(arrays, listed, nameOf(record.config), () => {}).of;
    });
    return {
      parts,
      unread,
      provenance: {
        framework: writers[0] ?? "TF.js",
        ...(version && { version }),
        gateOrder: lettersOf("keras"),
        notes: [],
      },
    };
  });
}

/** The configuration, and who wrote it. */
function toldIn(topology: unknown) {
  const { model_config: converted, keras_version: keras, node } = isRecord(topology)
    ? topology
    : {};
  if (node !== undefined) {
    const rule = "a TF.js model must be a layers model (tf.loadLayersModel)";
    throw new UnreadableFileError(rule, "the file is a graph model");
  }
  const record = isRecord(converted) ? converted : isRecord(topology) ? topology : {};
  const version = typeof keras === "string" ? keras : "";
  return { record, version, writer: /^\d/.test(version) ? kerasWriter(version) : TFJS_WRITER };
}

function refuseStray(key: string): never {
  const state = `${JSON.stringify(key.split("/")[0])} has some and is none`;
  throw new UnreadableFileError("each of its arrays must belong to a layer", state);
}

function nameOf(config: unknown): string {
  return isRecord(config) && typeof config.name === "string" ? config.name : "";
}

/** A layer of the configuration; of one that stands in a model, the names of those around it. */
interface Listed extends StoredLayer {
  readonly ownName: string;
  readonly around?: unknown;
  readonly inner?: { readonly listed: readonly Listed[] };
}

/** Each layer's arrays, by their names; a layer's own name may have slashes. */
function arraysIn(
  arrays: ReadonlyMap<string, Tensor>,
  listed: readonly Listed[],
  model: string,
  stray: (key: string) => void,
): LayerArrays {
  if ([...arrays.keys()].every((key) => /^layers\/.*\/vars\/\d+$/.test(key))) { // a .keras before
    const file = { arrays, others: new Map(), attributes: new Map() };
    return kerasWeights(file, { listed, areNamed: true });
  }
  // the longest first: of a model within, its own name is the layer's, or both with a slash
  const owners = ownersOf(listed);
  const layers = owners.flatMap(({ name, ownName, around }) =>
    [ownName, Array.isArray(around) ? [...around, ownName].join("/") : name]
      .map((own) => ({ name, own }))
  ).filter(({ name, own }, _, all) =>
    all.every((other) => other.own !== own || other.name === name)
  )
    .sort((a, b) => b.own.length - a.own.length);
  const groups = new Map<string, Converted[]>();
  for (const [given, tensor] of arrays) {
    const key = given.replace(/^b'/, ""); // Keras 2.3's second of a name
    // Keras 3's names begin with the model's
    const owner = (layers.find(({ own }) => key.startsWith(`${own}/`)) ??
      layers.find(({ own }) => key.startsWith(`${model}/${own}/`)))?.name;
    if (owner === undefined) stray(key);
    else groups.set(owner, [...groups.get(owner) ?? [], taken(key, tensor)]);
  }
  const stored = new Map(
    owners.flatMap((owner) => arraysOfOwner(owner, groups.get(owner.name) ?? [])),
  );
  return {
    of: (placed) => fromCudnn(placed, orderedByName(placed, stored.get(placed.name) ?? [])),
  };
}
