// What saveOnnx writes, read back here; `deno task test:frameworks` runs the same in ONNX Runtime.

import {
  activation,
  addition,
  arange,
  bidirectional,
  concatenate,
  conv1D,
  defineLayer,
  dense,
  embedding,
  functional,
  getActivation,
  gru,
  input,
  type Layer,
  loadModel,
  lstm,
  masking,
  maxPooling1D,
  type Model,
  multiHeadAttention,
  saveOnnx,
  sequential,
  type Tensor,
  timeDistributed,
} from "@gatescope/lstm";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type OnnxFile, readOnnx } from "../../lib/files/onnx.ts";
import { ONNX_KINDS } from "../../lib/formats/onnx/writing/table.ts";
import { LAYER_KINDS } from "../../lib/layers/table.ts";
import { networkOf } from "../../lib/model/model.ts";
import { kerasFixtures } from "./keras_fixtures.ts";
import { difference, formatFile } from "./loaded.ts";

/** What is done with a model's .onnx file. */
async function written<T>(model: Model, use: (file: string) => Promise<T>): Promise<T> {
  const file = await Deno.makeTempFile({ suffix: ".onnx" });
  try {
    await saveOnnx(file, model);
    return await use(file);
  } finally {
    await Deno.remove(file);
  }
}

const opened = (model: Model) => written(model, loadModel);
const graphOf = (model: Model): Promise<OnnxFile> =>
  written(model, async (file) =>
    await readOnnx({
      bytes: await Deno.readFile(file),
      beside: () => Promise.reject(new Error("it holds all of its arrays")),
    }));

const x = arange(72).reshape([4, 6, 3]);

/** Both predict the same by the equations, in float64: weights and constants are of float32. */
async function assertSame(model: Model, x: Tensor, what: string) {
  const [again, own] = [networkOf(await opened(model)), networkOf(model)].map((network) =>
    network.forward(network.checkInputs(x, "predict")).output
  );
  const off = difference(again!, own!);
  assert(off <= 1e-7, `${what} is off by ${off}`);
}

/** What saveOnnx writes masks with, and loadModel does not read. */
const UNREAD = /a (TopK|GatherND|CumSum)\b/;

Deno.test("each of Keras's models is written and predicts what Keras does, or is refused by name", async () => {
  const refused: string[] = [];
  for await (const { name, file, xs, ys, training } of kerasFixtures()) {
    if (training !== undefined) continue;
    const model = await loadModel(formatFile(file));
    let again: Model;
    try {
      again = await opened(model);
    } catch (error) {
      const { message } = error as Error;
      if (!message.startsWith("Cannot write")) assert(UNREAD.test(message), `${name}: ${message}`);
      else refused.push(message.split(", but the ").at(-1)!.replace(/(lstm|gru|rnn)_\d+/, "$1"));
      continue;
    }
    const network = networkOf(again);
    const { outputs } = network.forward(network.checkInputs(xs, "predict")); // by the equations
    outputs.forEach((y, k) => {
      const off = difference(y, ys[k]!);
      assert(off <= 1e-6, `${name} is off by ${off}`);
    });
  }
  assertEquals(
    new Set(refused),
    new Set([
      "activation of lstm is silu",
      "activation of bidirectional is gelu",
      "layer lstm is a stateful LSTM",
      "layer gru is a stateful GRU",
      "layer simple_rnn is a stateful SimpleRNN",
    ]),
  );
});

Deno.test("every kind of layer that is read is written", () => {
  const others = ["RNN", "CuDNNLSTM", "CuDNNGRU"]; // which are LSTMs and GRUs
  const kinds = LAYER_KINDS.map(({ className }) => className);
  assertEquals(kinds.filter((one) => !others.includes(one) && !Object.hasOwn(ONNX_KINDS, one)), []);
});

