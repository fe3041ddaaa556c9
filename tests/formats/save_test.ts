// What is written is read back here; `deno task test:frameworks` opens the same with real Keras and
// real ONNX Runtime.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  arange,
  bidirectional,
  dense,
  dropout,
  embedding,
  getActivation,
  type Layer,
  loadModel,
  lstm,
  masking,
  type Model,
  saveKeras,
  saveOnnx,
  sequential,
  sgd,
  Tensor,
  timeDistributed,
} from "@gatescope/lstm";
import { unzip } from "../../lib/files/zip.ts";
import { difference, formatFile } from "./loaded.ts";

async function reopened(
  save: typeof saveKeras | typeof saveOnnx,
  model: Model,
): Promise<Model> {
  const file = await Deno.makeTempFile();
  try {
    await save(file, model);
    return await loadModel(file);
  } finally {
    await Deno.remove(file);
  }
}

const x = arange(72).reshape([4, 6, 3]);
const sequence = { returnSequences: true };
const softmax = dense({ units: 2, activation: "softmax" });
const reversed = lstm({ units: 5, goBackwards: true, ...sequence });
const both = (mergeMode: "concat" | "sum" | "mul" | "ave", layer = lstm({ units: 4 })) =>
  bidirectional(layer, { mergeMode });

const IN_BOTH: Readonly<Record<string, readonly Layer[]>> = {
  stacked: [lstm({ units: 5, ...sequence }), lstm({ units: 4, activation: "relu" }), softmax],
  reversed: [reversed, lstm({ units: 4, goBackwards: true, useBias: false })],
  concat: [both("concat", lstm({ units: 4, ...sequence })), both("concat")],
  sum: [both("sum", lstm({ units: 4, ...sequence })), both("sum")],
  mul: [both("mul", lstm({ units: 4, ...sequence })), both("mul")],
  ave: [both("ave", lstm({ units: 4, ...sequence })), both("ave")],
  perStep: [lstm({ units: 5, ...sequence }), timeDistributed(softmax), dropout({ rate: 0.2 })],
  dropout: [
    lstm({ units: 5, dropout: 0.2, recurrentDropout: 0.1 }),
    dropout({ rate: 0.5 }),
    softmax,
  ],
  activations: [
    lstm({
      units: 5,
      activation: getActivation("leaky_relu", { negativeSlope: 0.125 }),
      recurrentActivation: "hard_sigmoid",
      ...sequence,
    }),
    lstm({ units: 4, activation: getActivation("elu", { alpha: 0.5 }) }),
    dense({ units: 3, activation: "silu" }),
  ],
};

for (const [name, layers] of Object.entries(IN_BOTH)) {
  for (const save of [saveKeras, saveOnnx]) {
    Deno.test(`${save.name}() writes ${name} so that loadModel() predicts the same`, async () => {
      const model = sequential(layers, { inputShape: [6, 3], seed: 5 });
      const opened = await reopened(save, model);
      const off = difference(opened.predict(x), model.predict(x));
      assert(off <= 1e-7, `${name} is off by ${off}`);
      assertEquals(opened.inputShape, [6, 3]);
    });
  }
}

Deno.test("saveKeras() keeps masks, embeddings, names, precision and open lengths", async () => {
  const words = [embedding({ inputDim: 7, outputDim: 3, maskZero: true }), lstm({ units: 4 })];
  const tagger = sequential(words, { inputShape: [null], seed: 1 });
  const sentences = [[1, 2, 3, 0], [4, 0, 0, 0]];
  const opened = await reopened(saveKeras, tagger);
  assertEquals(opened.predict(sentences), tagger.predict(sentences));
  assertEquals(opened.inputShape, [null]);

  const masked = [masking({ maskValue: -1 }), lstm({ units: 4, name: "reader" }), softmax];
  const model = sequential(masked, { inputShape: [6, 3], seed: 1, precision: "float64" });
  const again = await reopened(saveKeras, model);
  assertEquals(again.layers.map(({ name }) => name), ["masking", "reader", "dense"]);
  assertEquals(again.precision, "float64");
  assertEquals(again.getWeights(), model.getWeights());
});

