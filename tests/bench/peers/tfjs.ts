import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { servePeer } from "../peer.ts";
import { type Arrays, arrayShapes, classes, KERNEL_SIZE, type Shape } from "../shapes.ts";

const backend = Deno.args[1]!;
if (backend === "wasm") {
  setWasmPaths(
    new URL("../node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url).pathname,
  );
}
await tf.setBackend(backend);
await tf.ready();

/** The plain JavaScript backend needs seconds for these. */
const tooSlow = (shape: Shape) => backend === "cpu" && (shape.batch > 1 || shape.trains);

function makeModel(shape: Shape, arrays: Arrays): tf.Sequential {
  const { units, timesteps, inputSize, filters } = shape;
  const model = tf.sequential({
    layers: [
      ...(filters === undefined ? [] : [
        tf.layers.conv1d({
          ...{ filters, kernelSize: KERNEL_SIZE, padding: "same", activation: "relu" },
          inputShape: [timesteps, inputSize],
        }),
      ]),
      tf.layers.lstm({
        units,
        recurrentActivation: "sigmoid",
        recurrentInitializer: "glorotUniform", // set below; the default one takes seconds
        inputShape: [timesteps, inputSize],
      }),
      tf.layers.dense({ units: classes, activation: "softmax" }),
    ],
  });
  const sizes = arrayShapes(shape);
  const names = [
    ...(filters === undefined ? [] : ["convolution", "convolutionBias"] as const),
    ...["kernel", "recurrentKernel", "bias", "denseKernel", "denseBias"] as const,
  ];
  model.setWeights(names.map((name) => tf.tensor(arrays[name], sizes[name])));
  return model;
}

await servePeer((shape, arrays) => {
  if (tooSlow(shape) || shape.cell === "gru") return undefined; // it has no reset after
  const { batch, timesteps, inputSize } = shape;
  const model = makeModel(shape, arrays);
  const x = tf.tensor(arrays.x, [batch, timesteps, inputSize]);
  if (shape.trains) {
    const y = tf.tensor(arrays.y, [batch, classes]);
    model.compile({ optimizer: tf.train.adam(0.001), loss: "categoricalCrossentropy" });
    return async () => Number(await model.trainOnBatch(x, y));
  }
  return () => tf.tidy(() => (model.predict(x) as tf.Tensor).dataSync() as Float32Array);
});