Deno.test("inputs and outputs have their names, and open axes a name for each length", async () => {
  const [a, b] = [input([null, 3], { name: "a" }), input([null, 2], { name: "b" })];
  const [sequence, h, c] = lstm({ units: 4, returnSequences: true, returnState: true }).applyAll(a);
  const decoded = lstm({ units: 4, name: "decoder", returnSequences: true }).apply([b, h!, c!]);
  const shorter = maxPooling1D({ name: "pool" }).apply(sequence!);
  const { graph } = await graphOf(functional([a, b], [decoded, shorter]));
  const axesOf = (values: typeof graph.inputs) =>
    values!.map(({ name, type }) => [
      name,
      ...type!.tensor!.shape!.axes!.map(({ length, parameter }) => parameter || Number(length)),
    ]);
  assertEquals(axesOf(graph.inputs), [["a", "batch", "a_1", 3], ["b", "batch", "b_1", 2]]);
  assertEquals(axesOf(graph.outputs), [
    ["decoder", "batch", "b_1", 4],
    ["pool", "batch", "pool_1", 4],
  ]);

  const row = await graphOf(sequential([gru({ units: 2, returnSequences: true })], {
    inputShape: [null, 3],
  }));
  assertEquals(axesOf(row.graph.inputs), [["x", "batch", "timesteps", 3]]);
  assertEquals(axesOf(row.graph.outputs), [["prediction", "batch", "timesteps", 2]]);
});

Deno.test("a layer that is used twice has its arrays once, and the same arrays in two layers are two", async () => {
  const shared = lstm({ units: 2, name: "shared" });
  const [a, b] = [input([6, 3]), input([6, 3])];
  const model = functional([a, b], addition().apply([shared.apply(a), shared.apply(b)]));
  const { arrays } = await graphOf(model);
  assertEquals([...arrays.keys()].filter((key) => /[WRB]/.test(key)), [
    "shared/W",
    "shared/R",
    "shared/B",
  ]);
  const again = await opened(model);
  assert(difference(again.predict([x, x]), model.predict([x, x])) <= 1e-7);
});

for (const resetAfter of [true, false]) {
  Deno.test(`a GRU, reset ${resetAfter ? "after" : "before"}, has ONNX's blocks z r h, biases and linear_before_reset`, async () => {
    const model = sequential([gru({ units: 2, resetAfter })], { inputShape: [6, 3], seed: 1 });
    const bias = resetAfter ? arange(12).reshape([2, 6]) : arange(6);
    model.setWeights([...model.getWeights().slice(0, 2), bias]);
    const [kernel, recurrent] = model.getWeights();
    const { graph, arrays } = await graphOf(model);
    const { attributes } = graph.nodes!.find(({ type }) => type === "GRU")!;
    const linear = attributes!.find(({ name }) => name === "linear_before_reset")!;
    assertEquals(Number(linear.int ?? 0), resetAfter ? 1 : 0);
    assertEquals(arrays.get("gru/W")!.toArray(), [kernel!.transpose().toArray()]);
    assertEquals(arrays.get("gru/R")!.toArray(), [recurrent!.transpose().toArray()]);
    const second = resetAfter ? [6, 7, 8, 9, 10, 11] : [0, 0, 0, 0, 0, 0];
    assertEquals(arrays.get("gru/B")!.toArray(), [[0, 1, 2, 3, 4, 5, ...second]]);
  });
}

const small = { units: 4, returnSequences: true };
const LAYERS: Readonly<Record<string, readonly Layer[]>> = {
  "Bidirectional whose first layer goes backwards": [
    bidirectional(lstm({ ...small, goBackwards: true }), { backwardLayer: lstm(small) }),
  ],
  "Bidirectional of different units": [
    bidirectional(lstm(small), { backwardLayer: lstm({ ...small, units: 2, goBackwards: true }) }),
  ],
  "Bidirectional with a bias in one layer": [
    bidirectional(lstm(small), {
      mergeMode: "ave",
      backwardLayer: lstm({ ...small, useBias: false, goBackwards: true }),
    }),
  ],
  "TimeDistributed of what sees other timesteps": [
    lstm({ ...small, units: 6 }),
    timeDistributed(dense({ units: 4 })),
  ],
};

for (const [name, layers] of Object.entries(LAYERS)) {
  Deno.test(`${name} is written so that loadModel() predicts the same`, async () => {
    for (const timesteps of [6, null]) {
      const model = sequential(layers, { inputShape: [timesteps, 3], seed: 3 });
      await assertSame(model, x, name);
    }
  });
}

Deno.test("a TimeDistributed of windows and of LSTMs keeps axes that are open", async () => {
  const long = arange(4 * 2 * 6 * 3).reshape([4, 2, 6, 3]);
  for (const shape of [[2, 6, 3], [null, 6, 3], [null, null, 3]]) {
    for (const inner of [conv1D({ filters: 2, kernelSize: 3, padding: "causal" }), lstm(small)]) {
      const model = sequential([timeDistributed(inner)], { inputShape: shape, seed: 2 });
      await assertSame(model, long, `${inner.className} of ${shape}`);
    }
  }
});

