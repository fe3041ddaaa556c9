// Precision float32 computes by lib/compute, float64 by the equations; the weights are the same numbers.
// Tolerances: 1e-6 in a prediction of at most a few units, as float32 carries 6e-8 a step; 1e-5 of the
// largest number in a gradient.

import {
  conv1D,
  dense,
  functional,
  globalMaxPooling1D,
  gru,
  type GruLayerOptions,
  input,
  type Layer,
  lstm,
  type Model,
  type Precision,
  sequential,
  sgd,
  simpleRnn,
  Tensor,
  trace,
} from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { sharedArena } from "../../lib/compute/arena.ts";
import { BatchPlan } from "../../lib/model/fast/batch_plan.ts";
import { chainOf } from "../../lib/model/fast/chain.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { networkOf } from "../../lib/model/model.ts";
import { randomArray, randomDense, randomInput, randomLstm } from "../compute/random_layers.ts";
import { batch, before, cases, difference, modelOf, usual } from "./example_models.ts";

const PREDICTION = 1e-6;
const GRADIENT = 1e-5;
for (const [name, example] of Object.entries(cases)) {
  Deno.test(`predict() in float32 is the equations' within 1e-6: ${name}`, () => {
    const { x = usual } = example;
    const [fast, judge] = [modelOf(example, "float32"), modelOf(example, "float64")];
    for (const _again of [1, 2]) {
      const worst = difference(fast.predict(x), judge.predict(x), 1);
      assert(worst <= PREDICTION, `${worst}`);
    }
  });

  Deno.test(`fit() in float32 follows the equations' gradients within 1e-5: ${name}`, async () => {
    const { x = usual } = example;
    const moved = await Promise.all((["float32", "float64"] as const).map(async (precision) => {
      const model = modelOf(example, precision);
      const y = normalTargets(model.predict(x).shape);
      model.resetStates();
      model.compile({ optimizer: sgd({ learningRate: 1 }), loss: "mse" });
      const before = model.getWeights();
      // two batches, the second one smaller; of a stateful layer one
      const batchSize = name.includes("stateful") ? batch : 3;
      const { loss } = await model.fit(x, y, { batchSize, shuffle: false, verbose: false });
      const steps = model.getWeights().map(({ data, shape }, k) =>
        new Tensor(Float64Array.from(data, (w, at) => w - before[k]!.data[at]!), shape)
      );
      return { loss: loss[0]!, steps };
    }));
    const [fast, judge] = moved as [typeof moved[0], typeof moved[0]];
    assert(Math.abs(fast.loss - judge.loss) <= GRADIENT * judge.loss, `${fast.loss} ${judge.loss}`);
    judge.steps.forEach((expected, k) => {
      const worst = difference(fast.steps[k]!, expected, 1e-2);
      assert(worst <= GRADIENT, `weight ${k}: ${worst}`);
    });
  });
}

/** Numbers of that shape, the same ones each time. */
function normalTargets(shape: readonly number[]): Tensor {
  return new Tensor(randomArray(shape.reduce((a, b) => a * b, 1), 1, 99), shape);
}

Deno.test("predict() takes any kind of numbers, and the result is the caller's own", () => {
  const model = modelOf(cases["an LSTM and a dense layer"]!, "float32");
  const whole = new Tensor(Int32Array.from({ length: 21 }, (_, k) => k % 5 - 2), [1, 7, 3]);
  const given = [whole, new Tensor(new Float32Array(whole.data), whole.shape), whole.toArray()];
  const predictions = given.map((x) => model.predict(x));
  for (const prediction of predictions) assertEquals(prediction, predictions[0]);
  predictions[0]!.data.fill(9);
  assertEquals(model.predict(whole), predictions[1]);
});

