// Keras's own files: .keras, and .h5 of the whole model or of weights alone.

import { type Hdf5File, readHdf5 } from "../files/hdf5.ts";
import { isRecord, parseJson } from "../files/json.ts";
import { readKerasArchive } from "../files/keras_archive.ts";
import { asFileError, UnreadableFileError, within } from "../files/unreadable.ts";
import type { Layer, OpenShape } from "../layers/layer.ts";
import { namesOf, weightCount } from "../layers/kind.ts";
import { sameShape } from "../tensor/shape.ts";
import { inOrder, type LoadedLayer, type LoadedModel, type LoadedWeights } from "./build_model.ts";
import { type Converted, lettersOf } from "./conversion.ts";
import { fromCudnn } from "./cudnn.ts";
import type { Format, Line, OpenedModel } from "./format.ts";
import { type KerasModel, kerasModel } from "./keras_config.ts";
import { saveKeras } from "./save_keras.ts";
import { leavesOf } from "./keras_node.ts";
import type { StoredTraining } from "./keras_training.ts";
import { kerasWriter } from "./keras_version.ts";
import { kerasProposal } from "./keras_proposal.ts";
import { kerasWeights, legacyLeaves, legacyWeights, namesAt } from "./keras_weights.ts";
import { orderedByName } from "./weight_order.ts";

/** Keras 3's own files. */
export const KERAS: Format = {
  name: ".keras",
  kind: "zip",
  model: ({ bytes }) => openKerasArchive(bytes),
  save: saveKeras,
};

/** Keras 2's own files, and weights alone of either. */
export const KERAS_H5: Format = {
  name: ".h5",
  kind: "hdf5",
  model: ({ bytes }) => openKerasH5(bytes),
  proposal: async ({ bytes }) => kerasProposal((await readHdf5(bytes)).arrays),
  weights: ({ bytes }, line) => openKerasWeights(bytes, line),
};

async function openKerasArchive(bytes: Uint8Array): Promise<OpenedModel> {
  const { config, metadata, weights: file } = await readKerasArchive(bytes);
  return asFileError("it must be a model that Keras saved", () => {
    const version = textOf(metadata.keras_version);
    const parsed = modelOf(config, version);
    const arrays = kerasWeights(file, { listed: parsed.listed, areNamed: true });
    const raw = (layer: Layer) =>
      arrays.of({ name: layer.name!, layer, weights: new Array(weightCount(layer)) }, 0);
    const { compile_config: compiled } = config;
    return {
      ...parsed,
      arrays,
      inputShape: inputShapeOf(parsed, raw),
      provenance: { ...provenanceOf(version), notes: parsed.notes },
      training: isRecord(compiled) && compiled.optimizer !== undefined
        ? {
          compiled,
          layers: leavesOf(parsed.listed),
          optimizer: compiled.optimizer,
          version,
          variables: numbered(file, "optimizer/vars/"),
        }
        : undefined,
    };
  });
}

/** Opens a legacy .h5 file; undefined where it holds weights alone. */
async function openKerasH5(bytes: Uint8Array): Promise<OpenedModel | undefined> {
  const file = await readHdf5(bytes);
  const root = file.attributes.get("");
  const text = root?.get("model_config");
  if (text === undefined) return undefined;
  return asFileError("it must be a model that Keras saved", () => {
    const version = textOf(root!.get("keras_version"));
    const config = jsonIn("model_config", textOf(text));
    const parsed = modelOf(config, version);
    const stored = legacyLeaves(legacyWeights(file, "model_weights/"), parsed.listed);
    const known = new Set(parsed.layers.map((layer) => layer.name));
    const stray = [...stored.keys()].find((layer) => !known.has(layer));
    if (stray !== undefined) {
      const rule = "each of its arrays must belong to a layer";
      throw new UnreadableFileError(rule, `${JSON.stringify(stray)} has some and is none`);
    }
    const training = root!.get("training_config");
    return {
      ...parsed,
      arrays: {
        of: (placed) => fromCudnn(placed, orderedByName(placed, stored.get(placed.name) ?? [])),
      },
      inputShape: inputShapeOf(parsed, (layer) => stored.get(layer.name!) ?? []),
      provenance: { ...provenanceOf(version), notes: parsed.notes },
      training: training === undefined ? undefined : legacyTraining(file, textOf(training), {
        layers: leavesOf(parsed.listed),
        version,
      }),
    };
  });
}

/**
 * The arrays of a .h5 file for these layers: by the groups of .weights.h5, or, out of a legacy file,
 * in the order of the layers, as Keras's `load_weights` does.
 *
 * @returns the arrays of each layer
 */
