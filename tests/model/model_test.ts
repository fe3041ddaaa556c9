import {
  activation,
  arange,
  bidirectional,
  dense,
  dropout,
  embedding,
  input,
  type Layer,
  lstm,
  masking,
  type Model,
  sequential,
  type SequentialOptions,
  Tensor,
  timeDistributed,
} from "@gatescope/lstm";
import { assert, assertEquals, assertInstanceOf, assertNotEquals, assertThrows } from "@std/assert";

const inputShape = [3, 2];
const x = arange(24).reshape([4, 3, 2]);

function article(options: Partial<SequentialOptions> = {}): Model {
  return sequential([lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })], {
    inputShape,
    seed: 1,
    ...options,
  });
}

Deno.test("the summary is Keras's, for the article's model", () => {
  assertEquals(
    Deno.inspect(article()).split("\n").map((line) => line.trimEnd()).join("\n"),
    `Model: "sequential"
Layer (type)   Output Shape  Param #
lstm (LSTM)    (None, 8)     352
dense (Dense)  (None, 2)     18
 Total params: 370 (1.45 KB)
 Trainable params: 370 (1.45 KB)
 Non-trainable params: 0 (0.00 B)`,
  );
});

Deno.test("the summary names and counts as Keras does, None where timesteps are open", () => {
  const text = sequential([
    embedding({ inputDim: 1000, outputDim: 300 }),
    bidirectional(lstm({ units: 8, returnSequences: true })),
    timeDistributed(dense({ units: 2 })),
    lstm({ units: 500 }),
    activation("relu"),
    dropout({ rate: 0.5 }),
    dense({ units: 2, name: "verdict" }),
  ], { inputShape: [null] }).summary().text;
  const lines = text.split("\n").map((line) => line.trim().split(/ {2,}/).join(" | "));
  assertEquals(lines.slice(2), [
    "embedding (Embedding) | (None, None, 300) | 300,000",
    "bidirectional (Bidirectional) | (None, None, 16) | 19,776",
    "time_distributed (TimeDistributed) | (None, None, 2) | 34",
    "lstm_1 (LSTM) | (None, 500) | 1,006,000",
    "activation (Activation) | (None, 500) | 0",
    "dropout (Dropout) | (None, 500) | 0",
    "verdict (Dense) | (None, 2) | 1,002",
    "Total params: 1,326,812 (5.06 MB)",
    "Trainable params: 1,326,812 (5.06 MB)",
    "Non-trainable params: 0 (0.00 B)",
  ]);
});

Deno.test("predictions are float32; weights are float32, or float64 and lossless", () => {
  for (const precision of ["float32", "float64"] as const) {
    const model = article({ precision });
    const kind = precision === "float32" ? Float32Array : Float64Array;
    assertInstanceOf(model.predict(x).data, Float32Array);
    assert(model.getWeights().every(({ data }) => data instanceof kind));
    const third = model.getWeights();
    third[0]!.data.fill(1 / 3);
    model.setWeights(third);
    assertEquals(model.getWeights()[0]!.item(0, 0), kind.of(1 / 3)[0]);
  }
});

Deno.test("weights go in and out as copies", () => {
  for (const precision of ["float32", "float64"] as const) {
    const model = article({ precision });
    const before = model.predict(x).toArray();
    const taken = model.getWeights();
    model.setWeights(taken);
    for (const { data } of [...taken, ...model.getWeights(), ...model.layers[0]!.getWeights()]) {
      data.fill(9);
    }
    assertEquals(model.predict(x).toArray(), before);
  }
});

Deno.test("setWeights() refuses what does not fit, and changes nothing then", () => {
  const model = article();
  const before = model.predict(x).toArray();
  const weights = model.getWeights().map(({ shape }) =>
    new Tensor(
      new Float64Array(shape.reduce((a, b) => a * b, 1)),
      shape,
    )
  );
  const set = (given: unknown) => () => model.setWeights(given as Tensor[]);
  assertThrows(set(weights.slice(1)), TypeError, "the model has 5, but 4 were given");
  assertThrows(set(undefined), TypeError, "but no list was given");
  assertThrows(
    set(weights.with(3, arange(8))),
    TypeError,
    "Cannot set the weights: weight 3, dense/kernel, must be [8, 2], but its shape is [8]",
  );
  assertEquals(model.predict(x).toArray(), before);
  model.setWeights(weights);
  assertNotEquals(model.predict(x).toArray(), before);
});