Deno.test("predict() sees every change of the weights: setWeights and each batch of fit", async () => {
  const example = cases["an LSTM and a dense layer"]!;
  const [model, other] = [modelOf(example, "float32"), modelOf(example, "float32")];
  const before = model.predict(usual);
  model.compile({ optimizer: "adam", loss: "mse" });
  await model.fit(usual, normalTargets([batch, 2]), { epochs: 2, verbose: false });
  const after = model.predict(usual);
  assert(difference(after, before, 1) > 1e-4);
  other.predict(usual);
  other.setWeights(model.getWeights());
  assertEquals(other.predict(usual), after);
  model.setWeights(modelOf(example, "float32").getWeights());
  assertEquals(model.predict(usual), before);
});

Deno.test("predict() takes turns between more shapes than stay prepared", () => {
  const layers = () => [lstm({ units: 4 }), dense({ units: 2 })];
  const [fast, judge] = (["float32", "float64"] as const).map((precision) =>
    sequential(layers(), { inputShape: [null, 3], seed: 2, precision })
  ) as [Model, Model];
  judge.setWeights(fast.getWeights());
  for (const _again of [1, 2]) {
    for (let n = 1; n <= 12; n++) {
      const x = new Tensor(randomArray(n * (13 - n) * 3, 1, n), [n, 13 - n, 3]);
      assert(difference(fast.predict(x), judge.predict(x), 1) <= PREDICTION);
    }
  }
});

Deno.test("10 000 predictions and 1 000 fits leave WASM's memory as large as it was", async () => {
  for (const name of ["an LSTM and a dense layer", "both directions"]) {
    const model = modelOf(cases[name]!, "float32");
    model.compile({ optimizer: "adam", loss: "mse" });
    const y = normalTargets([batch, 2]);
    const fit = () => model.fit(usual, y, { batchSize: 3, verbose: false });
    model.predict(usual);
    await fit();
    const { bytes } = sharedArena();
    for (let k = 0; k < 10_000; k++) model.predict(usual);
    for (let k = 0; k < 1000; k++) await fit();
    model.predict(usual);
    assertEquals(sharedArena().bytes, bytes);
  }
});

Deno.test("a thousand models come and go within the arena's budget", () => {
  const example = cases["LSTMs, dropout and dense layers in a row"]!;
  for (let k = 0; k < 1000; k++) modelOf(example, "float32").predict(usual);
  assert(sharedArena().bytes <= 260 * 2 ** 20);
});

Deno.test("a batch too large for one plan goes through in parts, and takes no more memory", () => {
  const sizes = { batch: 23, timesteps: 5, inputSize: 4 };
  const layers = [randomLstm(6, 4), randomDense(3, 6)];
  const x = randomInput(sizes);
  const whole = new BatchPlan(layers, sizes);
  const parts = new BatchPlan(layers, sizes, 5 * 4 * 5 * 13);
  const bytes = 4 * (23 - 5 - 3) * 5 * 4; // x of the samples that are no part's
  assert(parts.bytes < whole.bytes + 10_000 && whole.bytes > bytes);
  const shape = [23, 3];
  const [one, other] = [whole, parts].map((plan) => new Tensor(plan.run(x), shape));
  assert(difference(other!, one!, 1) <= PREDICTION);
  const changed = [randomLstm(6, 4), randomDense(3, 6, "tanh")];
  changed[0]!.kernel[0]! += 1;
  parts.refresh([changed[0]!, layers[1]!]);
  whole.refresh([changed[0]!, layers[1]!]);
  assert(difference(new Tensor(whole.run(x), shape), one!, 1) > 1e-4);
  const again = new Tensor(parts.run(x), shape);
  assert(difference(again, new Tensor(whole.run(x), shape), 1) <= PREDICTION);
});

