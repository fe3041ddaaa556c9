// Normalizations, slopes, dot products, and merges under masks, against Keras 3.15.1
// (tests/fixtures/formats/keras_masks.py). Tolerance 1e-6 of the largest number: float32 on Keras's
// side; training in float64 on both, 1e-9.

import {
  adam,
  addition,
  batchNormalization,
  concatenate,
  type Connection,
  dense,
  dotProduct,
  functional,
  input,
  type Layer,
  lstm,
  masking,
  maximum,
  minimum,
  normalization,
  pReLU,
  sequential,
  sgd,
  softmaxLayer,
  subtraction,
  Tensor,
  unitNormalization,
} from "@gatescope/lstm";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { networkOf } from "../../lib/model/model.ts";
import { assertClose, testKerasFiles } from "./keras_files.ts";
import { checkLayer, numbers } from "../model/central_differences.ts";

const arrays = await testKerasFiles("keras_masks");

const merges: Record<string, (a: Connection, b: Connection) => Connection> = {
  one: (a, b) => concatenate().apply([masking().apply(a), b]),
  other: (a, b) => concatenate().apply([a, masking().apply(b)]),
  both: (a, b) => concatenate().apply([masking().apply(a), masking().apply(b)]),
  along_steps: (a, b) => concatenate({ axis: 1 }).apply([masking().apply(a), masking().apply(b)]),
  along_steps_one: (a, b) => concatenate({ axis: 1 }).apply([masking().apply(a), b]),
  added: (a, b) => addition().apply([masking().apply(a), masking().apply(b)]),
  subtracted_one: (a, b) => subtraction().apply([masking().apply(a), b]),
};

for (const [name, merge] of Object.entries(merges)) {
  Deno.test(`merged ${name}: the steps that count after a merge are Keras's`, () => {
    const [a, b] = [input([6, 2]), input([6, 2])];
    const model = functional([a, b], lstm({ units: 3 }).apply(merge(a, b)));
    model.setWeights([0, 1, 2].map((k) => arrays.get(`weights_merged_${name}_${k}`)!));
    const found = model.predict([arrays.get("first")!, arrays.get("second")!]);
    assertClose(found, arrays.get(`y_merged_${name}`)!, 1e-6, "prediction");
  });
}

// Adam's own rates are float32's in Gatescope, as in Keras by default: 1e-6 there.
const optimizers = [
  { how: "sgd", optimizer: sgd({ learningRate: 0.1 }), tolerance: 1e-7 },
  { how: "adam", optimizer: adam({ learningRate: 0.01 }), tolerance: 1e-6 },
];

for (const name of ["plain", "masked"]) {
  for (const { how, optimizer, tolerance } of optimizers) {
    Deno.test(`LSTM, BatchNormalization, LSTM, Dense, ${name}, by ${how}: two epochs are Keras's in float64, moving statistics too`, async () => {
      const model = sequential([
        ...(name === "masked" ? [masking()] : []),
        lstm({ units: 4, returnSequences: true }),
        batchNormalization({ momentum: 0.8, epsilon: 0.01 }),
        lstm({ units: 3 }),
        dense({ units: 2 }),
      ], { inputShape: [5, 3], precision: "float64" });
      const count = model.getWeights().length;
      const all = (when: string) =>
        Array.from({ length: count }, (_, k) => arrays.get(`fit_${name}_${when}_${k}`)!);
      model.setWeights(all("before"));
      model.compile({ optimizer, loss: "mse" });
      const [x, y] = [arrays.get(`fit_${name}_x`)!, arrays.get(`fit_${name}_y`)!];
      const { loss } = await model.fit(x, y, {
        epochs: 2,
        batchSize: 4,
        shuffle: false,
        verbose: false,
      });
      const found = new Tensor(Float64Array.from(loss), [2]);
      assertClose(found, arrays.get(`fit_${name}_${how}_loss`)!, tolerance, "loss");
      const specs = networkOf(model).weightSpecs;
      model.getWeights().forEach((weight, k) =>
        assertClose(weight, all(how)[k]!, tolerance, specs[k]!.name)
      );
      assertEquals(networkOf(model).trainable.length, count - 2);
      assert(model.summary().text.includes("Non-trainable params: 8 "));
    });
  }
}

const mask = new Tensor(Float64Array.of(1, 1, 0, 1, 0, 0), [2, 3]);
const sequence = numbers([2, 3, 4], 5);
for (
  const [what, layer, masked] of [
    ["unitNormalization", unitNormalization(), false],
    ["pReLU", pReLU(), false],
    ["pReLU, shared", pReLU({ sharedAxes: [1] }), false],
    ["normalization", normalization({ mean: [1, 2, 3, 4], variance: [2, 1, 3, 0.5] }), false],
    ["normalization, inverted", normalization({ mean: 1, variance: 2, invert: true }), false],
    ["batchNormalization in training", batchNormalization(), false],
    ["batchNormalization in training, masked", batchNormalization(), true],
  ] as [string, Layer, boolean][]
) {
  Deno.test(`${what}: gradients are the measured ones`, () => {
    checkLayer(
      { layer, x: sequence, ...(masked && { mask }), training: what.includes("training") },
      what,
    );
  });
}

Deno.test("what cannot be normalized, multiplied or masked is refused by name", () => {
  const build = (layer: Layer) => sequential([layer], { inputShape: [3, 2] });
  assertThrows(() => build(unitNormalization({ axis: 1 })), TypeError, "UnitNormalization");
  assertThrows(() => build(normalization({ axis: 1 })), TypeError, "Normalization");
  assertThrows(() => build(pReLU({ sharedAxes: [3] })), TypeError, "PReLU");
  assertThrows(() => normalization({ mean: 1 }), TypeError, "given together");
  assertThrows(() => normalization({ mean: 1, variance: -1 }), RangeError, "variance");
  assertThrows(() => dotProduct({ axes: 0 }), RangeError, "axes");
  const [a, b] = [input([3, 2]), input([4, 2])];
  assertThrows(() => dotProduct({ axes: 1 }).apply([a, b]), TypeError, "of one length");
  const model = sequential([masking(), softmaxLayer()], { inputShape: [3, 2] });
  assertThrows(() => model.predict(numbers([4, 3, 2], 1)), TypeError, "Softmax");
});

Deno.test("lengths that were open are compared when it runs", () => {
  for (const layer of [concatenate(), addition(), maximum(), minimum()]) {
    const [a, b] = [input([null, 2]), input([null, 2])];
    const model = functional([a, b], layer.apply([a, b]));
    const [three, four] = [numbers([1, 3, 2], 1), numbers([1, 4, 2], 2)];
    assertThrows(() => model.predict([three, four]), TypeError, layer.className);
    assertEquals(model.predict([three, three]).shape.slice(0, 2), [1, 3]);
  }
});
