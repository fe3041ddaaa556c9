// Functional models of any shape, as Keras 3.15.1 saved them. Tolerance 1e-6 of each number by the
// equations, and of an array's largest number where float32 computes on both sides.

import {
  functional,
  input,
  loadModel,
  loadNpz,
  lstm,
  type Model,
  prove,
  saveKeras,
  type Tensor,
  trace,
} from "@gatescope/lstm";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { formatFile } from "./loaded.ts";

const NAMES = [
  "two_inputs",
  "two_outputs",
  "shared_layer",
  "encoder_decoder",
  "decoder_alone",
  "both_directions",
  "masked_words",
  "states_as_output",
  "masked_with_states",
];

async function arraysOf(name: string) {
  const arrays = await loadNpz(formatFile(`keras_graphs/${name}.npz`));
  return (kind: string): Tensor[] => {
    const keys = [...arrays.keys()].filter((key) => new RegExp(`^${kind}_\\d+$`).test(key));
    return keys.map((_, k) => arrays.get(`${kind}_${k}`)!);
  };
}

function assertClose(
  actual: readonly Tensor[],
  expected: readonly Tensor[],
  tolerance: number,
  of: "each" | "largest" = "each",
) {
  assertEquals(actual.map(({ shape }) => shape), expected.map(({ shape }) => shape));
  actual.forEach(({ data }, k) => {
    const scale = of === "largest" ? Math.max(...expected[k]!.data.map(Math.abs)) : undefined;
    data.forEach((value, at) => {
      const theirs = expected[k]!.data[at]!;
      const off = Math.abs(value - theirs) / Math.max(1, scale ?? Math.abs(theirs));
      assert(off <= tolerance, `output ${k} at ${at}: ${value}, ${theirs}`);
    });
  });
}

for (const name of NAMES) {
  Deno.test(`${name} predicts what Keras does, is written and opened again, and is traced`, async () => {
    const arrays = await arraysOf(name);
    const [x, y] = [arrays("x"), arrays("y")];
    const model = await loadModel(formatFile(`keras_graphs/${name}.keras`));
    assertClose(model.predictAll(x), y, 1e-6, "largest");
    const file = await Deno.makeTempFile({ suffix: ".keras" });
    await saveKeras(file, model);
    const again = await loadModel(file);
    assertEquals(again.predictAll(x), model.predictAll(x));
    assertEquals(again.getWeights(), model.getWeights());
    await Deno.remove(file);
    const traced = trace(model, x);
    assertClose(traced.predictions ?? [traced.prediction], y, 1e-6);
    if (y.length === 1) assertEquals(prove(model, x, { expected: y[0]! }).verdict, "rounding");
  });
}

for (const name of ["two_inputs", "both_directions", "masked_with_states_2"]) {
  Deno.test(`${name} as .h5 predicts what Keras does`, async () => {
    const arrays = await arraysOf(name);
    const model = await loadModel(formatFile(`keras_graphs/${name}.h5`));
    assertClose(model.predictAll(arrays("x")), arrays("y"), 1e-6, "largest");
  });
}

Deno.test("inputs may be given by their names, and are the same", async () => {
  const arrays = await arraysOf("two_inputs");
  const [left, right] = arrays("x") as [Tensor, Tensor];
  const model = await loadModel(formatFile("keras_graphs/two_inputs.keras"));
  assertEquals(model.predict({ right, left }), model.predict([left, right]));
});

for (
  const [name, loss, lossWeights] of [
    ["two_outputs", ["categorical_crossentropy", "mse"], [0.5, 2]],
    ["encoder_decoder", "categorical_crossentropy", undefined],
  ] as const
) {
  Deno.test(`${name}: losses and weights after two epochs are Keras's`, async () => {
    const arrays = await arraysOf(name);
    const all = await loadNpz(formatFile(`keras_graphs/${name}.npz`));
    const model: Model = await loadModel(formatFile(`keras_graphs/${name}.keras`));
    model.compile({ optimizer: "adam", loss, ...(lossWeights && { lossWeights }) });
    const options = { epochs: 2, batchSize: 2, shuffle: false, verbose: false };
    const history = await model.fit(arrays("x"), arrays("target"), options);
    history.loss.forEach((value, k) => {
      const theirs = all.get("loss")!.data[k]!;
      assert(Math.abs(value - theirs) <= 1e-6 * Math.max(1, theirs), `${value}, ${theirs}`);
    });
    assertClose(model.getWeights(), arrays("after"), 2e-6);
  });
}

Deno.test("a layer that is applied twice is one layer: its gradients are those of both uses", async () => {
  const [a, b] = [input([3, 2]), input([4, 2])];
  const shared = lstm({ units: 3 });
  const one = functional([a], shared.apply(a), { seed: 1, precision: "float64" });
  const both = functional([a, b], [shared.apply(a), shared.apply(b)], {
    seed: 1,
    precision: "float64",
  });
  assertEquals(both.getWeights(), one.getWeights());
  assertEquals(both.layers.length, 1);
  const x = [[[1, 2], [3, 4], [5, 6]]];
  const y = [[[1, 2], [3, 4], [5, 6], [7, 8]]];
  assertEquals(both.predictAll([x, y])[0], one.predict(x));
  assertEquals(trace(both, [x, y]).names, ["lstm", "lstm:2"]);
  both.compile({ optimizer: "sgd", loss: ["mse", "mse"] });
  const { loss } = await both.fit([x, y], [[[0, 0, 0]], [[1, 1, 1]]], {
    epochs: 30,
    verbose: false,
  });
  assert(loss.at(-1)! < loss[0]!);
});

Deno.test("where states come in, Keras 3 passes over masks and Keras 2 does not: a file for Keras 3 cannot say it", async () => {
  const two = await loadModel(formatFile("keras_graphs/masked_with_states_2.h5"));
  await assertRejects(
    () => saveKeras("/nowhere.keras", two),
    TypeError,
    "but the layer lstm has maskWithStates true",
  );
});