Deno.test("where float32 overflows on the way, the equations compute the batch", async () => {
  const losses = await Promise.all((["float32", "float64"] as const).map(async (precision) => {
    const layers = [lstm({ units: 1, activation: "linear" }), dense({ units: 1 })];
    const model = sequential(layers, { inputShape: [1, 1], seed: 1, precision });
    // c̃ is 1e40, which float32 cannot hold; o is e⁻¹⁰⁰
    model.setWeights([[[0, 0, 1e20, 0]], [[0, 0, 0, 0]], [0, 0, 0, -100], [[1e-3]], [0]]);
    assertEquals(Number.isFinite(model.predict([[[1e20]]]).item(0, 0)), precision === "float64");
    model.compile({ optimizer: sgd({ learningRate: 0 }), loss: "mae" });
    return (await model.fit([[[1e20]]], [[0]], { verbose: false })).loss[0]!;
  }));
  assert(Math.abs(losses[0]! / losses[1]! - 1) < 1e-6); // 1e20 and 1e-3 are rounded
});

Deno.test("all recurrent layers but those of rare activations are computed fast", () => {
  const chains = [];
  for (const [name, example] of Object.entries(cases)) {
    const { x = usual } = example;
    const network = networkOf(modelOf(example, "float32"));
    const { traces } = network.forward(network.checkInputs(x, "predict"), { fast: true });
    const byEquations = traces.length > 0; // these tell what happened inside
    assertEquals(byEquations, name.includes("without a fast form"), name);
    if (chainOf(network) !== undefined) chains.push(name);
  }
  assertEquals(chains, [
    "an LSTM and a dense layer",
    "without biases",
    "LSTMs, dropout and dense layers in a row",
    "each timestep",
    "backwards",
    "dense layers alone",
    "an activation layer joins its dense layer",
    "dropout inside",
    ...["GRU", "GRU reset before", "SimpleRNN"].flatMap((name) => [
      `${name} and a dense layer`,
      `${name}, two without biases`,
      `${name}, backwards`,
      `${name}, dropout inside`,
      `${name}, dropout inside, both`,
    ]),
  ]);
});

Deno.test("convolutions, poolings and normalizations are computed fast, in fit too", () => {
  for (const [name, example] of Object.entries(before)) {
    const network = networkOf(modelOf(example, "float32"));
    const inputs = network.checkInputs(example.x ?? usual, "predict");
    const { results } = network.forward(inputs, { fast: true });
    const { variables } = network.forwardOnTape(inputs, {
      fast: true,
      training: true,
      random: seededRandom(1),
    }).tape;
    results.forEach(([result], k) => assert(result!.data instanceof Float32Array, `${name}, ${k}`));
    for (const { value, origin } of variables) {
      assert(origin.op === "computed" || origin.op === "reshape", `${name}: ${origin.op}`);
      assert(value.data instanceof Float32Array, name);
    }
  }
});

Deno.test("a convolution over many samples goes through in parts", () => {
  const layers = () => [conv1D({ filters: 4, kernelSize: 5 }), globalMaxPooling1D()];
  const [fast, judge] = (["float32", "float64"] as const).map((precision) =>
    sequential(layers(), { inputShape: [100, 8], seed: 2, precision })
  ) as [Model, Model];
  judge.setWeights(fast.getWeights());
  const x = new Tensor(randomArray(200 * 100 * 8, 1, 5), [200, 100, 8]); // 1 MiB are 68 samples
  assert(difference(fast.predict(x), judge.predict(x), 1) <= PREDICTION);
});

Deno.test("a batch in parts takes each sample's states along, and records every gate", () => {
  const sizes = { batch: 23, timesteps: 5, inputSize: 4 };
  const layer = { ...randomLstm(6, 4), takesStates: true, record: true };
  const x = randomInput(sizes);
  const start = [randomArray(23 * 6, 1, 1), randomArray(23 * 6, 1, 2)];
  const [whole, parts] = [undefined, 5 * 4 * 5 * 40].map((bytes) =>
    new BatchPlan([layer], sizes, bytes).runLayer(x, { start, records: true })
  );
  for (const name of ["recorded", "ends"] as const) {
    assertEquals(parts![name].length, whole![name].length);
    parts![name].forEach((values, k) => {
      const [a, b] = [values, whole![name][k]!].map((one) => new Tensor(one, [one.length]));
      assert(difference(a!, b!, 1) <= PREDICTION);
    });
  }
  assert(difference(new Tensor(parts!.output, [138]), new Tensor(whole!.output, [138]), 1) <= 1e-6);
});

