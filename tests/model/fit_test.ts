import {
  adam,
  type CompileOptions,
  dense,
  dropout,
  embedding,
  type FitOptions,
  lstm,
  type LstmLayerOptions,
  type Model,
  type Precision,
  rmsprop,
  sequential,
  sgd,
  Tensor,
  type TrainingState,
} from "@gatescope/lstm";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { seededRandom } from "../../lib/tensor/random.ts";

const SAMPLES = 10;
const random = seededRandom(4);
const x = new Tensor(
  Float64Array.from({ length: SAMPLES * 5 * 2 }, random.normal),
  [SAMPLES, 5, 2],
);
const labels = Array.from({ length: SAMPLES }, (_, n) => n % 3);
const compiled: CompileOptions = {
  optimizer: "adam",
  loss: "sparse_categorical_crossentropy",
  metrics: ["accuracy"],
};

interface ModelOptions {
  readonly precision?: Precision;
  readonly layer?: Partial<LstmLayerOptions>;
  readonly compile?: Partial<CompileOptions>;
}

/** A model that shuffles and drops, so that a run needs all of its training state. */
function newModel({ precision = "float64", layer = {}, compile = {} }: ModelOptions = {}): Model {
  const model = sequential([
    lstm({ units: 4, dropout: 0.2, recurrentDropout: 0.3, ...layer }),
    dropout({ rate: 0.25 }),
    dense({ units: 3, activation: "softmax" }),
  ], { inputShape: [5, 2], seed: 11, precision });
  model.compile({ ...compiled, ...compile });
  return model;
}

const numbersOf = (model: Model) => model.getWeights().map(({ data }) => [...data]);

/** A signal that is aborted once it has been asked so often: once before each batch. */
function abortedBefore(batch: number): AbortSignal {
  let asked = 0;
  return {
    get aborted() {
      return ++asked >= batch;
    },
  } as AbortSignal;
}

Deno.test("the same seed gives the same run, another seed another", async () => {
  const options = { epochs: 2, batchSize: 3 };
  const [first, second] = [newModel(), newModel()];
  const history = await first.fit(x, labels, options);
  assertEquals(await second.fit(x, labels, options), history);
  assertEquals(numbersOf(second), numbersOf(first));
  const unshuffled = await newModel().fit(x, labels, { ...options, shuffle: false });
  assert(unshuffled.loss[1] !== history.loss[1]);
});

Deno.test("stopping, saving the state and going on in a new model equals never having stopped, bit for bit", async () => {
  const optimizers = [adam(), sgd({ momentum: 0.9, nesterov: true }), rmsprop({ momentum: 0.3 })];
  const batchesOfAnEpoch = 4; // of 3, 3, 3 and 1 samples
  for (const precision of ["float32", "float64"] as const) {
    for (const [k, optimizer] of optimizers.entries()) {
      const options: ModelOptions = { precision, compile: { optimizer } };
      const whole = newModel(options);
      const history = await whole.fit(x, labels, { epochs: 4, batchSize: 3 });
      for (const batch of [1, batchesOfAnEpoch + 1, batchesOfAnEpoch + 2 + k, 15]) {
        const stopped = newModel(options);
        const signal = abortedBefore(batch);
        const before = await stopped.fit(x, labels, { epochs: 4, batchSize: 3, signal });
        assertEquals([before.aborted, before.loss.length], [true, Math.floor((batch - 1) / 4)]);

        const resumed = newModel(options);
        resumed.setWeights(stopped.getWeights());
        const state = fileCopyOf(stopped.getTrainingState());
        resumed.setTrainingState(state);
        const after = await resumed.fit(x, labels, {
          epochs: 4,
          initialEpoch: state.epoch,
          batchSize: 3,
        });
        assertEquals([...before.loss, ...after.loss], history.loss, `stopped before ${batch}`);
        assertEquals([...before.accuracy ?? [], ...after.accuracy!], history.accuracy);
        assertEquals(numbersOf(resumed), numbersOf(whole));
        assertEquals(resumed.getTrainingState(), whole.getTrainingState());
      }
    }
  }
});

/** What a file would keep: nothing is shared with the model that it came from. */
function fileCopyOf(state: TrainingState): TrainingState {
  const copy = ({ data, shape }: Tensor) => new Tensor(data.slice(), shape);
  const { iteration, variables } = state.optimizer;
  return {
    ...JSON.parse(JSON.stringify({ ...state, optimizer: undefined })),
    optimizer: { iteration, variables: variables.map(copy) },
    layerStates: state.layerStates,
  };
}

