// Keras's .h5: the whole model of Keras 1 and 2, and weights alone.

import { type Hdf5File, readHdf5 } from "../../files/hdf5.ts";
import { isRecord, parseJson } from "../../files/json.ts";
import { asFileError, UnreadableFileError, within } from "../../files/unreadable.ts";
import type { Layer } from "../../layers/layer.ts";
import { namesOf, weightCount } from "../../layers/kind.ts";
import {
  inOrder,
  type LayerArrays,
  type LoadedModel,
  type LoadedWeights,
  type NamedLayer,
} from "../build_model.ts";
import { type Converted, turnedAround } from "../conversion.ts";
import { fromCudnn } from "./cudnn.ts";
import { type Configured, type Line, MODEL_RULE, type OpenedModel } from "../format.ts";
import { fromKeras1Arrays, isTheanos, keras1Leaves } from "./keras1_weights.ts";
import { inputShapeOf } from "./input.ts";
import { leavesOf } from "./node.ts";
import type { StoredTraining } from "./training.ts";
import { kernelAxesOf, placeOf } from "./layers.ts";
import { kerasModelOf, kerasProvenance } from "./model.ts";
import { isKeras1, VERSION_UNTOLD } from "./version.ts";
import { legacyLeaves, legacyWeights, namesAt } from "./legacy.ts";
import { kerasWeights } from "./weights.ts";
import { orderedByName } from "../weight_order.ts";

/** Opens a legacy .h5 file; undefined where it holds weights alone. */
export function openKerasH5(file: Hdf5File): OpenedModel | undefined {
  const root = file.attributes.get("");
  const text = root?.get("model_config");
  if (text === undefined) return undefined;
  return asFileError("it must be a model that Keras saved", () => {
    const version = textAt(file, "keras_version") || VERSION_UNTOLD;
    const model = { parsed: kerasModelOf(jsonIn("model_config", String(text)), version), version };
    const training = textAt(file, "training_config");
    return {
      ...legacyModel(file, "model_weights/", model),
      training: training === "" ? undefined : legacyTraining(file, training, model),
    };
  });
}

/** A model whose configuration stands elsewhere, with the arrays of a file of weights alone. */
export async function openConfiguredH5(
  bytes: Uint8Array,
  model: Configured,
): Promise<LoadedModel> {
  const file = await readHdf5(bytes);
  return asFileError(MODEL_RULE, () => {
    if (isLegacy(file)) return legacyModel(file, groupIn(file), model);
    const { parsed, version } = model;
    const { listed } = parsed;
    const isFlat = listed.every(({ inner }) => inner === undefined);
    const given = parsed.layers.map((layer) => ({ name: layer.name!, layer }));
    const arrays = kerasWeights(file, { listed, areNamed: true, ...(isFlat && { given }) });
    return {
      ...parsed,
      arrays,
      inputShape: inputShapeOf(
        parsed,
        (layer) => arrays.of({ name: layer.name!, layer, weights: namesOf(layer) }, 0),
      ),
      provenance: { ...kerasProvenance(version, ".weights.h5"), notes: parsed.notes },
    };
  });
}

/**
 * The arrays of a .h5 file for these layers: by the groups of .weights.h5, or, out of a legacy file,
 * in the order of the layers, as Keras's `load_weights` does.
 *
 * @returns the arrays of each layer
 */
export async function openKerasWeights(bytes: Uint8Array, line: Line): Promise<LoadedWeights> {
  const file = await readHdf5(bytes);
  const version = textAt(file, "keras_version");
  if (!isLegacy(file)) {
    const listed = line.map(({ name, layer: { className } }) => ({ name, className }));
    const arrays = kerasWeights(file, { listed, areNamed: false, given: line });
    const perLayer = line.map(({ name, layer }, k) =>
      arrays.of({ name, layer, weights: new Array(weightCount(layer)) }, k)
    );
    arrays.checkLeft?.();
    return { perLayer, provenance: kerasProvenance(version, ".weights.h5") };
  }
  const stored = legacyWeights(file, groupIn(file));
  const asKeras = conversion(file, stored, version);
  const perLayer = inOrder([...stored.values()], line)
    .map((arrays, k) => asKeras({ ...line[k]!, weights: namesOf(line[k]!.layer) }, arrays));
  return { perLayer, provenance: kerasProvenance(version, ".h5, its weights") };
}

