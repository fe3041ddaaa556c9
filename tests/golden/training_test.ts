// Tolerances. Keras trains in float32, these models in float64 ("float64" precision). After two
// epochs that leaves at most 1e-6 in a weight and 2e-6 in a loss. Over sixty epochs roundings grow
// with the network: each loss stays within 1e-4 of Keras's, relatively, unless Keras itself moves as
// far when its initial weights move by one ulp (the fixture then says "chaotic"). Optimizer arrays
// hold gradients and squares of them, so theirs is relative to the largest of the array.

import {
  adam,
  binaryCrossentropy,
  categoricalCrossentropy,
  type LossIdentifier,
  type Model,
  type OptimizerIdentifier,
  rmsprop,
  sgd,
  sparseCategoricalCrossentropy,
  type Tensor,
} from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { type Arrays, type FixtureEntry, fixturesOf, readArrays } from "../fixtures/fixtures.ts";
import { type ModelEntry, modelOf } from "../fixtures/model_of.ts";

const WEIGHT = 1e-6;
const LOSS = 2e-6;
const FLOAT32_LOSS = 5e-6;
const LONG_LOSS = 1e-4;
const OPTIMIZER_ARRAY = 1e-5;

interface TrainingEntry extends FixtureEntry, ModelEntry {
  readonly loss: LossIdentifier & string;
  readonly lossOptions?: { readonly fromLogits?: boolean };
  readonly optimizer: { readonly name: "adam" | "sgd" | "rmsprop" };
  readonly metrics?: readonly ["accuracy"];
  readonly batchSize: number;
  readonly epochs: number;
  readonly validationSplit?: number;
  readonly chaotic?: boolean;
}

const fixtures = await Promise.all(
  (fixturesOf("training") as TrainingEntry[]).map(async (entry) => ({
    entry,
    arrays: await readArrays(entry.file),
  })),
);
const short = fixtures.filter(({ entry }) => entry.epochs === 2);
const long = fixtures.filter(({ entry }) => entry.epochs === 60);

const experiments = await Promise.all(
  fixturesOf("experiment").map(async (entry) => ({
    entry: {
      ...entry,
      layers: [
        {
          type: "lstm",
          units: 8,
          activation: entry.activation,
          recurrentActivation: entry.recurrentActivation,
        },
        { type: "dense", units: 2, activation: "softmax" },
      ],
      inputShape: [3, 2],
      loss: "categorical_crossentropy",
      optimizer: { name: "adam" },
      batchSize: 32,
      epochs: 2,
    } satisfies TrainingEntry,
    arrays: await readArrays(entry.file),
  })),
);

function lossOf({ loss, lossOptions }: TrainingEntry): LossIdentifier {
  if (lossOptions === undefined) return loss;
  const factories = {
    categorical_crossentropy: categoricalCrossentropy,
    sparse_categorical_crossentropy: sparseCategoricalCrossentropy,
    binary_crossentropy: binaryCrossentropy,
  };
  return factories[loss as keyof typeof factories](lossOptions);
}

function optimizerOf({ optimizer: { name, ...options } }: TrainingEntry): OptimizerIdentifier {
  return { adam, sgd, rmsprop }[name](options);
}

async function trained(
  entry: TrainingEntry,
  arrays: Arrays,
  epochs: number = entry.epochs,
  precision: "float32" | "float64" = "float64",
) {
  const model = modelOf(entry, arrays, { prefix: "weights_before_", precision });
  model.compile({
    optimizer: optimizerOf(entry),
    loss: lossOf(entry),
    metrics: entry.metrics ?? [],
  });
  const history = await model.fit(arrays("x"), arrays("y"), {
    epochs,
    batchSize: entry.batchSize,
    shuffle: false,
    validationSplit: entry.validationSplit ?? 0,
    verbose: false,
  });
  return { model, history };
}

/** The largest difference; NaN stays NaN. */
function largestDifference(actual: ArrayLike<number>, expected: Tensor): number {
  assertEquals(actual.length, expected.data.length);
  return largest(Array.from(expected.data, (e, k) => Math.abs(actual[k]! - e)));
}

