import { fastActivation } from "../../../lib/compute/activations.ts";
import { adamStep } from "../../../lib/compute/adam.ts";
import { DenseTraining } from "../../../lib/compute/dense_training.ts";
import { GatedTraining } from "../../../lib/compute/gated_training.ts";
import { Plan } from "../../../lib/compute/plan.ts";
import { type Run, servePeer } from "../peer.ts";
import { type Arrays, classes, type Shape } from "../shapes.ts";

const forms = {
  tanh: fastActivation("tanh")!,
  sigmoid: fastActivation("sigmoid")!,
  softmax: fastActivation("softmax")!,
};
/** `record`: every gate of every step is written down. */
const record = Deno.args[1] === "record";

function prepare(shape: Shape, arrays: Arrays): Run | undefined {
  const { kernel, recurrentKernel, bias, denseKernel, denseBias, x } = arrays;
  if (shape.filters !== undefined) return undefined;
  const { cell: cellName, units } = shape;
  const recurrent = {
    ...{ kind: "gated", cellName, units, kernel, recurrentKernel, bias } as const,
    ...{ activation: forms.tanh, recurrentActivation: forms.sigmoid, record },
  };
  const dense = {
    ...{ kind: "dense", units: classes, kernel: denseKernel, bias: denseBias } as const,
    activation: forms.softmax,
  };
  if (shape.trains) return record ? undefined : trainingStep(shape, arrays);
  const plan = new Plan([recurrent, dense], shape);
  return () => plan.run(x);
}

function trainingStep(shape: Shape, arrays: Arrays): Run {
  const { cell: cellName, batch, units } = shape;
  const { x, y } = arrays;
  const recurrent = new GatedTraining(
    { cellName, units, activation: forms.tanh, recurrentActivation: forms.sigmoid },
    shape,
  );
  const dense = new DenseTraining({ units: classes, activation: forms.softmax }, batch, units);
  const recurrentArrays = {
    kernel: arrays.kernel,
    recurrentKernel: arrays.recurrentKernel,
    bias: arrays.bias,
  };
  const denseArrays = { kernel: arrays.denseKernel, bias: arrays.denseBias };
  const weights = [...Object.values(recurrentArrays), ...Object.values(denseArrays)];
  const states = weights.map((weights) => ({
    weights,
    mean: new Float32Array(weights.length),
    square: new Float32Array(weights.length),
  }));
  let t = 0;
  return () => {
    const hidden = recurrent.forward(x, recurrentArrays);
    const prediction = dense.forward(hidden.output, denseArrays);
    const p = prediction.output;
    let loss = 0;
    const byPrediction = p.map((pk, k) => {
      if (y[k] === 0) return 0;
      loss -= Math.log(pk) / batch;
      return -y[k]! / pk / batch;
    });
    const g2 = prediction.backward(byPrediction);
    const g1 = hidden.backward(g2.x!, { byInput: false });
    const gradients = [g1.kernel, g1.recurrentKernel, g1.bias, g2.kernel, g2.bias];
    t++;
    const alpha = 0.001 * Math.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t);
    const numbers = { alpha, keep1: 0.1, keep2: 0.001, epsilon: 1e-7 };
    states.forEach(({ weights, ...moments }, k) => {
      const step = adamStep({ weights, ...moments }, gradients[k]!, numbers);
      weights.set(step.weights); // the layers' own
      Object.assign(states[k]!, { mean: step.mean, square: step.square });
    });
    return loss;
  };
}

await servePeer(prepare);
