// Sequences as they come: against Keras's stateful layers (tests/fixtures/formats/keras_stream.py), and
// bit by bit against the whole.

import * as g from "@gatescope/lstm";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { pickedSteps } from "../../lib/values/arrange.ts";
import { numbers as ops } from "../../lib/values/numbers.ts";
import { formatFile } from "../formats/loaded.ts";
import { ownCells } from "../layers/own_cells.ts";
import { numbers } from "./central_differences.ts";

const values = await g.loadNpz(formatFile("keras_stream/values.npz"));
const x = values.get("x")!;

const piece = (one: g.Tensor, from: number, to: number) =>
  pickedSteps(ops, one, Array.from({ length: to - from }, (_, t) => from + t));

function assertClose(actual: g.Tensor, expected: g.Tensor, what: string) {
  const { within, maxAbsDiff } = g.compare(actual, expected, { atol: 1e-6 });
  assert(within, `${what}: ${maxAbsDiff}`);
}

Deno.test("step() is what Keras's stateful layers give, call after call, and again after reset()", async () => {
  const model = await g.loadModel(formatFile("keras_stream/model.keras"));
  const stream = model.stream();
  assertEquals(stream.batch, 3); // the file tells
  for (const _ of ["first", "again"]) {
    for (let t = 0; t < 9; t++) {
      assertClose(stream.step(x.select(1, t)), values.get("steps")!.at(t), `timestep ${t}`);
    }
    assertEquals(stream.timesteps, 9);
    stream.reset();
    assertEquals(stream.timesteps, 0);
  }
  // what the model itself remembers is another thing
  assertClose(model.predict(piece(x, 0, 1)), values.get("steps")!.at(0), "predict");
  assertThrows(() => model.stream({ batch: 1 }), TypeError, "its batch, 3");
});

Deno.test("causal convolutions see what came before: Keras's prediction of the whole, step by step", async () => {
  const model = await g.loadModel(formatFile("keras_stream/causal.keras"));
  const whole = values.get("causal")!;
  const stream = model.stream({ batch: 3 });
  for (let t = 0; t < 9; t++) {
    assertClose(stream.step(x.select(1, t)), whole.select(1, t), `timestep ${t}`);
  }
});

const { lstm, gru, simpleRnn, dense, conv1D } = g;
const rows: Record<string, g.Layer[]> = {
  "LSTM, the last step": [lstm({ units: 3 }), dense({ units: 2 })],
  "LSTM, sequences": [lstm({ units: 3, returnSequences: true }), dense({ units: 2 })],
  "GRUs": [gru({ units: 3, returnSequences: true }), gru({ units: 2, resetAfter: false })],
  "SimpleRNN": [simpleRnn({ units: 3, returnSequences: true })],
  ...Object.fromEntries(
    Object.entries(ownCells).map((
      [name, make],
    ) => [name, [make({ units: 3, returnSequences: true })]]),
  ),
  "convolutions": [
    conv1D({ filters: 3, kernelSize: 3, padding: "causal", dilationRate: 2, activation: "relu" }),
    g.separableConv1D({ filters: 2, kernelSize: 1 }),
    conv1D({ filters: 2, kernelSize: 1 }),
    lstm({ units: 2 }),
  ],
  "what looks at each timestep": [
    g.masking(),
    dense({ units: 3 }),
    g.batchNormalization(),
    g.layerNormalization(),
    g.unitNormalization(),
    g.rescaling({ scale: 2, offset: 1 }),
    g.dropout({ rate: 0.5 }),
    g.leakyReLU(),
    g.activation("tanh"),
    g.timeDistributed(dense({ units: 2 })),
    lstm({ units: 2, returnSequences: true, zeroOutputForMask: true }),
    g.getItem({ index: [-1] }),
    g.reshape({ targetShape: [1, 2] }),
  ],
};

/** The outputs of pieces of these lengths. */
function inPieces(model: g.Model, input: g.Tensor, lengths: readonly number[]): g.Tensor[] {
  const stream = model.stream({ batch: input.shape[0]! });
  let at = 0;
  return lengths.map((length) => {
    const part = piece(input, at, at += length);
    return stream.push(part);
  });
}

for (const [name, layers] of Object.entries(rows)) {
  for (const precision of ["float64", "float32"] as const) {
    Deno.test(`${name}: pieces of any length are the whole, ${precision}`, () => {
      const model = g.sequential(layers, { inputShape: [null, 4], seed: 1, precision });
      const input = g.tensor(x.data.map((v, k) => k % 36 < 4 || k > 100 ? 0 : v), [3, 9, 4]);
      const whole = model.predict(input);
      for (const lengths of [[9], [1, 1, 1, 1, 1, 1, 1, 1, 1], [4, 1, 3, 1], [2, 7]]) {
        const parts = inPieces(model, input, lengths);
        let at = 0;
        parts.forEach((part, k) => {
          at += lengths[k]!;
          const isSequence = whole.shape.length === 3 && whole.shape[1] === 9;
          if (!isSequence && at < 9) return;
          const expected = isSequence ? piece(whole, at - lengths[k]!, at) : whole;
          if (precision === "float32") assertClose(part, expected, `${lengths}`);
          else assertEquals(part.toArray(), expected.toArray(), `${lengths}`);
        });
      }
    });
  }
}