Deno.test("an input that stands for words and for numbers too is one of floats", async () => {
  const words = input([6]);
  const looked = embedding({ inputDim: 9, outputDim: 3 }).apply(words);
  const both = concatenate().apply([lstm({ units: 4 }).apply(looked), words]);
  const model = functional(words, both);
  const { graph } = await graphOf(model);
  assertEquals(graph.inputs!.map(({ type }) => Number(type!.tensor!.dataType)), [1]);
  const row = sequential([embedding({ inputDim: 9, outputDim: 3 })], { inputShape: [null] });
  assertEquals(Number((await graphOf(row)).graph.inputs![0]!.type!.tensor!.dataType), 7);
});

Deno.test("a mask goes into the recurrent operator as lengths of what it counts", async () => {
  const model = sequential([masking(), lstm({ units: 2 })], { inputShape: [null, 3] });
  const { graph } = await graphOf(model);
  const { inputs } = graph.nodes!.find(({ type }) => type === "LSTM")!;
  assertEquals(inputs!.length, 5);
  const unmasked = sequential([lstm({ units: 2 })], { inputShape: [null, 3] });
  const plain = (await graphOf(unmasked)).graph.nodes!.find(({ type }) => type === "LSTM")!;
  assertEquals(plain.inputs!.length, 4);
});

Deno.test("what ONNX cannot say is refused by name, with the reason", async () => {
  const refuses = (model: Model, message: string) =>
    assertRejects(() => saveOnnx("/nowhere/never.onnx", model), Error, message);
  const row = (...layers: Layer[]) => sequential(layers, { inputShape: [6, 3] });
  await refuses(
    row(lstm({ units: 2, stateful: true })),
    "Cannot write an .onnx file: ONNX's operators start each call from zeros, but the layer lstm " +
      "is a stateful LSTM",
  );
  await refuses(row(lstm({ units: 2, activation: "gelu" })), "the activation of lstm is gelu");
  await refuses(row(gru({ units: 2, recurrentActivation: "softmax" })), "of gru is softmax");
  const own = Object.assign((x: never) => x, {
    activationName: "own",
    options: {},
    backward: (_: unknown, gradient: unknown) => gradient,
  });
  await refuses(row(activation(own as never)), "but own of activation is a function of your own");
  const square = defineLayer({
    className: "Square",
    config: {},
    outputShape: (shape) => shape,
    weights: () => [],
    run: (o, [x]) => ({ outputs: [o.sumOfProducts([x!, x!])] }),
  });
  await refuses(row(square), "but the layer square is a Square");
  const apart = maxPooling1D({ poolSize: 2, strides: 3, padding: "same" });
  await refuses(
    sequential([apart], { inputShape: [null, 3] }),
    "with padding same, windows that leave steps out need a length that is known, but the layer " +
      "max_pooling1d is one of 2 steps that moves on by 3",
  );
  await opened(row(apart));
});

Deno.test("pairs of steps count in several heads by the masks of both sides, and by what is causal", async () => {
  const x = input([4, 3]);
  const masked = masking().apply(x);
  const no = [0, 0, 0];
  const steps = [[[1, 2, 3], no, [4, 5, 6], no], [no, no, no, no]];
  for (const useCausalMask of [false, true]) {
    for (const dropout of [0, 0.3]) { // by which Keras multiplies the weights by the mask, too
      const heads = multiHeadAttention({ numHeads: 2, keyDim: 2, useCausalMask, dropout });
      const model = functional(x, heads.apply([masked, masked]), { seed: 1 });
      const off = difference((await opened(model)).predict(steps), model.predict(steps));
      assert(off <= 1e-6, `off by ${off}`);
    }
  }
});

Deno.test("activations of any option are ONNX's operators", async () => {
  for (
    const φ of [
      getActivation("relu", { negativeSlope: 0.1, threshold: 0.5, maxValue: 2 }),
      getActivation("gelu", { approximate: true }),
      getActivation("squareplus"),
      getActivation("sparse_plus"),
      getActivation("affine", { alpha: 2, beta: 3 }),
      getActivation("mish"),
    ]
  ) {
    const layers = [lstm({ units: 4, returnSequences: true }), dense({ units: 3, activation: φ })];
    const model = sequential(layers, { inputShape: [6, 3], seed: 8 });
    await assertSame(model, x, φ.activationName);
  }
});
