// Weights of samples and classes, validation data, early stopping and evaluate() against Keras 3.15.1
// (tests/fixtures/formats/keras_fit.py), in float64: losses to 1e-6, weights to 2e-6.

import {
  adam,
  dense,
  type FitOptions,
  loadNpz,
  lstm,
  sequential,
  type Tensor,
} from "@gatescope/lstm";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { formatFile } from "../formats/loaded.ts";

const arrays = await loadNpz(formatFile("keras_fit.npz"));
const array = (name: string): Tensor => arrays.get(name)!;
const [x, y] = [array("x"), array("y")];

function newModel() {
  const layers = [lstm({ units: 4 }), dense({ units: 3, activation: "softmax" })];
  const model = sequential(layers, { inputShape: [5, 3], precision: "float64" });
  model.setWeights([0, 1, 2, 3, 4].map((k) => array(`weights_${k}`)));
  model.compile({
    optimizer: adam({ learningRate: 0.05 }),
    loss: "sparse_categorical_crossentropy",
    metrics: ["accuracy"],
  });
  return model;
}

const classWeight = { 0: 0.5, 1: 2, 2: 1 };
const validationData = [array("vx"), array("vy")] as const;
const CASES: Readonly<Record<string, FitOptions>> = {
  sample: { sampleWeight: array("sample"), epochs: 3 },
  class: { classWeight, epochs: 3 },
  validated: { validationData, epochs: 3 },
  stopped: { validationData, epochs: 30, earlyStopping: { patience: 2 } },
};

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  assertEquals(actual.length, expected.length);
  for (let k = 0; k < actual.length; k++) {
    const off = Math.abs(actual[k]! - expected[k]!) / Math.max(1, Math.abs(expected[k]!));
    assert(off <= tolerance, `at ${k}: ${actual[k]}, Keras ${expected[k]}`);
  }
}

for (const [name, options] of Object.entries(CASES)) {
  Deno.test(`fit with ${Object.keys(options).join(", ")} is Keras's`, async () => {
    const model = newModel();
    const history = await model.fit(x, y, {
      ...options,
      batchSize: 4,
      shuffle: false,
      verbose: false,
    });
    assertClose(history.loss, array(`${name}_loss`).data, 1e-6);
    if (arrays.has(`${name}_val_loss`)) {
      assertClose(history.valLoss!, array(`${name}_val_loss`).data, 1e-6);
      assertClose(history.valAccuracy!, array(`${name}_val_accuracy`).data, 1e-6);
    }
    model.getWeights().forEach(({ data }, k) => {
      assertClose(data, array(`${name}_after_${k}`).data, 5e-6);
    });
    const { loss, accuracy } = model.evaluate(...validationData);
    assertClose([loss, accuracy!], array(`${name}_evaluated`).data, 2e-6);
  });
}

Deno.test("the best weights come back, or stay away where they are not asked for", async () => {
  const options = { batchSize: 4, shuffle: false, verbose: false, validationData, epochs: 30 };
  const [kept, last] = [newModel(), newModel()];
  await kept.fit(x, y, { ...options, earlyStopping: { patience: 2 } });
  const history = await last.fit(x, y, {
    ...options,
    earlyStopping: { patience: 2, restoreBestWeights: false },
  });
  assert(history.valLoss!.length < 30);
  assertClose([kept.evaluate(...validationData).loss], [Math.min(...history.valLoss!)], 1e-14);
  assertClose([last.evaluate(...validationData).loss], [history.valLoss!.at(-1)!], 1e-14);
});

Deno.test("weights and validation that do not fit are refused", async () => {
  const model = newModel();
  const refused = (options: object, message: string) =>
    assertRejects(() => model.fit(x, y, { verbose: false, ...options }), Error, message);
  await refused({ sampleWeight: [1, 2] }, "sampleWeight must be [samples], [10] here");
  await refused({ sampleWeight: new Float64Array(10).fill(-1) }, "a number from 0");
  await refused({ classWeight: { 0: 1, 1: 1 } }, "class 2 has none");
  await refused({ classWeight, sampleWeight: array("sample") }, "both are given");
  await refused({ validationData, validationSplit: 0.5 }, "both are given");
  await refused({ validationData: [array("vx")] }, "validationData must be [x, y]");
  await refused({ earlyStopping: { patience: -1 } }, "patience must be a whole number from 0");
  await refused({ earlyStopping: { monitor: "valLoss" } }, "there are none");
  await refused({ earlyStopping: { patiense: 1 } }, "did you mean patience?");
  assertThrows(() => model.evaluate(x, [1, 2]), TypeError, "a target for each sample");
});
