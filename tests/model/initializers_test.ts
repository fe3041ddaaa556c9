// Keras's distributions: orthogonal to 1e-12, the others by their bounds and moments.

import { dense, lstm, type OpenShape, sequential, splitGates, type Tensor } from "@gatescope/lstm";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { glorotUniform, orthogonal } from "../../lib/layers/initializers.ts";
import { dot } from "../../lib/tensor/arithmetic.ts";
import { seededRandom } from "../../lib/tensor/random.ts";

Deno.test("a recurrent kernel has orthogonal rows of length 1, wide or tall, small or large", () => {
  for (const shape of [[1, 4], [3, 12], [64, 256], [12, 5], [4, 4]]) {
    const q = orthogonal(shape, seededRandom(1));
    assertEquals(q.shape, shape);
    const wide = shape[0]! <= shape[1]! ? q : q.transpose();
    const products = dot(wide, wide.transpose());
    products.data.forEach((value, k) => {
      const onDiagonal = k % (products.shape[0]! + 1) === 0;
      assertAlmostEquals(value, onDiagonal ? 1 : 0, 1e-12);
    });
  }
});

Deno.test("orthogonal matrices point in all directions alike", () => {
  const random = seededRandom(2);
  const first = Array.from({ length: 4000 }, () => orthogonal([2, 2], random).item(0, 0));
  const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
  assertAlmostEquals(mean(first), 0, 0.05); // deviation √(1/2)/√4000 = 0.011
  assertAlmostEquals(mean(first.map((value) => value ** 2)), 0.5, 0.05);
});

Deno.test("glorot spreads evenly to √(6 / (rows + columns)), over all four gates at once", () => {
  const { data } = glorotUniform([100, 400], seededRandom(3));
  const limit = Math.sqrt(6 / 500);
  assert(data.every((value) => Math.abs(value) <= limit));
  assert(Math.max(...data) > 0.999 * limit && Math.min(...data) < -0.999 * limit);
  const variance = Array.from(data, (value) => value ** 2).reduce((a, b) => a + b) / data.length;
  assertAlmostEquals(variance, limit ** 2 / 3, 0.02 * limit ** 2);
});

Deno.test("the forget gate's bias starts at 1, the others at 0; unitForgetBias false has no 1", () => {
  const biasOf = (unitForgetBias: boolean) => {
    const layers = [lstm({ units: 3, unitForgetBias }), dense({ units: 2 })];
    const weights = sequential(layers, { inputShape: [2, 5] }).getWeights();
    assertEquals(weights[4]!.toArray(), [0, 0]);
    return weights[2]!;
  };
  const { input, forget, candidate, output } = splitGates(biasOf(true));
  assertEquals(forget.toArray(), [1, 1, 1]);
  for (const gate of [input, candidate, output]) assertEquals(gate.toArray(), [0, 0, 0]);
  assertEquals([...biasOf(false).data], Array(12).fill(0));
});

Deno.test("the same seed gives the same model, another seed another, none any", () => {
  const weights = (seed?: number): Tensor[] =>
    sequential([lstm({ units: 3 }), dense({ units: 2 })], {
      inputShape: [2, 5],
      ...(seed === undefined ? {} : { seed }),
    }).getWeights();
  const arrays = (seed?: number) => weights(seed).map((weight) => weight.toArray());
  assertEquals(arrays(7), arrays(7));
  assertNotEquals(arrays(7)[0], arrays(8)[0]);
  assertNotEquals(arrays()[0], arrays()[0]);
});

Deno.test("rows that start nearly parallel end at right angles all the same: twice is enough", () => {
  const chance = seededRandom(4);
  const shared = Array.from({ length: 8 }, () => chance.normal());
  let drawn = 0;
  const nearlyParallel = {
    ...chance,
    normal: () => shared[drawn++ % 8]! + 1e-9 * chance.normal(),
  };
  const q = orthogonal([3, 8], nearlyParallel);
  const products = dot(q, q.transpose());
  products.data.forEach((value, k) => assertAlmostEquals(value, k % 4 === 0 ? 1 : 0, 1e-12));
});

Deno.test("no weights start before they are needed: not where others take their place", () => {
  const layer = lstm({ units: 2 });
  const initialize = () => {
    throw new Error("started");
  };
  const late = {
    ...layer,
    weights: (input: OpenShape) => layer.weights(input).map((spec) => ({ ...spec, initialize })),
  };
  const model = sequential([late], { inputShape: [3, 1] });
  assertEquals(model.layers[0]!.parameters, 32);
  model.summary();
  model.setWeights([[Array(8).fill(0)], Array(2).fill(Array(8).fill(0)), Array(8).fill(0)]);
  assertEquals(model.predict([[[1], [1], [1]]]).toArray(), [[0, 0]]);
  const other = sequential([late], { inputShape: [3, 1] });
  assertThrows(() => other.predict([[[1], [1], [1]]]), Error, "started");
});