for (const optimizer of ["adam", "sgd", "rmsprop"] as const) {
  Deno.test(`saveKeras() takes ${optimizer} along: training goes on bit for bit`, async () => {
    const model = sequential([lstm({ units: 4 }), softmax], { inputShape: [6, 3], seed: 2 });
    model.compile({ optimizer, loss: "categorical_crossentropy", metrics: ["accuracy"] });
    const y = [[1, 0], [0, 1], [1, 0], [0, 1]];
    const options = { epochs: 3, batchSize: 2, shuffle: false, verbose: false };
    await model.fit(x, y, options);
    const opened = await reopened(saveKeras, model);
    assertEquals(opened.provenance?.notes, []);
    assertEquals((await opened.fit(x, y, options)).loss, (await model.fit(x, y, options)).loss);
    assertEquals(opened.getWeights(), model.getWeights());
  });
}

Deno.test("saveKeras() writes an optimizer's numbers as floats: Keras refuses momentum 0, not 0.0", async () => {
  const folder = await Deno.makeTempDir();
  const model = sequential([lstm({ units: 2 }), dense({ units: 1 })], { inputShape: [3, 2] });
  model.compile({ optimizer: sgd({ learningRate: 1, clipnorm: 2 }), loss: "mse" });
  await saveKeras(`${folder}/sgd.keras`, model);
  const entries = await unzip(await Deno.readFile(`${folder}/sgd.keras`));
  const config = new TextDecoder().decode(entries.get("config.json"));
  for (const text of [`"learning_rate":1.0`, `"momentum":0.0`, `"clipnorm":2.0`]) {
    assert(config.includes(text), config);
  }
  const again = await loadModel(`${folder}/sgd.keras`);
  assertEquals(again.provenance!.notes, []);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("saveKeras() and saveOnnx() write the layers that came from other frameworks", async () => {
  const torch = await loadModel(formatFile("pytorch/bidirectional_stacked.safetensors"));
  for (const save of [saveKeras, saveOnnx]) {
    assert(difference((await reopened(save, torch)).predict(x), torch.predict(x)) <= 1e-7);
  }
  const last = await loadModel(formatFile("pytorch/classifier_bidirectional.onnx"));
  const reverse = await loadModel(formatFile("onnx/reverse.onnx"));
  for (const save of [saveKeras, saveOnnx]) {
    assert(difference((await reopened(save, last)).predict(x), last.predict(x)) <= 1e-7);
    // time comes first there, which no layer of Keras's turns
    await assertRejects(() => save("never", reverse), TypeError, "OnnxTranspose");
  }
});

Deno.test("saveKeras() refuses activations that Keras 3 does not have, and stateful layers without a batch", async () => {
  const old = sequential([lstm({ units: 2, recurrentActivation: "hard_sigmoid_keras2" })], {
    inputShape: [6, 3],
  });
  await assertRejects(() => saveKeras("never.keras", old), RangeError, "hard_sigmoid_keras2");
  const stateful = sequential([lstm({ units: 2, stateful: true })], { inputShape: [6, 3] });
  await assertRejects(() => saveKeras("never.keras", stateful), TypeError, "batchSize is unset");
  const file = await Deno.makeTempFile();
  await saveKeras(file, stateful, { batchSize: 4 });
  assertEquals((await loadModel(file)).predict(x), stateful.predict(x));
  await Deno.remove(file);
});

for (const save of [saveKeras, saveOnnx]) {
  Deno.test(`${save.name}() writes the weights that the model had when it was called`, async () => {
    const model = sequential([lstm({ units: 2 }), softmax], { inputShape: [6, 3], seed: 1 });
    const before = model.predict(x);
    const file = await Deno.makeTempFile();
    const saving = save(file, model);
    model.setWeights(
      model.getWeights().map(({ shape }) =>
        new Tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)
      ),
    );
    await saving;
    assert(difference((await loadModel(file)).predict(x), before) < 1e-6);
    await Deno.remove(file);
  });
}
