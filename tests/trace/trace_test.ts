// Tolerance 1e-15: a trace is the equations themselves.

import {
  arange,
  bidirectional,
  compare,
  dense,
  lstm,
  lstmForward,
  type LstmOptions,
  type LstmWeights,
  masking,
  sequential,
  type Tensor,
  trace,
} from "@gatescope/lstm";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { runOf } from "../../lib/cells/traced_run.ts";

const x = arange(24).reshape([4, 3, 2]);

Deno.test("trace() has every LSTM in order, Bidirectional two in the order of the input", () => {
  const model = sequential([
    bidirectional(lstm({ units: 5, returnSequences: true })),
    lstm({ units: 4 }),
    dense({ units: 2 }),
  ], { inputShape: [3, 2], seed: 1, precision: "float64" });
  const { layers, names, prediction } = trace(model, x);
  assertEquals(names, ["bidirectional/forward_layer", "bidirectional/backward_layer", "lstm_1"]);
  assertEquals(layers.map(({ cellState }) => cellState.shape), [[4, 3, 5], [4, 3, 5], [4, 3, 4]]);
  assertEquals(prediction.toArray(), model.predict(x).toArray());

  const [, , , kernel, recurrentKernel, bias] = model.getWeights() as Tensor[];
  const weights = { kernel: kernel!, recurrentKernel: recurrentKernel!, bias: bias! };
  for (const t of [0, 1, 2]) { // timestep t has seen the input from the end down to t
    const step = lstmForward(x, weights, { goBackwards: true }).hiddenState.select(1, t);
    assert(compare(layers[1]!.hiddenState.select(1, t), step, { atol: 1e-15 }).within);
  }
  const last = lstmForward(x.select(1, 2).reshape([4, 1, 2]), weights);
  const seen = layers[1]!.hiddenState.select(1, 2);
  assert(compare(seen, last.hiddenState.select(1, 0), { atol: 1e-15 }).within);
});

Deno.test("trace() leaves what a stateful model remembers as it was, and starts from it", () => {
  for (const [precision, fast] of [["float64", false], ["float32", true]] as const) {
    const layers = [lstm({ units: 3, stateful: true })];
    const model = sequential(layers, { inputShape: [3, 2], seed: 1, precision });
    model.predict(x);
    const { prediction } = trace(model, x, { fast });
    assertEquals(trace(model, x, { fast }).prediction.toArray(), prediction.toArray());
    assertEquals(
      Float32Array.from(model.predict(x).data),
      Float32Array.from(prediction.data),
    );
  }
});

Deno.test("what a trace was computed from gives it again: input, weights, options and where it started", () => {
  for (const [precision, fast] of [["float64", false], ["float32", true]] as const) {
    const layers = [lstm({ units: 3, stateful: true, goBackwards: true, activation: "softsign" })];
    const model = sequential(layers, { inputShape: [3, 2], seed: 1, precision });
    model.predict(x);
    const [layer] = trace(model, x, { fast }).layers;
    const { x: input, weights, options } = runOf(layer!)!;
    assert(options.initialState !== undefined);
    const again = lstmForward(input, weights as LstmWeights, options as LstmOptions);
    assert(compare(again.hiddenState, layer!.hiddenState, { atol: 1e-6 }).within);
    assert(compare(again.cellState, layer!.cellState, { atol: 1e-6 }).within);
  }
});

Deno.test("a masked step keeps the state in the trace", () => {
  const model = sequential([masking(), lstm({ units: 3 })], { inputShape: [3, 2], seed: 1 });
  const { layers } = trace(model, [[[1, 2], [0, 0], [3, 4]]]);
  const { cellState } = layers[0]!;
  assertEquals(cellState.at(0, 1).toArray(), cellState.at(0, 0).toArray());
});

Deno.test("a trace shows itself: a line for each recurrent layer", () => {
  const layers = [lstm({ units: 4, returnSequences: true }), lstm({ units: 2 })];
  const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
  const text = Deno.inspect(trace(model, x));
  const [caption, head, ...lines] = text.split("\n");
  assertEquals(caption?.trim(), "Trace of 4 samples, prediction [4, 2]");
  assertEquals(head?.trim().split(/ {2,}/).slice(0, 4), ["layer", "timesteps", "units", "mean i"]);
  assertEquals(lines.map((line) => line.trim().split(" ")[0]), ["lstm", "lstm_1"]);
  const without = sequential([dense({ units: 1 })], { inputShape: [3] });
  assertEquals(trace(without, [[1, 2, 3]]).layers, []);
  assert(Deno.inspect(trace(without, [[1, 2, 3]])).includes("none is recurrent"));
});

Deno.test("trace() refuses another shape", () => {
  const model = sequential([lstm({ units: 2 })], { inputShape: [3, 2] });
  assertThrows(() => trace(model, [[1, 2]]), TypeError, "Cannot trace: the input must be");
});
