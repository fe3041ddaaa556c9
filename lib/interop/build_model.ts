import { asFileError, UnreadableFileError } from "../files/unreadable.ts";
import type { Layer, OpenShape } from "../layers/layer.ts";
import { nameLayers } from "../layers/layer_names.ts";
import { Model, networkOf } from "../model/model.ts";
import type { Precision } from "../model/network.ts";
import { type Provenance, recordProvenance } from "../model/provenance.ts";
import { isStateful } from "../model/training/prepare_samples.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import type { Converted } from "./conversion.ts";

/** How many layers a file may tell of: far beyond any LSTM's. */
export const MAX_LAYERS = 1_000;

/** A layer, and its arrays in Keras's order and shapes. */
export interface LoadedLayer {
  readonly layer: Layer;
  readonly weights: readonly Converted[];
}

/** What a file became, before a model is made of it. */
export interface LoadedModel {
  readonly layers: readonly LoadedLayer[];
  readonly inputShape: OpenShape;
  /** How many samples a batch has, where the file tells: what a stateful model is made for. */
  readonly batchSize?: number | undefined;
  readonly precision?: Precision;
  /** What is known of it; the format is the name in the table, unless said. */
  readonly provenance: Omit<Provenance, "arrays" | "source" | "format"> & { format?: string };
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
    const { layers, inputShape, precision = "float32" } = loaded;
    checkWeights(loaded);
    const weights = layers.flatMap(({ weights }) => weights.map(({ tensor }) => tensor));
    const model = new Model(layers.map(({ layer }) => layer), { inputShape, precision }, weights);
    if (layers.some(({ layer }) => isStateful(layer))) {
      networkOf(model).batchSize = loaded.batchSize;
    }
    recordWeights(model, loaded, origin);
    return model;
  });
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

function checkWeights({ layers, inputShape }: LoadedModel): void {
  const names = nameLayers(layers.map(({ layer }) => layer));
  let shape = inputShape;
  for (const [k, { layer, weights }] of layers.entries()) {
    const place = `${names[k]} (${layer.className})`;
    const specs = layer.weights(shape);
    if (specs.length !== weights.length) {
      const wanted = specs.map((spec) => spec.name).join(", ") || "none";
      const found = weights.map(({ from }) => from).join(", ") || "none";
      throw new UnreadableFileError(`its arrays are ${wanted}`, `the arrays are ${found}`, {
        source: place,
      });
    }
    for (const [w, { name: weight, shape: wanted }] of specs.entries()) {
      const { tensor, from } = weights[w]!;
      if (sameShape(tensor.shape, wanted)) continue;
      const rule = `its ${weight} must be ${formatShape(wanted)}`;
      throw new UnreadableFileError(rule, `the shape of ${from} is ${formatShape(tensor.shape)}`, {
        source: place,
      });
    }
    shape = layer.outputShape(shape);
  }
}

function recordWeights(model: Model, { layers, provenance }: LoadedModel, origin: Origin): void {
  const weights = layers.flatMap(({ weights }) => weights);
  recordProvenance(model, {
    ...origin,
    ...provenance,
    arrays: rows(weightNames(model), weights),
  });
}

/** How many arrays a layer has, whatever its input. */
export function weightCount(layer: Layer): number {
  return layer.className === "TimeDistributed"
    ? weightCount(layer.wrapped!)
    : layer.weights([null, 1]).length;
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
  return model.layers.flatMap(({ name, layer, inputShape }) =>
    layer.weights(inputShape).map((spec) => `${name}/${spec.name}`)
  );
}

function rows(names: readonly string[], weights: readonly Converted[]): Provenance["arrays"] {
  return weights.map(({ tensor, from, shapeInFile, steps }, k) => {
    return Object.freeze({ weight: names[k]!, from, shapeInFile, shape: tensor.shape, steps });
  });
}
