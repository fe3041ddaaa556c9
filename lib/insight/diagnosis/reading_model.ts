// A reading of arrays as a model of Keras's conventions.

import { dense } from "../../layers/dense.ts";
import type { Model } from "../../model/model.ts";
import { sequential } from "../../model/sequential.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Order } from "./block_orders.ts";
import type { EquationChoice } from "./cell_readings.ts";
import type { Choice, Questions } from "./readings.ts";

/** What the model is run on. */
export interface ReadingShape {
  readonly timesteps: number;
  readonly returnSequences: boolean;
}

/**
 * The model that a reading means, its weights in Keras's layout and order.
 *
 * @param form Keras's equations alone, or the reading's own, step by step, as they are to be proved
 */
export function modelOfReading(
  { arrays: { of, units, inputSize, dense: after } }: Questions,
  choice: Choice,
  { timesteps, returnSequences }: ReadingShape,
  form: "Keras's" | "as computed",
): Model {
  const { activation, recurrentActivation, denseKernel, denseActivation } = choice;
  const equations: EquationChoice = choice;
  const { blocks } = choice.gateOrder;
  const inKerasOrder = (tensor: Tensor) => reordered(tensor, choice.gateOrder);
  const computed = of.arrays({
    kernel: inKerasOrder(choice.kernel.tensor),
    recurrentKernel: inKerasOrder(choice.recurrentKernel.tensor),
    bias: inKerasOrder(stacked(choice.bias.rows, blocks.length * units)),
  }, equations);
  const own = { arrays: computed, choice: equations };
  const meant = form === "Keras's" ? of.inKeras?.(computed, equations) ?? own : own;
  const options = {
    units,
    activation,
    recurrentActivation,
    goBackwards: choice.time === "reversed",
    returnSequences,
  };
  const layers = [of.layer(options, meant.choice)];
  if (after !== undefined) {
    layers.push(dense({ units: after.bias.data.length, activation: denseActivation }));
  }
  const model = sequential(layers, { inputShape: [timesteps, inputSize] });
  const { kernel, recurrentKernel, bias } = meant.arrays;
  const weights = [kernel, recurrentKernel, bias];
  model.setWeights(
    after === undefined ? weights : [...weights, denseKernel!.tensor, after.bias],
  );
  return model;
}

/** `[width]` of one row, `[2, width]` of two. */
function stacked(rows: readonly Tensor[], width: number): Tensor {
  if (rows.length === 1) return rows[0]!;
  return new Tensor(
    Float64Array.from(rows.flatMap(({ data }) => Array.from(data))),
    [rows.length, width],
  );
}

/** The blocks of the last axis in Keras's order. */
function reordered({ data, shape }: Tensor, { blocks }: Order): Tensor {
  const width = shape.at(-1)!;
  const units = width / blocks.length;
  const out = new Float64Array(data.length);
  for (let row = 0; row < data.length; row += width) {
    blocks.forEach((place, k) => {
      const start = row + place * units;
      out.set(data.subarray(start, start + units), row + k * units);
    });
  }
  return new Tensor(out, shape);
}
