// What Keras does while it validates: stateful layers go on, and 0.5 is not above 0.5.

import { dense, lstm, type Model, sequential, sgd, Tensor } from "@gatescope/lstm";
import { assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { seededRandom } from "../../lib/tensor/random.ts";

const random = seededRandom(3);
const numbers = (...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
    shape,
  );

function stateful(): Model {
  const layers = [lstm({ units: 3, stateful: true }), dense({ units: 1 })];
  const model = sequential(layers, { inputShape: [4, 2], seed: 5, precision: "float64" });
  model.compile({ optimizer: sgd(), loss: "mse" });
  return model;
}

Deno.test("validation starts where training ended, and what it remembers goes on after it", async () => {
  const [x, y, next] = [numbers(8, 4, 2), numbers(8, 1), numbers(2, 4, 2)];
  const part = (whole: Tensor, from: number, to: number) => {
    const each = whole.data.length / 8;
    return new Tensor(whole.data.slice(from * each, to * each), [
      to - from,
      ...whole.shape.slice(1),
    ]);
  };
  const options = { epochs: 1, batchSize: 2, shuffle: false, verbose: false } as const;
  const whole = stateful();
  const { valLoss } = await whole.fit(x, y, { ...options, validationSplit: 0.25 });

  const byHand = stateful();
  await byHand.fit(part(x, 0, 6), part(y, 0, 6), options);
  const predicted = byHand.predict(part(x, 6, 8)); // goes on from the last batch, and is remembered
  const errors = Array.from(predicted.data, (p, k) => (p - y.data[6 + k]!) ** 2);
  assertAlmostEquals(valLoss![0]!, (errors[0]! + errors[1]!) / 2, 1e-7); // predict() gives float32
  assertEquals(whole.predict(next), byHand.predict(next));

  const forgetful = stateful();
  await forgetful.fit(part(x, 0, 6), part(y, 0, 6), options);
  assertNotEquals(forgetful.predict(next), whole.predict(next));
});

Deno.test("an output of exactly 0.5 is a no: accuracy as keras.metrics.BinaryAccuracy has it", async () => {
  for (const [targets, expected] of [[[1, 0], 0.5], [[0, 0], 1], [[1, 1], 0]] as const) {
    const layers = [lstm({ units: 2 }), dense({ units: 1, activation: "sigmoid" })];
    const model = sequential(layers, { inputShape: [3, 1], seed: 1 });
    model.setWeights(model.getWeights().map((w) => new Tensor(w.data.map(() => 0), w.shape)));
    model.compile({ optimizer: sgd(), loss: "binary_crossentropy", metrics: ["accuracy"] });
    const y = targets.map((target) => [target]);
    const { accuracy } = await model.fit(numbers(2, 3, 1), y, { epochs: 1, verbose: false });
    assertEquals(accuracy, [expected]);
  }
});