async function openKerasWeights(bytes: Uint8Array, line: Line): Promise<LoadedWeights> {
  const file = await readHdf5(bytes);
  const root = file.attributes.get("");
  const version = textOf(root?.get("keras_version"));
  const inAttributes = [...file.attributes.values()].some((own) => own.has("weight_names"));
  if (!inAttributes && !root?.has("layer_names")) {
    const listed = line.map(({ name, layer: { className } }) => ({ name, className }));
    const arrays = kerasWeights(file, { listed, areNamed: false });
    const perLayer = line.map(({ name, layer }, k) =>
      arrays.of({ name, layer, weights: new Array(weightCount(layer)) }, k)
    );
    arrays.checkLeft?.();
    return { perLayer, provenance: provenanceOf(version, ".weights.h5") };
  }
  const group = file.attributes.has("model_weights") ? "model_weights/" : "";
  const perLayer = inOrder([...legacyWeights(file, group).values()], line)
    .map((arrays, k) => orderedByName({ ...line[k]!, weights: namesOf(line[k]!.layer) }, arrays));
  return { perLayer, provenance: provenanceOf(version, ".h5, its weights") };
}

function provenanceOf(version: string, format?: string): LoadedModel["provenance"] {
  const gateOrder = lettersOf("keras");
  return {
    framework: "Keras",
    ...(format && { format }),
    ...(version && { version }),
    gateOrder,
    notes: [],
  };
}

function modelOf(config: unknown, version: string): KerasModel {
  const rule = "its keras_version must tell how to read it";
  if (version === "") throw new UnreadableFileError(rule, "the version is not there");
  if (version.startsWith("1.")) {
    const rule = "a Keras 1 configuration is not read: " +
      "Keras 2 (2.0 to 2.2) opens it, and model.save() writes it anew";
    throw new UnreadableFileError(rule, `the version is ${version}`);
  }
  return kerasModel(config, kerasWriter(version));
}

/** The shape of a row's input: as told, or by its first kernel; undefined of connected layers. */
export function inputShapeOf(
  { parts, layers, inputShape }: Pick<KerasModel, "parts" | "layers" | "inputShape">,
  arraysOf: (layer: Layer) => readonly Converted[],
): OpenShape | undefined {
  if (inputShape !== undefined || !Array.isArray(parts)) return inputShape;
  return inferredInput(layers.map((layer) => ({ layer, weights: arraysOf(layer) })));
}

/** A first layer's kernel tells the input's size, where the configuration does not. */
export function inferredInput(layers: readonly LoadedLayer[]): OpenShape {
  const first = layers.find(({ weights }) => weights.length > 0);
  const size = first && widthOf(first);
  if (size === undefined) {
    const rule = "its input's shape must be told by an InputLayer or a first kernel";
    throw new UnreadableFileError(rule, "the configuration has neither");
  }
  return first!.layer.takes === "words" ? [null] : [null, size];
}

/** For which width of its input a layer has arrays of these shapes; else by its kernel's rows. */
function widthOf({ layer, weights }: LoadedLayer): number | undefined {
  const [{ tensor: { shape } }] = weights as [Converted];
  const rows = shape.at(-2);
  const { groups = 1 } = layer.config; // a kernel has the channels of one
  const widths = [rows, (rows ?? NaN) * Number(groups), shape.at(-1)];
  return widths.find((width) => {
    if (!Number.isInteger(width)) return false;
    const specs = wanted(() => layer.weights([null, width!]));
    return specs?.every((spec, k) => weights[k] && sameShape(spec.shape, weights[k].tensor.shape));
  }) ?? rows;
}

function wanted<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined; // said when the model is built
  }
}

/** `vars/0`, `vars/1`, … as far as they go. */
function numbered(file: Hdf5File, prefix: string) {
  const found = [];
  for (let k = 0; file.arrays.has(`${prefix}${k}`); k++) {
    found.push(file.arrays.get(`${prefix}${k}`)!);
  }
  return found;
}

function legacyTraining(
  file: Hdf5File,
  text: string,
  { layers, version }: Pick<StoredTraining, "layers" | "version">,
): StoredTraining | undefined {
  const compiled = jsonIn("training_config", text);
  if (!isRecord(compiled)) return undefined;
  const group = "optimizer_weights";
  const paths = file.attributes.has(group) ? namesAt(file, group, "weight_names") : [];
  const variables = paths.map((path) => file.arrays.get(`${group}/${path}`));
  return {
    compiled,
    layers,
    optimizer: compiled.optimizer_config,
    version,
    variables: variables.filter((tensor) => tensor !== undefined),
  };
}

/** What stands in an attribute of an HDF5 file. */
function jsonIn(attribute: string, text: string): unknown {
  return within(attribute, () => parseJson(new TextEncoder().encode(text)));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