Deno.test("a stateful model goes on bit for bit too, with what its LSTM remembers", async () => {
  const stateful: ModelOptions = { layer: { stateful: true } };
  const options = { epochs: 3, batchSize: 5 };
  const whole = newModel(stateful);
  await whole.fit(x, labels, options);
  const stopped = newModel(stateful);
  await stopped.fit(x, labels, { ...options, signal: abortedBefore(4) });
  const resumed = newModel(stateful);
  resumed.setWeights(stopped.getWeights());
  resumed.setTrainingState(stopped.getTrainingState());
  await resumed.fit(x, labels, { ...options, initialEpoch: 1 });
  assertEquals(numbersOf(resumed), numbersOf(whole));
});

Deno.test("a state that was handed out does not change with the model, nor the model with it", async () => {
  const model = newModel();
  await model.fit(x, labels);
  const state = model.getTrainingState();
  const before = fileCopyOf(state);
  await model.fit(x, labels);
  assertEquals(state, before);
  const now = fileCopyOf(model.getTrainingState());
  model.getTrainingState().optimizer.variables[0]!.data.fill(7);
  assertEquals(model.getTrainingState(), now);
});

Deno.test("an AbortController stops a long run from outside, keeping history and weights so far", async () => {
  const model = newModel();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 150);
  const history = await model.fit(x, labels, { epochs: 1_000_000, signal: controller.signal });
  clearTimeout(timer);
  assert(history.aborted && history.loss.length > 0);
  assertEquals(model.getTrainingState().epoch, history.loss.length);
});

Deno.test("a signal after the last epoch, or from onEpoch in it, stops nothing", async () => {
  const controller = new AbortController();
  const { aborted, loss } = await newModel().fit(x, labels, {
    epochs: 2,
    signal: controller.signal,
    onEpoch: ({ epoch }) => epoch === 2 ? controller.abort() : undefined,
  });
  assertEquals([aborted, loss.length], [false, 2]);
});

Deno.test("onEpoch gets each epoch's report, and is awaited", async () => {
  const seen: [number, number][] = [];
  const { loss } = await newModel().fit(x, labels, {
    epochs: 3,
    onEpoch: async ({ epoch, loss }) => {
      await Promise.resolve();
      seen.push([epoch, loss]);
    },
  });
  assertEquals(seen, loss.map((value, k) => [k + 1, value]));
});

Deno.test("validation takes the last samples before shuffling, and drops nothing", async () => {
  const options = { epochs: 1, batchSize: 4, validationSplit: 0.3 };
  const model = newModel();
  const history = await model.fit(x, labels, options);
  const last = newModel({ compile: { optimizer: sgd({ learningRate: 0 }) } });
  last.setWeights(model.getWeights());
  const kept = {
    x: Array.from({ length: 3 }, (_, k) => x.at(7 + k).toArray()),
    y: labels.slice(7),
  };
  const probabilities = last.predict(kept.x);
  const loss = kept.y.reduce((sum, y, n) => sum - Math.log(probabilities.item(n, y)) / 3, 0);
  assert(Math.abs(loss - history.valLoss![0]!) < 1e-6);

  const alone = newModel();
  const rows = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, k) => x.at(from + k).toArray());
  await alone.fit(rows(0, 7), labels.slice(0, 7), { epochs: 1, batchSize: 4 });
  assertEquals(numbersOf(alone), numbersOf(model));
});