/** Whether attributes tell where the arrays are. */
export function isLegacy({ attributes }: Hdf5File): boolean {
  return attributes.get("")?.has("layer_names") === true ||
    [...attributes.values()].some((own) => own.has("weight_names"));
}

/** Where a file's layers are: a whole model's have a group of their own. */
export function groupIn({ attributes }: Hdf5File): string {
  return attributes.has("model_weights") ? "model_weights/" : "";
}

function legacyModel(
  file: Hdf5File,
  group: string,
  { parsed, version }: Configured,
): LoadedModel {
  const grouped = legacyWeights(file, group);
  const own = textAt(file, "keras_version") || version;
  const stored = isKeras1(own)
    ? keras1Leaves(grouped, parsed.listed)
    : legacyLeaves(grouped, parsed.listed);
  const known = new Set(parsed.layers.map((layer) => layer.name));
  const stray = [...stored.keys()].find((layer) => !known.has(layer));
  if (stray !== undefined) {
    const rule = "each of its arrays must belong to a layer";
    throw new UnreadableFileError(rule, `${JSON.stringify(stray)} has some and is none`);
  }
  const asKeras = conversion(file, grouped, own);
  if (isTurned(file, grouped, own)) parsed.layers.forEach(checkTheanos);
  const arrays: LayerArrays = { of: (placed) => asKeras(placed, stored.get(placed.name) ?? []) };
  return {
    ...parsed,
    arrays,
    inputShape: inputShapeOf(parsed, (layer) => stored.get(layer.name!) ?? []),
    provenance: { ...kerasProvenance(version), notes: parsed.notes },
  };
}

/** What makes a layer's arrays those of Keras 3, whichever Keras wrote them. */
export function conversion(
  file: Hdf5File,
  stored: ReadonlyMap<string, readonly Converted[]>,
  version: string,
): (placed: NamedLayer, arrays: readonly Converted[]) => readonly Converted[] {
  const isFirst = isKeras1(version);
  const turns = isTurned(file, stored, version);
  return (placed, arrays) => {
    const ordered = isFirst
      ? fromKeras1Arrays(placed, arrays)
      : fromCudnn(placed, orderedByName(placed, arrays));
    const axes = kernelAxesOf(placed.layer);
    return !turns || axes === 0
      ? ordered
      : ordered.map((array) =>
        array.tensor.shape.length === axes + 2
          ? turnedAround(array, axes, "turned from Theano's order")
          : array
      );
  };
}

/** Whether Theano computed it, whose convolution turns its kernel around. */
function isTurned(
  file: Hdf5File,
  stored: ReadonlyMap<string, readonly Converted[]>,
  version: string,
): boolean {
  return isKeras1(version) ? isTheanos(stored) : textAt(file, "backend") === "theano";
}

/** Theano pads on both sides alike: with even windows or strides it is another `same`. */
function checkTheanos({ name, className, config }: Layer): void {
  const { padding, strides } = config;
  const window = config.kernel_size ?? config.pool_size;
  const isOther = [window].flat().some((size) => Number(size) % 2 === 0) ||
    [strides].flat().some((step) => step !== 1);
  if (padding !== "same" || !isOther) return;
  const rule =
    `padding must be valid, or same with odd windows and strides of 1: Theano's is another`;
  const state = `the window is ${JSON.stringify(window)}, the strides ${JSON.stringify(strides)}`;
  throw new UnreadableFileError(rule, state, { source: placeOf({ name: name!, className }) });
}

function legacyTraining(
  file: Hdf5File,
  text: string,
  { parsed: { listed }, version }: Configured,
): StoredTraining | undefined {
  const compiled = jsonIn("training_config", text);
  if (!isRecord(compiled)) return undefined;
  const group = "optimizer_weights";
  const paths = file.attributes.has(group) ? namesAt(file, group, "weight_names") : [];
  const variables = paths.map((path) => file.arrays.get(`${group}/${path}`));
  return {
    compiled,
    layers: leavesOf(listed),
    optimizer: compiled.optimizer_config,
    version,
    variables: variables.filter((tensor) => tensor !== undefined),
  };
}

/** What stands in an attribute of an HDF5 file. */
export function jsonIn(attribute: string, text: string): unknown {
  return within(attribute, () => parseJson(new TextEncoder().encode(text)));
}

/** The text in an attribute of the root; none is empty. */
export function textAt({ attributes }: Hdf5File, name: string): string {
  const value = attributes.get("")?.get(name);
  return typeof value === "string" ? value : "";
}
