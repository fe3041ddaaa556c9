// A reading of arrays as a model of Keras's conventions.

import { type Gates, joinGates } from "../../cells/gates.ts";
import { dense } from "../../layers/dense.ts";
import { lstm } from "../../layers/lstm.ts";
import type { Model } from "../../model/model.ts";
import { sequential } from "../../model/sequential.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Choice, Order, Questions } from "./readings.ts";

/** The model that a reading means, its weights in Keras's layout and order. */
export function modelOfReading(
  questions: Questions,
  choice: Choice,
  { timesteps, returnSequences }: {
    readonly timesteps: number;
    readonly returnSequences: boolean;
  },
): Model {
  const { arrays, activations, recurrentActivations, denseActivations } = questions;
  const { units, inputSize } = arrays;
  const kernels = arrays.kernels[choice.kernels]!;
  const order = questions.orders[choice.order]!;
  const inKerasOrder = (fused: Tensor) => joinGates(blocksOf(fused, order));
  const bias = blocksOf(arrays.bias[choice.bias]!.tensor, order);
  const added = questions.forgetBias[choice.forgetBias]!;
  const forget = bias.forget.data.map((b) => Math.fround(b + added)); // as it is added in float32
  const weights = [
    inKerasOrder(kernels.kernel[choice.kernel]!.tensor),
    inKerasOrder(kernels.recurrentKernel[choice.recurrentKernel]!.tensor),
    joinGates({ ...bias, forget: new Tensor(forget, bias.forget.shape) }),
  ];
  const layers = [lstm({
    units,
    activation: activations[choice.activation]!,
    recurrentActivation: recurrentActivations[choice.recurrentActivation]!,
    goBackwards: questions.reversed[choice.time]!,
    returnSequences,
  })];
  const after = arrays.dense === undefined ? [] : [dense({
    units: arrays.dense.bias.data.length,
    activation: denseActivations[choice.denseActivation]!,
  })];
  const model = sequential([...layers, ...after], { inputShape: [timesteps, inputSize] });
  model.setWeights(
    arrays.dense === undefined
      ? weights
      : [...weights, arrays.dense.kernel[choice.denseKernel]!.tensor, arrays.dense.bias],
  );
  return model;
}

/** The four blocks of the last axis, in any order. */
function blocksOf({ data, shape }: Tensor, { blocks }: Order): Gates {
  const width = shape.at(-1)!;
  const units = width / 4;
  const rows = data.length / width;
  const block = (place: number) => {
    const out = new Float64Array(rows * units);
    for (let row = 0; row < rows; row++) {
      const start = row * width + place * units;
      out.set(data.subarray(start, start + units), row * units);
    }
    return new Tensor(out, shape.with(-1, units));
  };
  const [input, forget, candidate, output] = blocks.map(block) as [Tensor, Tensor, Tensor, Tensor];
  return { input, forget, candidate, output };
}
