// What a user calls: `predict` of a model, and `fit` on one batch.

import {
  conv1D,
  dense,
  gru,
  lstm,
  type Model,
  sequential,
  Tensor,
  useThreads,
} from "@gatescope/lstm";
import { type Run, servePeer } from "../peer.ts";
import { type Arrays, arrayShapes, classes, KERNEL_SIZE, type Shape } from "../shapes.ts";

function prepare(shape: Shape, arrays: Arrays): Run {
  const { cell, batch, timesteps, inputSize, filters, units } = shape;
  const shapes = arrayShapes(shape);
  const tensor = (name: keyof Arrays) => new Tensor(arrays[name], shapes[name]);
  const layers = [
    ...(filters === undefined ? [] : [
      conv1D({ filters, kernelSize: KERNEL_SIZE, padding: "same", activation: "relu" }),
    ]),
    cell === "gru" ? gru({ units }) : lstm({ units }),
    dense({ units: classes, activation: "softmax" }),
  ];
  const model: Model = sequential(layers, { inputShape: [timesteps, inputSize], seed: 1 });
  const convolution = ["convolution", "convolutionBias"] as const;
  const weights = [
    ...(filters === undefined ? [] : convolution),
    ...["kernel", "recurrentKernel", "bias", "denseKernel", "denseBias"] as const,
  ];
  model.setWeights(weights.map(tensor));
  const x = tensor("x");
  if (!shape.trains) return () => model.predict(x).data as Float32Array;

  const y = tensor("y");
  const options = { batchSize: batch, shuffle: false, verbose: false };
  model.compile({ optimizer: "adam", loss: "categorical_crossentropy" });
  return async () => (await model.fit(x, y, options)).loss[0]!;
}

const threads = Deno.args[1];
if (threads !== undefined) useThreads(Number(threads)); // until the process ends
await servePeer(prepare);
