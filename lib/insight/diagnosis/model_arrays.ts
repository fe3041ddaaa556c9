// A model as its arrays, and what it makes of them.

import { part, type Work } from "../../base/work.ts";
import { recurrenceOf } from "../../layers/recurrent.ts";
import type { Layer } from "../../layers/layer.ts";
import { activationCurves } from "../../values/activation_curves.ts";
import type { ActivationName } from "../../values/activations.ts";
import { type Model, networkOf } from "../../model/model.ts";
import type { Network } from "../../model/network.ts";
import { provenanceOf } from "../../model/provenance.ts";
import { permuted } from "../../values/arrange.ts";
import { numbers } from "../../values/numbers.ts";
import { add } from "../../tensor/arithmetic.ts";
import { sameShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type ArrayReadings, readingsOfArrays } from "./array_roles.ts";
import type { CellReadings, EquationChoice } from "./cell_readings.ts";
import { NOTHING, questionsOf, type Usual } from "./conventions.ts";
import { diagnosedCells } from "./diagnosed_cells.ts";
import { modelOfReading } from "./reading_model.ts";
import { firstChoice } from "./readings.ts";

/** What a model is, as far as a diagnosis goes. */
interface ModelParts {
  readonly of: CellReadings;
  /** The recurrent layer's arrays, then the dense one's. */
  readonly weights: readonly Tensor[];
  readonly usual: Usual;
}

/** A model, as it is to be diagnosed. */
export interface ReadModel {
  readonly arrays: readonly ArrayReadings[];
  readonly usual: Usual;
  /** Sequences with the batch first: an ONNX graph's own may have the timesteps there. */
  readonly batchFirst: (sequences: Tensor) => Tensor;
}

/**
 * The ways to read a model's arrays, and what it makes of them itself.
 *
 * @param x in the model's own axes
 * @param cells those that are asked about
 * @throws {TypeError} where it computes more than its recurrent layer and a dense one do.
 * @throws {RangeError} where its cell is none of those.
 */
export function* readingsOfModel(
  model: Model,
  x: Tensor,
  cells: readonly CellReadings[],
): Work<ReadModel> {
  const { of, weights, usual } = partsOf(model);
  if (!cells.includes(of)) {
    throw new RangeError(
      `Cannot diagnose: the options must fit the model's cell, but it is ${of.owner}`,
    );
  }
  const network = networkOf(model, "diagnose");
  const running = network.forwardWork(network.checkInputs(x, "diagnose"));
  const { output } = yield* part(running, 0, 0.5);
  const all = readingsOfArrays(weights, x.shape[2]!, [of]);
  for (const axes of [[0, 1, 2], [1, 0, 2]]) {
    const batchFirst = (one: Tensor) => one.shape.length === 3 ? permuted(numbers, one, axes) : one;
    const [input, own] = [batchFirst(x), batchFirst(output)];
    const shape = { timesteps: input.shape[1]!, returnSequences: own.shape.length === 3 };
    const arrays: ArrayReadings[] = [];
    for (const one of all) {
      const questions = questionsOf(one, shape.timesteps, own, NOTHING, usual);
      const reading = modelOfReading(questions, firstChoice(questions), shape, "as computed");
      const run = yield* part(networkOf(reading).forwardWork([input]), 0.5, 1);
      if (isSame(run.output, own)) arrays.push(one);
    }
    if (arrays.length > 0) return { arrays, usual, batchFirst };
  }
  throw notAlone(network);
}

/** But for rounding in float64. */
function isSame(a: Tensor, b: Tensor): boolean {
  return sameShape(a.shape, b.shape) &&
    a.data.every((x, k) => Math.abs(x - b.data[k]!) <= 1e-9 * Math.max(1, Math.abs(x)));
}

function notAlone({ layers }: Network): TypeError {
  return new TypeError(
    "Cannot diagnose: the model must compute one recurrent layer, with a dense layer after it or " +
      `without, but its layers are ${layers.map(({ name }) => name).join(", ")}`,
  );
}

function partsOf(model: Model): ModelParts {
  const network = networkOf(model, "diagnose");
  const withArrays = arraysByLayer(network).filter(({ arrays }) => arrays.length > 0);
  const [recurrent, ...more] = withArrays.filter(({ layer }) => recurrenceOf(layer));
  const after = withArrays.filter(({ layer }) => recurrenceOf(layer) === undefined);
  if (recurrent === undefined || more.length > 0 || after.length > 1) throw notAlone(network);
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