Deno.test("predict() refuses another shape, and an empty batch", () => {
  const model = article();
  const message = "Cannot predict: the input must be [batch, 3, 2] and not empty, but its shape";
  for (const shape of [[4, 3, 3], [4, 2, 2], [3, 2], [0, 3, 2], [4, 3, 2, 1]]) {
    const size = shape.reduce((a, b) => a * b, 1);
    const given = new Tensor(new Float64Array(size), shape);
    assertThrows(() => model.predict(given), TypeError, message);
  }
  const open = sequential([lstm({ units: 1 })], { inputShape: [null, 2] });
  const none = new Tensor(new Float64Array(0), [1, 0, 2]);
  assertThrows(() => open.predict(none), TypeError, "[batch, timesteps, 2] and not empty");
});

Deno.test("NaN in the input is seen in the prediction", () => {
  const given = arange(24).reshape([4, 3, 2]);
  given.data[0] = NaN;
  const prediction = article().predict(given);
  assert(prediction.at(0).data.every(Number.isNaN));
  assert(!prediction.at(1).data.some(Number.isNaN));
});

Deno.test("numbers that are no words are refused", () => {
  const model = sequential([embedding({ inputDim: 5, outputDim: 2 })], { inputShape: [2] });
  for (const word of [5, -1, 1.5, NaN]) {
    assertThrows(() => model.predict([[0, word]]), RangeError, `but one is ${word}`);
  }
});

Deno.test("a stateful model refuses another batch until resetStates()", () => {
  const model = sequential([lstm({ units: 2, stateful: true })], { inputShape });
  model.predict(x);
  const one = arange(6).reshape([1, 3, 2]);
  assertThrows(() => model.predict(one), TypeError, "until resetStates(), but its state is [4, 2]");
  model.resetStates();
  model.predict(one);
});

Deno.test("layers that do not fit each other are refused when the model is built", () => {
  const build = (layers: unknown, options: unknown = { inputShape }) => () =>
    sequential(layers as Layer[], options as SequentialOptions);
  const two = [lstm({ units: 2 }), lstm({ units: 2 })];
  assertThrows(build(two), TypeError, "returnSequences gives the next LSTM all timesteps");
  const late = [lstm({ units: 2 }), embedding({ inputDim: 3, outputDim: 2 })];
  assertThrows(build(late), TypeError, "but embedding comes after lstm");
  assertThrows(
    build([lstm({ units: 2 })], { inputShape: [3, null] }),
    TypeError,
    "(None, 3, None)",
  );
  assertThrows(build([dense({ units: 2 })], { inputShape: [null] }), TypeError, "(None, None)");
  const flat = [lstm({ units: 2 }), timeDistributed(dense({ units: 2 }))];
  assertThrows(build(flat), TypeError, "2 axes or more");
  assertThrows(build([masking()], { inputShape: [3] }), TypeError, "(None, 3)");
  const named = [dense({ units: 2, name: "a" }), dense({ units: 2, name: "a" })];
  assertThrows(build(named), TypeError, 'but the name "a" is there twice');
  assertThrows(build([]), TypeError, "but it is empty");
  assertThrows(build(lstm({ units: 2 })), TypeError, "but it is object");
  assertThrows(build([{ className: "LSTM" }]), TypeError, "but layer 0 is another object");
});

Deno.test("options of a model that make none are refused", () => {
  const build = (options: unknown) => () =>
    sequential([lstm({ units: 2 })], options as SequentialOptions);
  assertThrows(build(undefined), TypeError, "but it is undefined");
  assertThrows(build({ inputShape: [0, 2] }), TypeError, "but it is [0,2]");
  assertThrows(build({ inputShape: 3 }), TypeError, "but it is 3");
  assertThrows(
    build({ inputShape, seeds: 1 }),
    TypeError,
    "but seeds was given; did you mean seed?",
  );
  assertThrows(build({ inputShape, seed: 0.5 }), RangeError, "but it is 0.5");
  assertThrows(build({ inputShape, precision: "float16" }), RangeError, "float32 or float64");
});