/** NaN where there is one. */
function largest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
}

function assertWithin(difference: number, tolerance: number, what: string): void {
  assert(difference <= tolerance, `${what} differs by ${difference}`);
}

function assertWeights(model: Model, arrays: Arrays, name: string, prefix: string): void {
  for (const [k, weight] of model.getWeights().entries()) {
    const difference = largestDifference(weight.data, arrays(`${prefix}${k}`));
    assertWithin(difference, WEIGHT, `${name}, weight ${k}`);
  }
}

Deno.test("fit() matches Keras within 1e-6 of every weight and 2e-6 of every loss after two epochs", async () => {
  for (const { entry, arrays } of [...experiments, ...short]) {
    const { model, history } = await trained(entry, arrays);
    assertWithin(largestDifference(history.loss, arrays("losses")), LOSS, `${entry.name}, loss`);
    assertWeights(model, arrays, entry.name, "weights_after_");
  }
});

Deno.test("one Adam step matches Keras within 1e-6 of every weight", async () => {
  for (const { entry, arrays } of experiments) {
    const { model } = await trained(entry, arrays, 1);
    assertWeights(model, arrays, entry.name, "weights_step1_");
  }
});

Deno.test("fit() matches Keras's losses within 1e-4, relatively, over sixty epochs", async () => {
  const excepted = long.filter(({ entry }) => entry.chaotic === true);
  assert(excepted.length * 10 <= long.length, "at most one case in ten is excepted");
  for (const { entry, arrays } of long) {
    if (entry.chaotic === true) continue;
    const { history } = await trained(entry, arrays);
    const relative = Array.from(arrays("losses").data, (loss, k) => history.loss[k]! / loss - 1);
    assertEquals(relative.length, 60);
    assertWithin(largest(relative), LONG_LOSS, entry.name);
  }
});

Deno.test("fit() reports Keras's accuracy, and validates as Keras does", async () => {
  const measured = short.filter(({ entry }) => entry.metrics !== undefined);
  assert(measured.length >= 5);
  for (const { entry, arrays } of measured) {
    // Keras on JAX counts masked steps in training: only it loses the mask there.
    if (entry.name === "embedding_mask_zero_per_step") continue;
    const { history } = await trained(entry, arrays);
    const accuracy = largestDifference(history.accuracy!, arrays("accuracy"));
    assertWithin(accuracy, 1e-6, `${entry.name}, accuracy`); // a fraction in float32
    if (entry.validationSplit === undefined) continue;
    const valLoss = largestDifference(history.valLoss!, arrays("val_losses"));
    assertWithin(valLoss, LOSS, `${entry.name}, validation loss`);
    const valAccuracy = largestDifference(history.valAccuracy!, arrays("val_accuracy"));
    assertWithin(valAccuracy, 1e-6, `${entry.name}, validation accuracy`);
  }
});

Deno.test("the optimizer's arrays are Keras's, in Keras's order", async () => {
  for (const { entry, arrays } of short) {
    const { model } = await trained(entry, arrays);
    const { iteration, variables } = model.getTrainingState().optimizer;
    assertEquals(iteration, arrays("optimizer_after_0").data[0], entry.name);
    for (const [k, variable] of variables.entries()) {
      const keras = arrays(`optimizer_after_${k + 2}`); // after iteration and learning rate
      assertEquals(variable.shape, keras.shape);
      const difference = largestDifference(variable.data, keras) / largest([...keras.data]);
      assertWithin(difference, OPTIMIZER_ARRAY, `${entry.name}, optimizer array ${k}`);
    }
  }
});

Deno.test("float32 models train within 5e-6 of Keras's losses after two epochs", async () => {
  for (const { entry, arrays } of [...experiments, ...short]) {
    const { model, history } = await trained(entry, arrays, 2, "float32");
    assertWithin(
      largestDifference(history.loss, arrays("losses")),
      FLOAT32_LOSS,
      `${entry.name}, loss`,
    );
    for (const weight of model.getWeights()) assert(weight.data instanceof Float32Array);
  }
});