Deno.test("whatever is wrong is refused before any weight changes", async () => {
  const model = newModel();
  const before = numbersOf(model);
  const state = model.getTrainingState();
  type Wrong = [unknown, unknown, FitOptions, string];
  const wrong: Wrong[] = [
    [x, labels.slice(1), {}, "a target for each sample"],
    [x, labels.map((y) => [y, y]), {}, "but the shape is [10, 2]"],
    [x, labels.with(9, 3), {}, "classes 0 to 2"],
    [x, labels.with(9, NaN), {}, "sample 9 is NaN"],
    [[], [], {}, "not empty"],
    [x.reshape([10, 2, 5]), labels, {}, "[batch, 5, 2]"],
    [x, labels, { batchSize: 0 }, "batchSize must be a whole number from 1"],
    [x, labels, { epochs: 0 }, "epochs must be a whole number from 1"],
    [x, labels, { epochs: 2, initialEpoch: 2 }, "from 3"],
    [x, labels, { validationSplit: 1 }, "below 1"],
    [x, labels, { validationSplit: 0.95 }, "into 0 and 10"],
    [x, labels, { epoch: 2 } as FitOptions, "but epoch was given; did you mean epochs?"],
    [x, labels, { shuffle: 1 as never }, "shuffle must be true or false"],
  ];
  for (const [input, target, options, message] of wrong) {
    await assertRejects(
      () => model.fit(input as Tensor, target as Tensor, options),
      Error,
      message,
    );
  }
  const stateful = newModel({ layer: { stateful: true } });
  await assertRejects(() => stateful.fit(x, labels, { batchSize: 4 }), RangeError, "stateful");
  assertEquals(numbersOf(model), before);
  assertEquals(model.getTrainingState(), state);
});

Deno.test("a word outside an embedding is refused before the batches that come first are trained", async () => {
  const layers = [
    embedding({ inputDim: 4, outputDim: 2 }),
    lstm({ units: 2 }),
    dense({ units: 1 }),
  ];
  const model = sequential(layers, { inputShape: [2], seed: 1 });
  model.compile({ optimizer: "adam", loss: "mse" });
  const before = numbersOf(model);
  const options = { batchSize: 1, shuffle: false };
  await assertRejects(
    () => model.fit([[0, 1], [2, 4]], [0, 1], options),
    RangeError,
    "but one is 4",
  );
  assertEquals(numbersOf(model), before);
});

Deno.test("what needs compile says so, and compile refuses what it does not know", async () => {
  const model = sequential([lstm({ units: 3 })], { inputShape: [5, 2], seed: 1 });
  await assertRejects(() => model.fit(x, labels), TypeError, "compiled first");
  assertThrows(() => model.getTrainingState(), TypeError, "compiled first");
  const refused = (options: unknown, message: string) =>
    assertThrows(() => model.compile(options as CompileOptions), Error, message);
  refused({ optimizer: "adm", loss: "mse" }, "adam");
  refused({ optimizer: "adam", loss: "crossentropy" }, "loss must be categorical_crossentropy, ");
  refused({ optimizer: "adam" }, "mse, mean_absolute_error or mae, but undefined was given");
  refused(undefined, "optimizer must be adam, sgd or rmsprop, but undefined was given");
  refused({ optimizer: "adam", loss: "mse", metrics: ["precision"] }, "only metric is accuracy");
  refused(
    { optimizer: "adam", loss: "mse", metric: [] },
    "but metric was given; did you mean metrics?",
  );
  await assertRejects(() => model.fit(x, labels), TypeError, "compiled first");
});

Deno.test("a state of another model or optimizer is refused, and nothing changes", () => {
  const model = newModel();
  const state = model.getTrainingState();
  const refused = (other: unknown, message: string) => {
    assertThrows(() => model.setTrainingState(other as TrainingState), Error, message);
    assertEquals(model.getTrainingState(), state);
  };
  refused(newModel({ compile: { optimizer: "sgd" } }).getTrainingState(), "adam remembers 10");
  refused(newModel({ layer: { units: 5 } }).getTrainingState(), "array 0 must be [2, 16]");
  refused({}, "no optimizer variables");
  refused(undefined, "no optimizer variables");
  refused({ ...state, epoch: -1 }, "epoch must be");
  refused({ ...state, shuffle: [1, 2] }, "[1, 2]");
  refused({ ...state, layerStates: [] }, "3 layers");
});

Deno.test("one run at a time", async () => {
  const model = newModel();
  const running = model.fit(x, labels, { epochs: 3 });
  await assertRejects(() => model.fit(x, labels), TypeError, "is running");
  assertThrows(() => model.compile(compiled), TypeError, "is running");
  assertThrows(() => model.setTrainingState(model.getTrainingState()), TypeError, "is running");
  await running;
  await model.fit(x, labels);
});

Deno.test("summary() counts the optimizer's parameters after fit, as Keras does", async () => {
  const model = newModel();
  assert(!model.summary().text.includes("Optimizer"));
  await model.fit(x, labels);
  // Keras: each weight's m and v, the step and the learning rate
  const parameters = model.getWeights().reduce((sum, { data }) => sum + data.length, 0);
  assert(model.summary().text.includes(`Optimizer params: ${2 * parameters + 2}`));
});