Deno.test("options of a layer are refused by name, kind and range", () => {
  const make = (factory: unknown, ...given: unknown[]) => () =>
    (factory as (...given: unknown[]) => Layer)(...given);
  const units = "units must be a whole number from 1, but it is";
  assertThrows(make(lstm, {}), TypeError, `Cannot make an LSTM: ${units} undefined`);
  assertThrows(make(lstm, { units: 0 }), RangeError, `${units} 0`);
  assertThrows(make(lstm, { units: "8" }), TypeError, `${units} "8"`);
  assertThrows(make(lstm, 8), TypeError, "options in one object, but the number 8 was given");
  assertThrows(
    make(lstm, { units: 1, return_sequences: true }),
    TypeError,
    "; did you mean returnSequences?",
  );
  assertThrows(make(lstm, { units: 1, dropout: 1 }), RangeError, "from 0 to below 1");
  assertThrows(
    make(lstm, { units: 1, dropout: NaN }),
    RangeError,
    "dropout must be a number from 0 to below 1, but it is NaN",
  );
  assertThrows(make(lstm, { units: 1, useBias: 1 }), TypeError, "must be true or false");
  assertThrows(make(lstm, { units: 1, activation: "tan" }), RangeError, "tanh");
  assertThrows(make(lstm, { units: 1, activation: Math.tanh }), TypeError, "made by getActivation");
  assertThrows(make(lstm, { units: 1, activation: "glu" }), TypeError, "but it is glu");
  assertThrows(make(lstm, { units: 1, name: "" }), RangeError, 'but it is ""');
  assertThrows(make(dense, { units: 2.5 }), RangeError, "but it is 2.5");
  assertThrows(
    make(dense, { units: 2, unit: 2 }),
    TypeError,
    "but unit was given; did you mean units?",
  );
  assertThrows(make(activation, "softmaxx"), RangeError, "softmax");
  assertThrows(make(activation), TypeError, "but it is undefined");
  assertThrows(make(dropout, { rate: -0.1 }), RangeError, "but it is -0.1");
  assertThrows(make(masking, { maskValue: "0" }), TypeError, "a finite number");
  assertThrows(
    make(embedding, { inputDim: 3 }),
    TypeError,
    "outputDim must be a whole number from 1, but it is undefined",
  );
  assertThrows(make(timeDistributed, "dense"), TypeError, "but it is string");
  const stateful = lstm({ units: 1, stateful: true });
  assertThrows(make(timeDistributed, stateful), TypeError, "but it is stateful");
});

Deno.test("a Bidirectional of what cannot be one is refused", () => {
  const make = (layer: unknown, options?: unknown) => () =>
    bidirectional(layer as never, options as never);
  const layer = lstm({ units: 2 });
  assertThrows(make(dense({ units: 2 })), TypeError, "but it is Dense");
  assertThrows(make(undefined), TypeError, "but it is undefined");
  assertThrows(make(layer, { mergeMode: "average" }), RangeError, "concat, sum, mul or ave");
  assertThrows(make(layer, { mergeMode: null }), TypeError, "Keras's None gives two results");
  const backwards = lstm({ units: 2, goBackwards: true });
  const sameWay = { backwardLayer: backwards };
  assertThrows(make(backwards, sameWay), TypeError, "goBackwards must differ");
  const wide = lstm({ units: 3, goBackwards: true });
  const options = { backwardLayer: wide, mergeMode: "sum" };
  assertThrows(make(layer, options), TypeError, "two layers of the same units");
  const sequences = lstm({ units: 2, goBackwards: true, returnSequences: true });
  assertThrows(make(layer, { backwardLayer: sequences }), TypeError, "must be the same");
});

Deno.test("input() takes the shape itself, and says so of anything else", () => {
  assertThrows(
    () => input({ shape: [3, 2] } as unknown as [number]),
    TypeError,
    "Cannot make an input: its shape must be [timesteps, inputSize], or [timesteps] before an " +
      'embedding, of whole numbers from 1, with null where timesteps may vary, but it is {"shape":[3,2]}',
  );
});
