// What everybody's result must be: lib/cells/lstm_forward.ts and dense.ts, in float64.

import { denseForward } from "../../lib/cells/dense.ts";
import { lstmForward } from "../../lib/cells/lstm_forward.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
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
  const { hiddenState } = lstmForward(tensor("x"), {
    kernel: tensor("kernel"),
    recurrentKernel: tensor("recurrentKernel"),
    bias: tensor("bias"),
  });
  const dense = { kernel: tensor("denseKernel"), bias: tensor("denseBias") };
  const p = denseForward(hiddenState.select(1, -1), dense, { activation: "softmax" }).data;
  if (!shape.trains) return Float64Array.from(p);
  let loss = 0;
  for (let n = 0; n < batch; n++) loss -= Math.log(p[n * classes + n % classes]!) / batch;
  return Float64Array.of(loss);
}
