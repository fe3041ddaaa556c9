// Keras's own files: .keras, and .h5 of the whole model or of weights alone.

import { type Hdf5File, readHdf5 } from "../files/hdf5.ts";
import { isRecord, parseJson } from "../files/json.ts";
import { readKerasArchive } from "../files/keras_archive.ts";
import { asFileError, UnreadableFileError, within } from "../files/unreadable.ts";
import type { Layer, OpenShape } from "../layers/layer.ts";
import { inOrder, type LoadedLayer, type LoadedModel, type LoadedWeights } from "./build_model.ts";
import { lettersOf } from "./conversion.ts";
import type { Format, Line, OpenedModel } from "./format.ts";
import { type KerasConfig, kerasConfig } from "./keras_config.ts";
import { kerasLayers } from "./keras_layers.ts";
import { saveKeras } from "./save_keras.ts";
import type { StoredTraining } from "./keras_training.ts";
import { kerasWriter } from "./keras_version.ts";
import { kerasProposal } from "./keras_proposal.ts";
import { kerasWeights, legacyWeights, namesAt } from "./keras_weights.ts";
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
    const { parsed, layers } = layersOf(config, version);
    const line = layers.map((layer) => ({ name: layer.name!, layer }));
    const weights = kerasWeights(file, { listed: parsed.listed, line, areNamed: true });
    const loaded = layers.map((layer, k) => ({ layer, weights: weights[k]! }));
    const { compile_config: compiled } = config;
    return {
      layers: loaded,
      inputShape: parsed.inputShape ?? inferredInput(loaded),
      batchSize: parsed.batchSize,
      precision: parsed.precision,
      provenance: provenanceOf(version),
      training: isRecord(compiled) && compiled.optimizer !== undefined
        ? {
          compiled,
          layers: parsed.listed,
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
    const { parsed, layers } = layersOf(config, version);
    const stored = legacyWeights(file, "model_weights/");
    const loaded = layers.map((layer): LoadedLayer => {
      const place = `${layer.name} (${layer.className})`;
      return { layer, weights: orderedByName(layer, stored.get(layer.name!) ?? [], place) };
    });
    const known = new Set(layers.map((layer) => layer.name));
    const stray = [...stored.keys()].find((layer) => !known.has(layer));
    if (stray !== undefined) {
      const rule = "each of its arrays must belong to a layer";
      throw new UnreadableFileError(rule, `${JSON.stringify(stray)} has some and is none`);
    }
    const training = root!.get("training_config");
    return {
      layers: loaded,
      inputShape: parsed.inputShape ?? inferredInput(loaded),
      batchSize: parsed.batchSize,
      precision: parsed.precision,
      provenance: provenanceOf(version),
      training: training === undefined ? undefined : legacyTraining(file, textOf(training), {
        layers: parsed.listed,
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
    const perLayer = kerasWeights(file, { listed, line, areNamed: false });
    return { perLayer, provenance: provenanceOf(version, ".weights.h5") };
  }
  const group = file.attributes.has("model_weights") ? "model_weights/" : "";
  const perLayer = inOrder([...legacyWeights(file, group).values()], line)
    .map((weights, k) => {
      const { name: own, layer } = line[k]!;
      return orderedByName(layer, weights, `${own} (${layer.className})`);
    });
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

function layersOf(config: unknown, version: string): {
  parsed: KerasConfig;
  layers: Layer[];
} {
  const rule = "its keras_version must tell how to read it";
  if (version === "") throw new UnreadableFileError(rule, "the version is not there");
  if (version.startsWith("1.")) {
    const rule = "a Keras 1 configuration is not read: " +
      "Keras 2 (2.0 to 2.2) opens it, and model.save() writes it anew";
    throw new UnreadableFileError(rule, `the version is ${version}`);
  }
  const writer = kerasWriter(version);
  const parsed = kerasConfig(config, writer);
  return { parsed, layers: kerasLayers(parsed, { writer }) };
}

/** A first layer's kernel tells the input's size, where the configuration does not. */
export function inferredInput(layers: readonly LoadedLayer[]): OpenShape {
  const first = layers.find(({ weights }) => weights.length > 0);
  const size = first?.weights[0]?.tensor.shape[0];
  if (size === undefined) refuseInput();
  return first!.layer.className === "Embedding" ? [null] : [null, size];
}

function refuseInput(): never {
  const rule = "its input's shape must be told by an InputLayer or a first kernel";
  throw new UnreadableFileError(rule, "the configuration has neither");
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
