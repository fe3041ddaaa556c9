// What a model hands out and takes in is the caller's to write into: the model does not follow.

import {
  arange,
  dense,
  loadModel,
  lstm,
  prove,
  sequential,
  Tensor,
  trace,
  type TrainingState,
} from "@gatescope/lstm";
import { assertEquals, assertThrows } from "@std/assert";

const x = arange(24).reshape([4, 3, 2]);
const y = [[1, 2], [1, 2], [1, 2], [1, 2]];

function newModel(precision: "float32" | "float64") {
  const layers = [lstm({ units: 3, stateful: true }), dense({ units: 2 })];
  const model = sequential(layers, { inputShape: [3, 2], seed: 1, precision });
  model.compile({ optimizer: "adam", loss: "mse" });
  return model;
}

type Model = ReturnType<typeof newModel>;

/** Puts another number in each place that can be written into. */
function overwrite(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (ArrayBuffer.isView(value)) return void (value as Float64Array).fill(77);
  for (const key of Reflect.ownKeys(value)) {
    const inner = Reflect.get(value, key);
    if (typeof inner === "number") Reflect.set(value, key, 77);
    else overwrite(inner, seen);
  }
}

/** The same values, of which all may be written into. */
// deno-lint-ignore no-explicit-any
function thawed(value: any): any {
  if (value instanceof Tensor) return new Tensor(value.data.slice(), value.shape);
  if (Array.isArray(value)) return value.map(thawed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, thawed(inner)]));
}

async function learn(model: Model, epochs: number) {
  return await model.fit(x, y, { batchSize: 4, epochs, verbose: false });
}

const HANDED: Record<string, (model: Model) => unknown> = {
  "predict() gives": (model) => model.predict(x),
  "trace() gives": (model) => trace(model, x),
  "prove() gives": (model) => prove(model, x),
  "getWeights() gives": (model) => model.getWeights(),
  "setWeights() takes": (model) => {
    const weights = model.getWeights();
    model.setWeights(weights);
    return weights;
  },
  "layers tell": (model) => [model.layers, model.layers.map((layer) => layer.getWeights())],
  "the shapes tell": (model) => [model.inputShape, model.outputShape],
  "getTrainingState() gives": (model) => model.getTrainingState(),
  "setTrainingState() takes": (model) => {
    const state = thawed(model.getTrainingState()) as TrainingState;
    model.setTrainingState(state);
    return state;
  },
  "fit() gives": (model) => learn(model, 1),
};

for (const [what, hand] of Object.entries(HANDED)) {
  Deno.test(`A model stays as it is when what ${what} is written into`, async () => {
    for (const precision of ["float32", "float64"] as const) {
      const [model, twin] = [newModel(precision), newModel(precision)];
      await learn(model, 2);
      await learn(twin, 2);
      const earlier = model.predict(x);
      const then = earlier.toArray();
      twin.predict(x);
      const handed = await hand(model);
      await hand(twin);
      overwrite(handed);
      assertEquals(earlier.toArray(), then);
      assertEquals(model.predict(x).toArray(), twin.predict(x).toArray());
      assertEquals((await learn(model, 2)).loss, (await learn(twin, 2)).loss);
      assertEquals(earlier.toArray(), then);
    }
  });
}

Deno.test("onEpoch's report and a provenance are frozen", async () => {
  const model = newModel("float32");
  const losses: number[] = [];
  const { loss } = await model.fit(x, y, {
    batchSize: 4,
    verbose: false,
    onEpoch: (report) => {
      losses.push(report.loss);
      assertThrows(() => (report as { loss: number }).loss = -5, TypeError);
    },
  });
  assertEquals(loss, losses);
  const file = new URL("../../notebooks/data/formats/model.onnx", import.meta.url);
  const { provenance } = await loadModel(file.pathname);
  const { arrays: [first], arrays, notes } = provenance!;
  for (const list of [arrays, notes, first!.steps, first!.shape, first!.shapeInFile]) {
    assertThrows(() => (list as unknown[]).push(1), TypeError);
  }
  assertThrows(() => (first as { weight: string }).weight = "", TypeError);
});