/** An encoder whose last states are where a decoder starts, a stateful layer behind it. */
function encoderDecoder(precision: Precision, cell: (options: GruLayerOptions) => Layer): Model {
  const [question, answer] = [input([null, 3]), input([null, 2])];
  const [, ...states] = cell({ units: 5, returnState: true }).applyAll(question);
  const decoded = cell({ units: 5, returnSequences: true }).apply([answer, ...states]);
  const after = cell({ units: 4, stateful: true }).apply(decoded);
  return functional([question, answer], after, { seed: 3, precision });
}

const cells = {
  lstm: (options: GruLayerOptions) => lstm(options),
  gru: (options: GruLayerOptions) => gru(options),
  gruBefore: (options: GruLayerOptions) => gru({ ...options, resetAfter: false }),
  simpleRnn: ({ recurrentActivation: _, ...options }: GruLayerOptions) => simpleRnn(options),
};

Deno.test("an encoder and a decoder learn together as the equations have it, and fast", async () => {
  for (const [name, cell] of Object.entries(cells)) {
    const models = (["float32", "float64"] as const).map((precision) =>
      encoderDecoder(precision, cell)
    );
    const x = [[4, 6, 3], [4, 5, 2]].map((shape, k) =>
      new Tensor(randomArray(shape.reduce((a, b) => a * b), 1, 7 + k), shape)
    );
    const network = networkOf(models[0]!);
    const { variables } = network.forwardOnTape(network.checkInputs(x, "fit"), {
      fast: true,
      training: true,
      random: seededRandom(1),
    }).tape;
    const others = variables.filter(({ origin }) => !["computed", "arrange"].includes(origin.op));
    assertEquals(others.length, 0, name);
    models[1]!.setWeights(models[0]!.getWeights());
    const [fast, judge] = await Promise.all(models.map(async (model) => {
      const before = model.getWeights();
      model.compile({ optimizer: sgd({ learningRate: 1 }), loss: "mse" });
      await model.fit(x, normalTargets([4, 4]), { batchSize: 4, shuffle: false, verbose: false });
      return model.getWeights().map(({ data, shape }, k) =>
        new Tensor(Float64Array.from(data, (w, at) => w - before[k]!.data[at]!), shape)
      );
    }));
    judge!.forEach((expected, k) => {
      assert(difference(fast![k]!, expected, 1e-2) <= GRADIENT, `${name}, weight ${k}`);
    });
  }
});

Deno.test("states go from an encoder to a decoder, and from call to call, as the equations have it", () => {
  for (const [name, cell] of Object.entries(cells)) {
    const [fast, judge] = (["float32", "float64"] as const).map((precision) =>
      encoderDecoder(precision, cell)
    ) as [Model, Model];
    judge.setWeights(fast.getWeights());
    for (const seed of [1, 2]) { // the second call goes on where the first one ended
      const x = [[4, 6, 3], [4, 5, 2]].map((shape, k) =>
        new Tensor(randomArray(shape.reduce((a, b) => a * b), 1, seed + 2 * k), shape)
      );
      const network = networkOf(fast, "predict");
      const { traces } = network.forward(network.checkInputs(x, "predict"), {
        fast: true,
        records: true,
      });
      const told = trace(judge, x).layers;
      traces.forEach(({ trace }, k) => {
        assert(trace.hiddenState.data instanceof Float32Array, `${name}, layer ${k} is not fast`);
        assert(difference(trace.hiddenState, told[k]!.hiddenState, 1e-3) <= PREDICTION);
      });
      assert(difference(fast.predict(x), judge.predict(x), 1) <= PREDICTION, name);
    }
  }
});
