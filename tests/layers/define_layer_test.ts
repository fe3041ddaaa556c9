// A layer of one's own takes part: a dozen lines, and all else follows.

import * as g from "@gatescope/lstm";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { checkLayer, numbers } from "../model/central_differences.ts";

/** Which timesteps matter: a softmax over time of x·v, and the mean of x by it. */
const attentionPooling = () =>
  g.defineLayer({
    className: "AttentionPooling",
    outputShape: ([, size]) => [size!],
    weights: ([, size]) => [{ name: "v", shape: [size!, 1] }],
    run(o, [x], [v]) {
      const [batch, steps, size] = o.numbers(x!).shape as [number, number, number];
      const scores = o.reshape(o.affine([[x!, v!]]), [batch, steps]);
      const weights = o.reshape(o.apply("softmax", scores), [batch, 1, steps]);
      return { outputs: [o.reshape(o.matmul(weights, x!), [batch, size])] };
    },
  });

const x = numbers([6, 4, 2], 1, 1);
const layers = () => [
  g.lstm({ units: 3, returnSequences: true }),
  attentionPooling(),
  g.dense({ units: 2, activation: "softmax" }),
];

Deno.test("it predicts what its equation says, by numbers in NumPy's manner", () => {
  const model = g.sequential([attentionPooling()], { inputShape: [null, 2], precision: "float64" });
  model.setWeights([[[0.5], [-1]]]);
  const [sample] = x.toArray() as number[][][];
  const exps = sample!.map(([a, b]) => Math.exp(0.5 * a! - b!));
  const sum = exps.reduce((a, b) => a + b, 0);
  const mean = [0, 1].map((k) => sample!.reduce((s, row, t) => s + row[k]! * exps[t]! / sum, 0));
  const { within } = g.compare(model.predict(x).at(0), mean, { atol: 1e-7 });
  assert(within);
});

Deno.test("it learns with the model around it, its gradients are central differences'", async () => {
  checkLayer({ layer: attentionPooling(), x: numbers([2, 3, 2], 3, 1) }, "attention pooling");
  const model = g.sequential(layers(), { inputShape: [4, 2], seed: 1 });
  model.compile({ optimizer: g.adam({ learningRate: 0.03 }), loss: "categorical_crossentropy" });
  const y = [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0], [0, 1]];
  const [, , , before] = model.getWeights();
  const { loss } = await model.fit(x, y, { epochs: 60, verbose: false });
  assert(loss.at(-1)! < loss[0]! / 3, `${loss[0]} to ${loss.at(-1)}`);
  assert(model.getWeights()[3]!.data.some((v, k) => v !== before!.data[k]));
});

Deno.test("it is proved, traced past, summed up, and found where a number is wrong", () => {
  const model = g.sequential(layers(), { inputShape: [4, 2], seed: 1 });
  const { verdict, sentence } = g.prove(model, x);
  assert(verdict === "rounding" || verdict === "equal", sentence);
  assertEquals(g.prove(model, x, { expected: g.add(model.predict(x), 0.01) }).verdict, "mismatch");
  assertEquals(g.trace(model, x).layers.length, 1);
  const { text } = model.summary();
  assert(text.includes("attention_pooling (AttentionPooling)"), text);
  assertEquals(model.layers[1]!.parameters, 3);
});

Deno.test("saveKeras and saveOnnx refuse it by name, and a class of Keras's is none of one's own", async () => {
  const model = g.sequential(layers(), { inputShape: [4, 2], seed: 1 });
  const folder = await Deno.makeTempDir();
  for (const save of [g.saveKeras, g.saveOnnx]) {
    await assertRejects(() => save(`${folder}/model`, model), TypeError, "AttentionPooling");
  }
  assertEquals([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
  const fine = { className: "Fine", outputShape: () => [1], run: () => ({ outputs: [] }) };
  g.defineLayer(fine);
  // deno-lint-ignore no-explicit-any
  const wrong: [any, string][] = [
    [{ className: "Dense" }, "a name of its own, but Dense is Keras's"],
    [{ className: "" }, "its className is a text"],
    [{ run: undefined }, "run is missing"],
    [{ weights: [] }, "weights is"],
    [{ outputshape: () => [1] }, "did you mean outputShape?"],
  ];
  for (const [changed, message] of wrong) {
    assertThrows(() => g.defineLayer({ ...fine, ...changed }), TypeError, message);
  }
});
