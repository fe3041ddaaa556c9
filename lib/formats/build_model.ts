import { asFileError, UnreadableFileError } from "../files/unreadable.ts";
import type { Layer, OpenShape } from "../layers/layer.ts";
import { weightCount } from "../layers/kind.ts";
import { type Connections, type Place, type PlacedLayer, shapesOf } from "../model/graph.ts";
import { Model, networkOf } from "../model/model.ts";
import type { Network, Precision } from "../model/network.ts";
import { type Provenance, recordProvenance } from "../model/provenance.ts";
import { isStateful } from "../model/training/prepare_samples.ts";
import { formatShape, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Converted } from "./conversion.ts";

/** How many layers a file may tell of: far beyond any LSTM's. */
export const MAX_LAYERS = 1_000;

/** A layer, and its arrays in Keras's order and shapes. */
export interface LoadedLayer {
  readonly layer: Layer;
  readonly weights: readonly Converted[];
}

/** A layer of a model, by its name there. */
export type NamedLayer = Pick<PlacedLayer, "name" | "layer" | "weights">;

/** Where each layer's arrays come from. */
export interface LayerArrays {
  /** A layer's arrays in Keras's order. */
  readonly of: (placed: NamedLayer, index: number) => readonly Converted[];
  /** Throws where an array is left that no layer took. */
  readonly checkLeft?: () => void;
}

/** What a file became, before a model is made of it. */
export interface LoadedModel {
  /** Layers in a row, or connected. */
  readonly parts: readonly Layer[] | Connections;
  /** Of layers in a row. */
  readonly inputShape?: OpenShape | undefined;
  readonly arrays: LayerArrays;
  /** How many samples a batch has, where the file tells: what a stateful model is made for. */
  readonly batchSize?: number | undefined;
  readonly precision?: Precision;
  /** What is known of it. Default of the format: the name in the table. */
  readonly provenance: Omit<Provenance, "arrays" | "source" | "format"> & { format?: string };
}

/** Layers in a row, each with its arrays. */
export function rowWithArrays(
  layers: readonly LoadedLayer[],
): Pick<LoadedModel, "parts" | "arrays"> {
  return {
    parts: layers.map(({ layer }) => layer),
    arrays: { of: (_, k) => layers[k]!.weights },
  };
}

/** A file's arrays for layers that were known before. */
export interface LoadedWeights {
  /** Each layer's arrays, in the layers' order. */
  readonly perLayer: readonly (readonly Converted[])[];
  readonly provenance: LoadedModel["provenance"];
}

/** The file as it was named, and its format. */
export type Origin = Pick<Provenance, "source" | "format">;

/**
 * A model of these layers with these weights. The shapes are compared before anything is made: a
 * configuration may ask for more memory than there is.
 */
export function buildModel(loaded: LoadedModel, origin: Origin): Model {
  return asFileError("its layers must make a model", () => {
    const { provenance } = loaded;
    const model = unweighted(loaded);
    const weights = arraysOf(loaded, model).flat();
    model.setWeights(weights.map(({ tensor }) => tensor));
    if (networkOf(model).layers.some(({ layer }) => isStateful(layer))) {
      networkOf(model).batchSize = loaded.batchSize;
    }
    recordProvenance(model, {
      ...origin,
      ...provenance,
      arrays: rows(weightNames(model), weights),
    });
    return model;
  });
}

/** The arrays of each layer of a file, their number and shapes checked. */
export function arraysOf(
  loaded: Omit<LoadedModel, "provenance">,
  model: Model = unweighted(loaded),
): (readonly Converted[])[] {
  const { arrays } = loaded;
  const all = networkOf(model).layers.map((placed, k) => checked(placed, arrays.of(placed, k)));
  arrays.checkLeft?.();
  return all;
}

/** The model without its weights, which take no memory before they are asked for. */
function unweighted({ parts, inputShape, precision = "float32" }: Omit<LoadedModel, "provenance">) {
  const model = new Model(parts, { precision, ...(inputShape && { inputShape }) });
  checkSizes(networkOf(model));
  return model;
}

/** A length for open axes that windows fit in. */
const OPEN = 64;
const MOST_NUMBERS = 2 ** 27;

/** Throws where one sample becomes more than any needs: few bytes may ask for much. */
function checkSizes(network: Network): void {
  const { inputs, nodes, layers } = network;
  const given = inputs.map(({ shape }) => [1, ...shape.map((length) => length ?? OPEN)]);
  let at: (place: Place) => OpenShape;
  try {
    at = shapesOf(network, given).at;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return; // of other lengths
    throw error;
  }
  for (const [k, { layer, shapes }] of nodes.entries()) {
    for (const result of shapes.keys()) {
      const size = sizeOf(at([k, result]).map((length) => length ?? 1));
      if (size <= MOST_NUMBERS) continue;
      const rule = `a result may have at most ${MOST_NUMBERS} numbers a sample`;
      throw new UnreadableFileError(rule, `that of ${layers[layer]!.name} has ${size}`);
    }
  }
}

/** Puts the file's arrays in place of a model's own weights. */
export function replaceWeights(
  model: Model,
  weights: readonly Converted[],
  provenance: LoadedModel["provenance"],
  origin: Origin,
): void {
  asFileError("its arrays must be this model's weights", () => {
    model.setWeights(weights.map(({ tensor }) => tensor));
  });
  recordProvenance(model, {
    ...origin,
    ...provenance,
    arrays: rows(weightNames(model), weights),
  });
}

/** A layer's arrays, their number and their shapes checked. */
function checked(
  { name, layer, weights: specs }: NamedLayer,
  arrays: readonly Converted[],
): readonly Converted[] {
  const source = `${name} (${layer.className})`;
  if (specs.length !== arrays.length) {
    const wanted = specs.map((spec) => spec.name).join(", ") || "none";
    const found = arrays.map(({ from }) => from).join(", ") || "none";
    throw new UnreadableFileError(`its arrays are ${wanted}`, `the arrays are ${found}`, {
      source,
    });
  }
  for (const [w, { name: weight, shape: wanted }] of specs.entries()) {
    const { tensor, from } = arrays[w]!;
    if (sameShape(tensor.shape, wanted)) continue;
    const rule = `its ${weight} must be ${formatShape(wanted)}`;
    throw new UnreadableFileError(rule, `the shape of ${from} is ${formatShape(tensor.shape)}`, {
      source,
    });
  }
  return arrays;
}

/**
 * A file's layers that have arrays, in its order, for those of a line that have some.
 *
 * @throws {UnreadableFileError} where more of the file's layers have some.
 */
export function inOrder(
  stored: readonly LoadedLayer["weights"][],
  line: readonly { readonly layer: Layer }[],
): LoadedLayer["weights"][] {
  const rest = [...stored];
  const perLayer = line.map(({ layer }) => weightCount(layer) === 0 ? [] : rest.shift() ?? []);
  if (rest.length > 0) {
    const state = `${rest.length} more layers have some, the first ${rest[0]![0]!.from}`;
    throw new UnreadableFileError("each of its arrays must belong to a layer", state);
  }
  return perLayer;
}

/** `lstm/kernel`, `lstm/recurrent_kernel`, … in the model's order. */
export function weightNames(model: Model): string[] {
  return networkOf(model).weightSpecs.map(({ name }) => name);
}

function rows(names: readonly string[], weights: readonly Converted[]): Provenance["arrays"] {
  return weights.map(({ tensor: { shape }, from, shapeInFile, steps, summands }, k) => {
    const row = { weight: names[k]!, from, shapeInFile, shape, steps };
    return Object.freeze(summands === undefined ? row : { ...row, summands });
  });
}
