// A model as its arrays, and what it makes of them.

import { recurrenceOf } from "../../layers/recurrent.ts";
import type { Layer } from "../../layers/layer.ts";
import { activationCurves } from "../../values/activation_curves.ts";
import type { ActivationName } from "../../values/activations.ts";
import { networkOf } from "../../model/model.ts";
import type { Model } from "../../model/model.ts";
import type { Network } from "../../model/network.ts";
import { provenanceOf } from "../../model/provenance.ts";
import { add } from "../../tensor/arithmetic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { CellReadings, EquationChoice } from "./cell_readings.ts";
import type { Usual } from "./conventions.ts";
import { diagnosedCells } from "./diagnosed_cells.ts";

/** What a model is, as far as a diagnosis goes. */
export interface ModelReading {
  readonly of: CellReadings;
  /** The recurrent layer's arrays, then the dense one's. */
  readonly weights: readonly Tensor[];
  readonly usual: Usual;
}

/**
 * Takes a model apart.
 *
 * @throws {TypeError} where it has not one recurrent layer, or functions that are not by name alone.
 */
export function readingOfModel(model: Model): ModelReading {
  const network = networkOf(model, "diagnose");
  const withArrays = arraysByLayer(network).filter(({ arrays }) => arrays.length > 0);
  const [recurrent, ...more] = withArrays.filter(({ layer }) => recurrenceOf(layer));
  const after = withArrays.filter(({ layer }) => recurrenceOf(layer) === undefined);
  if (recurrent === undefined || more.length > 0 || after.length > 1) {
    const names = network.layers.map(({ name }) => name).join(", ");
    throw new TypeError(
      "Cannot diagnose: the model must be one recurrent layer, with a dense layer after it or " +
        `without, but its layers are ${names}`,
    );
  }
  const { of, reset } = equationsOf(recurrent.layer, recurrent.name);
  const { activation, recurrent_activation: σ, go_backwards: backwards } = recurrent.layer.config;
  const dense = after[0];
  return {
    of,
    weights: [
      ...recurrent.arrays.flatMap((array, k) => summandsOf(model, recurrent.names[k]!, array)),
      ...dense?.arrays ?? [],
    ],
    usual: {
      name: "the model",
      activation: nameOf(activation, recurrent.name),
      recurrentActivation: nameOf(σ ?? "sigmoid", recurrent.name),
      reset,
      time: backwards === true ? "reversed" : "forward",
      denseActivation: dense && nameOf(dense.layer.config.activation ?? "linear", dense.name),
    },
  };
}

/** Each layer with its arrays and their names. */
function arraysByLayer({ layers, weights, weightSpecs }: Network) {
  let at = 0;
  return layers.map(({ name, layer, weights: specs }) => {
    const [start, end] = [at, at += specs.length];
    const names = weightSpecs.slice(start, end).map((spec) => spec.name);
    return { name, layer, arrays: weights.slice(start, end), names };
  });
}

/** Whose equations a layer runs, and which of their forms. */
function equationsOf(
  layer: Layer,
  name: string,
): { of: CellReadings; reset: EquationChoice["reset"] } {
  const { cell } = recurrenceOf(layer)!;
  for (const of of diagnosedCells) {
    for (const reset of of.open.reset ?? ["after" as const]) {
      const own = of.layer(SOME, { forgetBias: 0, reset, update: "z" });
      if (recurrenceOf(own)!.cell === cell) return { of, reset };
    }
  }
  throw new TypeError(
    `Cannot diagnose: the cell must be an LSTM, a GRU or a SimpleRNN, but ${name} is a ${cell.kind} ` +
      `of its own`,
  );
}

const SOME = {
  units: 1,
  activation: "tanh",
  recurrentActivation: "sigmoid",
  goBackwards: false,
  returnSequences: false,
} as const;

/** The two arrays that a file's reader added, where the sum is still what they add up to. */
function summandsOf(model: Model, weight: string, array: Tensor): readonly Tensor[] {
  const row = provenanceOf(model)?.arrays.find((one) => one.weight === weight);
  if (row?.summands?.length !== 2) return [array];
  const sum = add(row.summands[0]!, row.summands[1]!);
  const isSum = sum.data.length === array.data.length &&
    sum.data.every((x, k) => Math.fround(x) === Math.fround(array.data[k]!));
  return isSum ? row.summands : [array];
}

/** An activation that a name says all of. */
function nameOf(config: unknown, layer: string): ActivationName {
  const isKnown = typeof config === "string" &&
    (Object.hasOwn(activationCurves, config) || config === "softmax");
  if (isKnown) return config as ActivationName;
  throw new TypeError(
    `Cannot diagnose: a model's activations must take each number by itself, without options, but ` +
      `${layer} has another`,
  );
}
