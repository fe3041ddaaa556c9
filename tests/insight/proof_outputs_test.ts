// What whole layers give, as prove compares it: of a convolution, a dense, anything without a cell.

import {
  bidirectional,
  conv1D,
  conv2D,
  dense,
  flatten,
  lstm,
  maxPooling1D,
  prove,
  sequential,
  Tensor,
  timeDistributed,
} from "@gatescope/lstm";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";

const layers = [
  conv1D({ filters: 3, kernelSize: 2, padding: "causal", activation: "relu" }),
  lstm({ units: 2, returnSequences: true }),
  timeDistributed(dense({ units: 2 })),
  flatten(),
  dense({ units: 1 }),
];
const model = sequential(layers, { inputShape: [4, 2], seed: 3 });
const x = new Tensor(Float64Array.from({ length: 16 }, (_, k) => Math.sin(k)), [2, 4, 2]);

/** What each layer gives in float32, by models of the first layers alone. */
function outputs(): Record<string, Tensor> {
  return Object.fromEntries(model.layers.map(({ name }, k) => {
    const first = sequential(layers.slice(0, k + 1), { inputShape: [4, 2] });
    first.setWeights(model.getWeights().slice(0, first.getWeights().length));
    return [name, first.predict(x)];
  }));
}

function changed(tensor: Tensor, at: number, by: number): Tensor {
  return new Tensor(Float64Array.from(tensor.data, (v, k) => k === at ? v + by : v), tensor.shape);
}

Deno.test("every layer's output is compared, each within the rounding of its own layer", () => {
  const { verdict, rows } = prove(model, x, { expected: { outputs: outputs() } });
  assertEquals(verdict, "rounding");
  assertEquals(rows.map(({ layer, value, numbers }) => [layer, value, numbers]), [
    ["conv1d", "output", 24],
    ["lstm", "output", 16],
    ["time_distributed", "output", 16],
    ["flatten", "output", 16],
    ["dense_1", "output", 2],
  ]);
  for (const { largest: { bound } } of rows) assert(bound < 2e-6, `${bound}`);
});

Deno.test("a layer that gave something else is named, and those after it are not blamed", () => {
  const all = outputs();
  for (const [k, { name }] of model.layers.entries()) {
    const wrong = { ...all, [name]: changed(all[name]!, 1, 1e-3) };
    const { verdict, place, sentence, explain } = prove(model, x, { expected: { outputs: wrong } });
    assertEquals([verdict, place?.layer, place?.value], ["mismatch", name, "output"], `${k}`);
    assertStringIncludes(sentence, `${name}, output of sample`);
    assertStringIncludes(explain().text, "difference");
  }
});

Deno.test("a cell's values and outputs go together; a wrong output before a cell is the first", () => {
  const all = outputs();
  const wrong = { ...all, conv1d: changed(all.conv1d!, 23, 1e-3) };
  const hiddenState = all.lstm!;
  const { place } = prove(model, x, { expected: { outputs: wrong, layers: [{ hiddenState }] } });
  assertEquals([place?.layer, place?.sample, place?.timestep, place?.unit], ["conv1d", 1, 3, 2]);
});

Deno.test("outputs are those of layers that are there, in their shapes or as a trace has them", () => {
  const expected = (outputs: Record<string, unknown>) => ({ outputs }) as never;
  assertThrows(
    () => prove(model, x, { expected: expected({ lstn: [[1]] }) }),
    TypeError,
    'conv1d, lstm, time_distributed, flatten or dense_1, but "lstn" was given; did you mean lstm?',
  );
  assertThrows(
    () => prove(model, x, { expected: expected({ lstm: [[1]] }) }),
    TypeError,
    "lstm's output must be [2, 4, 2]",
  );
  assertThrows(() => prove(model, x, { expected: expected({}) }), TypeError, "expected is empty");

  const images = sequential([conv2D({ filters: 2, kernelSize: [2, 2] })], {
    inputShape: [3, 3, 1],
  });
  const given = new Tensor(Float64Array.from({ length: 9 }, (_, k) => Math.cos(k)), [1, 3, 3, 1]);
  const prediction = images.predict(given).reshape([1, 2, 4]);
  assertEquals(prove(images, given, { expected: { prediction } }).verdict, "rounding");
});

Deno.test("layers inside of a layer have no output of their own", () => {
  const both = sequential([bidirectional(lstm({ units: 1 }))], { inputShape: [2, 1], seed: 1 });
  const expected = { outputs: { bidirectional: both.predict([[[1], [2]]]) } };
  const { rows } = prove(both, [[[1], [2]]], { expected });
  assertEquals(rows.map(({ layer }) => layer), ["bidirectional"]);
});

Deno.test("what a pooling pads with, −∞, is exact: its largest is off no farther than its numbers", () => {
  const pooled = sequential([
    dense({ units: 2 }),
    maxPooling1D({ poolSize: 2, padding: "same" }),
    dense({ units: 1 }),
  ], { inputShape: [3, 2], seed: 1 });
  const given = [[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]];
  const first = sequential(pooled.layers.slice(0, 2).map(({ layer }) => layer), {
    inputShape: [3, 2],
  });
  first.setWeights(pooled.getWeights().slice(0, 2));
  const outputs = { max_pooling1d: first.predict(given) };
  const { verdict, rows } = prove(pooled, given, { expected: { outputs } });
  assert(verdict !== "undecided", verdict);
  assert(rows[0]!.largest.bound < 1e-6, `${rows[0]!.largest.bound}`);
});
