// Every judgement here is against numbers that real Keras computed (the fixtures).

import { dense, lstm, prove, sequential, tensor } from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import {
  activationsOf,
  type Arrays as FixtureArrays,
  type FixtureEntry,
  fixturesOf,
  readArrays,
} from "../fixtures/fixtures.ts";
import { type ModelEntry, modelOf } from "../fixtures/model_of.ts";

interface SmallEntry extends FixtureEntry {
  readonly timesteps: number;
  readonly inputSize: number;
  readonly units: number;
  readonly classes: number;
}

/** An experiment's or an activation's model, and all that Keras computed in it. */
async function smallFixture(entry: FixtureEntry) {
  const { timesteps, inputSize, units, classes, useBias } = entry as SmallEntry;
  const arrays = await readArrays(entry.file);
  const model = sequential([
    lstm({ units, useBias, ...activationsOf(entry) }),
    dense({ units: classes, activation: "softmax" }),
  ], { inputShape: [timesteps, inputSize] });
  const prefix = entry.kind === "experiment" ? "weights_after_" : "weights_";
  model.setWeights(model.getWeights().map((_, k) => arrays(`${prefix}${k}`)));
  const layer = {
    gates: {
      input: arrays("gates_input"),
      forget: arrays("gates_forget"),
      candidate: arrays("gates_candidate"),
      output: arrays("gates_output"),
    },
    cellState: arrays("cell_state"),
    hiddenState: arrays("hidden_state"),
  };
  return { entry, arrays, model, layer, x: arrays("x"), prediction: arrays("prediction") };
}

const small = await Promise.all(fixturesOf("experiment", "activation").map(smallFixture));
const large = await Promise.all(
  (fixturesOf("layers", "training") as (FixtureEntry & ModelEntry)[])
    .filter(({ name }) => name !== "bidirectional_none") // two predictions, which no model here has
    .map(async (entry) => ({ entry, arrays: await readArrays(entry.file) })),
);

const modelOfFixture = (
  { entry, arrays }: { entry: FixtureEntry & ModelEntry; arrays: FixtureArrays },
) => modelOf(entry, arrays, { prefix: entry.kind === "training" ? "weights_after_" : "weights_" });

Deno.test("prove() finds nothing but rounding in all 12 experiments and 82 activations of Keras, each gate and state included", () => {
  assertEquals(small.length, 94);
  for (const { entry, model, x, prediction, layer } of small) {
    for (const expected of [prediction, { prediction, layers: [layer] }, { layers: [layer] }]) {
      const { verdict, sentence, maxAbsDiff } = prove(model, x, { expected });
      assert(verdict === "rounding" || verdict === "equal", `${entry.name}: ${sentence}`);
      assert(maxAbsDiff < 1e-6);
    }
  }
});

Deno.test("prove() finds nothing but rounding in Keras's prediction of every layer and every trained model", () => {
  assertEquals(large.length, 109);
  for (const fixture of large) {
    const { entry, arrays } = fixture;
    const model = modelOfFixture(fixture);
    const { verdict, sentence } = prove(model, arrays("x"), { expected: arrays("prediction") });
    assert(verdict === "rounding" || verdict === "equal", `${entry.name}: ${sentence}`);
  }
});

Deno.test("prove() calls any prediction of Keras's that is 1e-4 off, or NaN, a mismatch, at its place", () => {
  for (const { entry, model, x, prediction } of small) {
    for (const off of [1e-4, -1e-4, NaN, Infinity]) {
      const data = prediction.data.slice();
      data[data.length - 1]! += off;
      const moved = tensor(data, prediction.shape);
      const { verdict, place, maxAbsDiff } = prove(model, x, { expected: moved });
      const [batch, classes] = prediction.shape as [number, number];
      assertEquals(verdict, "mismatch", entry.name);
      assertEquals([place?.sample, place?.unit], [batch - 1, classes - 1]);
      assert(Number.isNaN(off) ? Number.isNaN(maxAbsDiff) : maxAbsDiff > 0.99e-4);
    }
  }
});

Deno.test("a stateful model is proved from where it is, and left there", () => {
  const stateful = large.filter(({ entry }) => entry.layers[0]!.stateful === true);
  assert(stateful.length > 0);
  for (const fixture of stateful) {
    const { arrays, entry } = fixture;
    const model = modelOfFixture(fixture);
    model.predict(arrays("x"));
    for (let twice = 0; twice < 2; twice++) {
      assert(prove(model, arrays("x_next")).verdict !== "mismatch");
      const { verdict } = prove(model, arrays("x_next"), { expected: arrays("prediction_next") });
      assert(verdict !== "mismatch", entry.name);
    }
  }
});
