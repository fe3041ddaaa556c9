// The layers that stand around an LSTM, against Keras 3.15.1 (tests/fixtures/formats/keras_layers.py).
// Tolerance 1e-6 of the largest number: float32 on Keras's side.

import {
  batchNormalization,
  conv1D,
  dense,
  loadModel,
  loadNpz,
  lstm,
  maxPooling1D,
  prove,
  saveKeras,
  sequential,
  type Tensor,
  trace,
} from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { networkOf } from "../../lib/model/model.ts";
import { formatFile } from "../interop/loaded.ts";

const arrays = await loadNpz(formatFile("keras_layers/values.npz"));
const names = [...arrays.keys()].filter((key) => key.startsWith("x_")).map((key) => key.slice(2));

function assertClose(actual: Tensor, expected: Tensor, tolerance: number, what: string) {
  assertEquals(actual.shape, expected.shape, what);
  const largest = (expected.data as Float64Array).reduce(
    (most, e) => Math.max(most, Math.abs(e)),
    1,
  );
  expected.data.forEach((e, k) => {
    const off = Math.abs(actual.data[k]! - e) / largest;
    assert(off <= tolerance, `${what} at ${k}: ${actual.data[k]}, Keras ${e}`);
  });
}

for (const name of names) {
  Deno.test(`${name}: prediction and gradients are Keras's, the proof holds, the file comes back`, async () => {
    const model = await loadModel(formatFile(`keras_layers/${name}.keras`));
    const [x, y] = [arrays.get(`x_${name}`)!, arrays.get(`y_${name}`)!];
    assertClose(model.predict(x), y, 1e-6, "prediction");
    const { verdict } = prove(model, x, { expected: y });
    assert(verdict === "rounding" || verdict === "equal", verdict);
    assertClose(trace(model, x).prediction, y, 1e-6, "traced");

    const network = networkOf(model);
    const run = network.forwardOnTape(network.checkInputs(x, "predict"));
    const gradients = run.backward([arrays.get(`factors_${name}`)!]);
    network.trainable.forEach((k, at) => {
      const what = `gradient of ${network.weightSpecs[k]!.name}`;
      assertClose(gradients[k]!, arrays.get(`gradients_${name}_${at}`)!, 2e-6, what);
    });

    const file = await Deno.makeTempFile({ suffix: ".keras" });
    await saveKeras(file, model);
    const again = await loadModel(file);
    await Deno.remove(file);
    assertEquals(again.predict(x), model.predict(x));
  });
}

Deno.test("a CNN-LSTM with BatchNormalization learns as in Keras: losses, weights, moving statistics", async () => {
  const trained = await loadModel(formatFile("keras_layers/cnn_lstm.keras"));
  const model = sequential([
    conv1D({ filters: 4, kernelSize: 2, activation: "relu" }),
    batchNormalization(),
    maxPooling1D({ poolSize: 2 }),
    lstm({ units: 5 }),
    dense({ units: 2, activation: "softmax" }),
  ], { inputShape: [7, 3] });
  model.setWeights(trained.getWeights());
  assertEquals(networkOf(model).trainable.length, model.getWeights().length - 2);
  const { adam } = await import("@gatescope/lstm");
  model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: "categorical_crossentropy" });
  const { loss } = await model.fit(arrays.get("x_cnn_lstm")!, arrays.get("target")!, {
    epochs: 3,
    batchSize: 2,
    shuffle: false,
    verbose: false,
  });
  loss.forEach((value, k) => {
    const theirs = arrays.get("loss")!.data[k]!;
    assert(
      Math.abs(value - theirs) <= 2e-6 * Math.max(1, theirs),
      `epoch ${k}: ${value}, ${theirs}`,
    );
  });
  model.getWeights().forEach((weight, k) => {
    assertClose(weight, arrays.get(`after_${k}`)!, 5e-6, networkOf(model).weightSpecs[k]!.name);
  });
});
