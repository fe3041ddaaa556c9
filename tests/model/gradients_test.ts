import {
  categoricalCrossentropy,
  dense,
  dropout,
  gradients,
  lstm,
  sequential,
  splitGates,
  Tensor,
} from "@gatescope/lstm";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { finish } from "../../lib/base/work.ts";
import { networkOf } from "../../lib/model/model.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { Gradients, type Variable } from "../../lib/values/gradients.ts";

// Central differences with this step carry rounding (1e-16 / 1e-5) and a third derivative (1e-10).
const STEP = 1e-5;
const RELATIVE = 1e-6;

const random = seededRandom(8);
const x = new Tensor(Float64Array.from({ length: 30 }, random.normal), [5, 3, 2]);
const y = [0, 2, 1, 0, 1];

const newModel = (precision: "float32" | "float64" = "float64") =>
  sequential([
    lstm({ units: 4 }),
    dropout({ rate: 0.5 }),
    dense({ units: 3, activation: "softmax" }),
  ], { inputShape: [3, 2], seed: 2, precision });

Deno.test("gradients() agrees with central differences of the loss, and drops nothing", () => {
  const model = newModel();
  const weights = model.getWeights();
  // predict() would round to float32
  const loss = () => {
    const { output } = networkOf(model).forward([x]);
    return y.reduce((sum, label, n) => sum - Math.log(output.item(n, label)) / y.length, 0);
  };
  const found = gradients(model, x, y, { loss: "sparse_categorical_crossentropy" });
  assertEquals(found.map(({ shape }) => shape), weights.map(({ shape }) => shape));
  for (const [k, weight] of weights.entries()) {
    const largest = Math.max(...found[k]!.data.map(Math.abs));
    for (let i = 0; i < weight.data.length; i++) {
      const at = (shift: number) => {
        const moved = new Tensor(Float64Array.from(weight.data), weight.shape);
        moved.data[i]! += shift;
        model.setWeights(weights.with(k, moved));
        return loss();
      };
      const difference = (at(STEP) - at(-STEP)) / (2 * STEP) - found[k]!.data[i]!;
      assert(Math.abs(difference) <= RELATIVE * largest, `weight ${k}, ${i}: ${difference}`);
    }
    model.setWeights(weights);
  }
});

Deno.test("gradients() takes the compiled loss, splits by gate, and changes nothing", () => {
  const model = newModel("float32");
  const oneHot = y.map((label) => [0, 1, 2].map((k) => Number(k === label)));
  assertThrows(() => gradients(model, x, oneHot), TypeError, "compiled first");
  model.compile({ optimizer: "adam", loss: "categorical_crossentropy" });
  const [weights, state] = [model.getWeights(), model.getTrainingState()];
  const found = gradients(model, x, oneHot);
  assert(found.every(({ data }) => data instanceof Float64Array));
  assertEquals(gradients(model, x, oneHot, { loss: categoricalCrossentropy() }), found);
  assertEquals(splitGates(found[0]!).candidate.shape, [2, 4]);
  assertEquals([model.getWeights(), model.getTrainingState()], [weights, state]);
});

Deno.test("gradients() refuses what fit refuses", () => {
  const model = newModel();
  const loss = "sparse_categorical_crossentropy";
  assertThrows(() => gradients(model, x, [0, 1], { loss }), TypeError, "Cannot take gradients");
  assertThrows(() => gradients(model, x, [0, 1, 2, 3, 0], { loss }), RangeError, "0 to 2");
});

Deno.test("a way back keeps the gradients that are asked for, and passes by what leads to none of them", () => {
  const tape = new Gradients();
  const number = (x: number) => tape.leaf(new Tensor(Float64Array.of(x), [1, 1]));
  const [start, x] = [number(3), number(2)];
  const states = [start];
  for (let t = 0; t < 4; t++) {
    states.push(tape.add(tape.scale(states[t]!, 0.5), tape.sumOfProducts([x, x])));
  }
  const one = new Tensor(Float64Array.of(1), [1, 1]);
  const gradientOf = (of: Variable) => tape.gradientOf(of).item(0, 0);
  tape.backward([[states[4]!, one]]);
  assertEquals(states.map(gradientOf), [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]);
  assertEquals(gradientOf(x), 2 * 2 * (1 + 1 / 2 + 1 / 4 + 1 / 8)); // Σ 2x / 2ᵗ

  finish(tape.backwardWork([[states[4]!, one]], new Set([states[1]!, states[3]!])));
  assertEquals(states.map((state) => state.gradient?.item(0, 0)), [
    ...[undefined, 1 / 8, undefined, 1 / 2, undefined],
  ]);
  assertEquals(x.gradient, undefined);

  tape.backward([[states[4]!, one]]);
  assertEquals([gradientOf(start), gradientOf(x)], [1 / 16, 7.5]);
});