Deno.test("words are streamed, their mask too: [batch] in", () => {
  const layers = [g.embedding({ inputDim: 7, outputDim: 3, maskZero: true }), lstm({ units: 2 })];
  const model = g.sequential(layers, { inputShape: [null], seed: 1, precision: "float64" });
  const stream = model.stream({ batch: 2 });
  const words = [[3, 1, 0], [0, 6, 2]];
  const results = [0, 1, 2].map((t) => stream.step(words.map((row) => row[t]!)));
  assertEquals(results[2]!.toArray(), model.predict(words).toArray());
  assertEquals(results[1]!.toArray()[0 as never], results[2]!.toArray()[0 as never]); // masked: kept
});

Deno.test("graphs: two sequences, a constant input as first states, several outputs", () => {
  const [a, b, start] = [g.input([null, 4]), g.input([null, 4]), g.input([3])];
  const one = lstm({ units: 3, returnSequences: true }).apply(a!);
  const other = gru({ units: 3, returnSequences: true }).apply([b!, start!]);
  const joined = g.concatenate().apply([one, other]);
  const last = g.getItem({ index: [-1] }).apply(g.addition().apply([one, other]));
  const model = g.functional([a!, b!, start!], [joined, last], { seed: 1, precision: "float64" });
  const [y, first] = [numbers([3, 9, 4], 3, 1), numbers([3, 3], 4, 1)];
  const whole = model.predictAll([x, y, first]);
  const stream = model.stream({ batch: 3 });
  const parts = [[0, 2], [2, 3], [3, 9]].map(([from, to]) =>
    stream.pushAll([piece(x, from!, to!), piece(y, from!, to!), first])
  );
  parts.forEach(([sequence], k) => {
    const [from, to] = [[0, 2], [2, 3], [3, 9]][k]!;
    assertEquals(sequence!.toArray(), piece(whole[0]!, from!, to!).toArray());
  });
  assertEquals(parts[2]![1]!.toArray(), whole[1]!.toArray());
  assertThrows(() => stream.push([x, y, first]), TypeError, "stepAll and pushAll give all");
});

Deno.test("a shared LSTM keeps a state for each of its uses", () => {
  const [a, b] = [g.input([null, 4]), g.input([null, 4])];
  const shared = lstm({ units: 3, returnSequences: true });
  const both = g.subtraction().apply([shared.apply(a!), shared.apply(b!)]);
  const model = g.functional([a!, b!], both, { seed: 1, precision: "float64" });
  const y = numbers([3, 9, 4], 3, 1);
  const stream = model.stream({ batch: 3 });
  const whole = model.predict([x, y]);
  for (let t = 0; t < 9; t++) {
    const part = stream.step([x.select(1, t), y.select(1, t)]);
    assertEquals(part.toArray(), whole.select(1, t).toArray());
  }
});

Deno.test("a layer that needs the whole sequence is refused by name", () => {
  const sequences = lstm({ units: 3, returnSequences: true });
  const cases: [g.Layer[], string][] = [
    [[g.bidirectional(lstm({ units: 2 }))], "bidirectional (Bidirectional) goes backwards too"],
    [[lstm({ units: 2, goBackwards: true })], "lstm (LSTM) goes backwards"],
    [
      [sequences, g.globalMaxPooling1D()],
      "global_max_pooling1d (GlobalMaxPooling1D) needs the whole",
    ],
    [
      [g.maxPooling1D({ poolSize: 2 })],
      "max_pooling1d (MaxPooling1D) needs timesteps that are to",
    ],
    [[conv1D({ filters: 2, kernelSize: 3 })], "(padding valid)"],
    [[conv1D({ filters: 2, kernelSize: 3, padding: "same" })], "(padding same)"],
    [[conv1D({ filters: 2, kernelSize: 3, padding: "causal", strides: 2 })], "conv1d"],
    [[g.permute({ dims: [2, 1] })], "permute (Permute) needs the whole sequence"],
    [[g.getItem({ index: [0] })], "get_item (GetItem) needs the whole sequence"],
    [[sequences, g.flatten()], "flatten"],
    [[g.softmaxLayer()], "softmax"],
  ];
  for (const [layers, message] of cases) {
    const model = g.sequential(layers, { inputShape: [6, 4] });
    assertThrows(() => model.stream(), TypeError, message);
  }
  const flat = g.sequential([dense({ units: 1 })], { inputShape: [4] });
  assertThrows(() => flat.stream(), TypeError, "an input of the model must be [timesteps, …]");
  const [a, b] = [g.input([null, 4]), g.input([null, 4])];
  const [, h, c] = lstm({ units: 3, returnState: true }).applyAll(a!);
  const decoder = g.functional([a!, b!], lstm({ units: 3 }).apply([b!, h!, c!]));
  assertThrows(
    () => decoder.stream(),
    TypeError,
    "the first states of lstm_1 must be known before",
  );
});

Deno.test("shapes and batches that are not the model's are refused, and nothing is remembered of them", () => {
  const model = g.sequential([lstm({ units: 3 })], { inputShape: [null, 4], seed: 1 });
  const stream = model.stream();
  const first = stream.step([[1, 2, 3, 4]]);
  for (const wrong of [[[1, 2, 3]], [[1, 2, 3, 4], [1, 2, 3, 4]], [1, 2, 3, 4], [[[1, 2, 3, 4]]]]) {
    assertThrows(() => stream.step(wrong), TypeError, "must be [1, timesteps, 4]");
  }
  assertEquals(stream.timesteps, 1);
  stream.reset();
  assertEquals(stream.step([[1, 2, 3, 4]]).toArray(), first.toArray());
  assertThrows(() => model.stream({ batch: 0 }), RangeError, "batch");
});
