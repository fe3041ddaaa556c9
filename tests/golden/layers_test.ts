// Tolerances, relative where a value is above 1. Keras computes in float32, the equations in
// float64, so what is between them is Keras's own rounding: 2e-7 in a prediction (as the fixtures'
// generator, which judges Keras by equations of its own, requires), 1e-6 in a layer's output on the
// way, and in a gradient 1e-6 of that weight's largest entry (or of 1e-2, where all are smaller).

import { bidirectional, lstm, sequential, type Tensor } from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { binaryCrossentropy } from "../../lib/model/training/losses/binary_crossentropy.ts";
import { categoricalCrossentropy } from "../../lib/model/training/losses/categorical_crossentropy.ts";
import { getLoss } from "../../lib/model/training/losses/get_loss.ts";
import { sparseCategoricalCrossentropy } from "../../lib/model/training/losses/sparse_categorical_crossentropy.ts";
import { type Model, networkOf } from "../../lib/model/model.ts";
import { type FixtureEntry, fixturesOf, readArrays } from "../fixtures/fixtures.ts";
import { type ModelEntry, modelOf } from "../fixtures/model_of.ts";

const PREDICTION = 2e-7;
const OUTPUT = 1e-6;
const GRADIENT = 1e-6;

interface LayersEntry extends FixtureEntry, ModelEntry {
  readonly loss: string | null;
  readonly lossOptions?: { readonly fromLogits?: boolean };
}

const fixtures = await Promise.all(
  (fixturesOf("layers") as LayersEntry[]).map(async (entry) => ({
    entry,
    arrays: await readArrays(entry.file),
  })),
);
const twoResults = fixtures.filter(({ entry }) => entry.loss === null); // merge mode None
const oneResult = fixtures.filter(({ entry }) => entry.loss !== null);

/** The largest difference, relative where the expected value is above `floor`; NaN stays NaN. */
function relative(actual: Tensor, expected: Tensor, floor = 1): number {
  assertEquals(actual.shape, expected.shape);
  let worst = 0;
  expected.data.forEach((e, k) => {
    worst = Math.max(worst, Math.abs(actual.data[k]! - e) / Math.max(floor, Math.abs(e)));
  });
  return worst;
}

function assertWithin(difference: number, tolerance: number, what: string): void {
  assert(difference <= tolerance, `${what} differs by ${difference}`);
}

function lossOf({ loss, lossOptions = {} }: LayersEntry) {
  switch (loss) {
    case "categorical_crossentropy":
      return categoricalCrossentropy(lossOptions);
    case "sparse_categorical_crossentropy":
      return sparseCategoricalCrossentropy(lossOptions);
    case "binary_crossentropy":
      return binaryCrossentropy(lossOptions);
    default:
      return getLoss(loss as "mse");
  }
}

Deno.test("every layer and option predicts what Keras does within 2e-7", () => {
  for (const { entry, arrays } of oneResult) {
    const prediction = modelOf(entry, arrays).predict(arrays("x"));
    assertWithin(relative(prediction, arrays("prediction")), PREDICTION, entry.name);
  }
});

Deno.test("every layer's own output matches Keras's within 1e-6", () => {
  for (const { entry, arrays } of oneResult) {
    for (const k of entry.layers.keys()) {
      const part = { ...entry, layers: entry.layers.slice(0, k + 1) };
      const output = modelOf(part, arrays).predict(arrays("x"));
      assertWithin(relative(output, arrays(`output_${k}`)), OUTPUT, `${entry.name} layer ${k}`);
    }
  }
});

Deno.test("the gradient of every weight matches Keras's within 1e-6", () => {
  for (const { entry, arrays } of oneResult) {
    const network = networkOf(modelOf(entry, arrays));
    const run = network.forwardOnTape(network.checkInputs(arrays("x"), "predict"));
    const loss = lossOf(entry);
    const y = loss.prepare(arrays("y"), run.output.shape);
    const { value, gradient } = loss.compute(y, run.output, run.masks[0]);
    assertWithin(
      Math.abs(value - arrays("loss").item()) / Math.max(1, Math.abs(value)),
      GRADIENT,
      `${entry.name} loss`,
    );
    run.backward([gradient]).forEach((actual, k) => {
      const expected = arrays(`gradients_${k}`);
      const largest = Math.max(1e-2, ...expected.data.map(Math.abs));
      const what = `${entry.name} ${network.weightSpecs[k]!.name}`;
      assertWithin(relative(actual, expected, largest), GRADIENT, what);
    });
  }
});

Deno.test("a stateful model goes on where it was, and starts anew after resetStates()", () => {
  const stateful = oneResult.filter(({ entry }) => entry.layers[0]!.stateful === true);
  assert(stateful.length > 0);
  for (const { entry, arrays } of stateful) {
    const model = modelOf(entry, arrays);
    const next = (model: Model) => model.predict(arrays("x_next"));
    model.predict(arrays("x"));
    assertWithin(relative(next(model), arrays("prediction_next")), PREDICTION, entry.name);
    model.resetStates();
    assertWithin(relative(next(model), arrays("prediction_reset")), PREDICTION, entry.name);
  }
});

Deno.test("timesteps null takes another length with each call, as Keras's None", () => {
  const open = oneResult.filter(({ entry }) => entry.inputShape[0] === null);
  assert(open.length > 0);
  for (const { entry, arrays } of open) {
    const model = modelOf(entry, arrays);
    const prediction = model.predict(arrays("x_next"));
    assertWithin(relative(prediction, arrays("prediction_next")), PREDICTION, entry.name);
  }
});

Deno.test("Keras's two results of merge mode None stand side by side in concat", () => {
  assertEquals(twoResults.length, 1);
  for (const { entry, arrays } of twoResults) {
    const { units } = entry.layers[0]!.layer as unknown as { units: number };
    const model = sequential([bidirectional(lstm({ units, returnSequences: true }))], {
      inputShape: entry.inputShape,
    });
    model.setWeights(model.getWeights().map((_, k) => arrays(`weights_${k}`)));
    const both = model.predict(arrays("x"));
    const [forward, backward] = [arrays("prediction_forward"), arrays("prediction_backward")];
    for (let unit = 0; unit < units; unit++) {
      const [ahead, back] = [both.select(2, unit), both.select(2, units + unit)];
      assertWithin(relative(ahead, forward.select(2, unit)), PREDICTION, `${entry.name} forward`);
      assertWithin(relative(back, backward.select(2, unit)), PREDICTION, `${entry.name} backward`);
    }
  }
});
