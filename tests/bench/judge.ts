// What everybody's result must be: the equations of lib/cells and lib/layers, in float64.

import { denseForward } from "../../lib/cells/dense.ts";
import { gruForward } from "../../lib/cells/gru.ts";
import { lstmForward } from "../../lib/cells/lstm_forward.ts";
import { convolved } from "../../lib/layers/convolution.ts";
import { asFloat64, Tensor } from "../../lib/tensor/tensor.ts";
import { numbers } from "../../lib/values/numbers.ts";
import { type Arrays, arrayShapes, classes, type Shape } from "./shapes.ts";

/** The first samples are enough, and float64 takes its time. */
const SAMPLES = 2;

/** Probabilities of the first samples; of a training shape, the loss before any step. */
export function judge(shape: Shape, arrays: Arrays): Float64Array {
  const batch = shape.trains ? shape.batch : Math.min(SAMPLES, shape.batch);
  const part = { ...shape, batch };
  const sizes = arrayShapes(part);
  const tensor = (name: keyof Arrays) => {
    const length = sizes[name].reduce((a, b) => a * b);
    return new Tensor(arrays[name].slice(0, length), sizes[name]);
  };
  const { hiddenState } = runOf(part, tensor);
  const dense = { kernel: tensor("denseKernel"), bias: tensor("denseBias") };
  const p = denseForward(hiddenState.select(1, -1), dense, { activation: "softmax" }).data;
  if (!shape.trains) return Float64Array.from(p);
  let loss = 0;
  for (let n = 0; n < batch; n++) loss -= Math.log(p[n * classes + n % classes]!) / batch;
  return Float64Array.of(loss);
}

function runOf({ cell, filters, batch, timesteps }: Shape, tensor: (name: keyof Arrays) => Tensor) {
  const weights = {
    kernel: tensor("kernel"),
    recurrentKernel: tensor("recurrentKernel"),
    bias: tensor("bias"),
  };
  if (cell === "gru") return gruForward(tensor("x"), weights);
  if (filters === undefined) return lstmForward(tensor("x"), weights);
  const x = tensor("x");
  const windows = { sizes: [3], strides: [1], dilations: [1], before: [1], counts: [timesteps] };
  const [kernel, bias] = [tensor("convolution"), tensor("convolutionBias")].map(asFloat64);
  const y = convolved(numbers, asFloat64(x), kernel!, bias, windows, 1);
  const seen = new Tensor(y.data.map((value) => Math.max(0, value)), [batch, timesteps, filters]);
  return lstmForward(seen, weights);
}
