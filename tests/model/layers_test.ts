import {
  add,
  arange,
  bidirectional,
  dense,
  dropout,
  embedding,
  lstm,
  lstmForward,
  masking,
  sequential,
  type Tensor,
  tensor,
  timeDistributed,
} from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { networkOf } from "../../lib/model/model.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { numbers } from "./central_differences.ts";

const x = numbers([3, 5, 2], 1);
const inputShape = [5, 2];

/** The steps of every sample in the opposite order. */
function reversed(sequence: Tensor): Tensor {
  const [batch, timesteps] = sequence.shape as [number, number];
  return tensor(Array.from(
    { length: batch },
    (_, n) => Array.from({ length: timesteps }, (_, t) => sequence.at(n, -1 - t).toArray()),
  ));
}

Deno.test("goBackwards is the LSTM on the reversed sequence", () => {
  for (const returnSequences of [false, true]) {
    const options = { units: 3, returnSequences };
    const ahead = sequential([lstm(options)], { inputShape, seed: 1 });
    const back = sequential([lstm({ ...options, goBackwards: true })], { inputShape, seed: 1 });
    assertEquals(back.predict(x).toArray(), ahead.predict(reversed(x)).toArray());
  }
});

Deno.test("padding that is masked changes no prediction, on either side and either way", () => {
  const layers = [
    masking({ maskValue: -1 }),
    bidirectional(lstm({ units: 3, returnSequences: true })),
    lstm({ units: 2 }),
  ];
  const model = sequential(layers, { inputShape: [null, 2], seed: 3 });
  const steps = [[0.5, 1], [2, -1], [0.1, 0.3]];
  const pad = [[-1, -1], [-1, -1]];
  const bare = model.predict([steps]).toArray();
  assertEquals(model.predict([[...steps, ...pad]]).toArray(), bare);
  assertEquals(model.predict([[...pad, ...steps]]).toArray(), bare);
});

Deno.test("a stateful LSTM on two halves is the LSTM on the whole", () => {
  const precision = "float64"; // in float32 the one is computed fast, the other by the equations
  const options = { inputShape, seed: 5, precision } as const;
  const whole = sequential([lstm({ units: 3, returnSequences: true })], options);
  const layer = lstm({ units: 3, returnSequences: true, stateful: true });
  const halves = sequential([layer], { ...options, inputShape: [null, 2] });
  const part = (from: number, to: number) =>
    tensor((x.toArray() as number[][][]).map((sample) => sample.slice(from, to)));
  halves.predict(part(0, 2));
  const end = halves.predict(part(2, 5));
  assertEquals(end.select(1, -1).toArray(), whole.predict(x).select(1, -1).toArray());
});

Deno.test("one definition in two places has weights of its own in each", () => {
  const same = lstm({ units: 2, returnSequences: true });
  const model = sequential([same, same], { inputShape, seed: 1 });
  assertEquals(model.layers.map(({ name }) => name), ["lstm", "lstm_1"]);
  const [first, second] = model.layers.map(({ getWeights }) => getWeights()[0]!.toArray());
  assertNotEquals(first, second);
});

Deno.test("timeDistributed(dense) is dense on a sequence", () => {
  const [one, other] = [timeDistributed(dense({ units: 3 })), dense({ units: 3 })]
    .map((layer) => sequential([layer], { inputShape, seed: 2 }).predict(x));
  assertEquals(one!.toArray(), other!.toArray());
});

Deno.test("dropout keeps the mean, drops about its rate, and nothing in prediction", () => {
  const model = sequential([dropout({ rate: 0.25 })], { inputShape: [10000] });
  const ones = tensor(new Float64Array(10000).fill(1), [1, 10000]);
  assertEquals(model.predict(ones).toArray(), ones.toArray());
  const { output } = networkOf(model).forward([ones], { training: true, random: seededRandom(1) });
  const values = [...output.data];
  assertAlmostEquals(values.reduce((a, b) => a + b) / 10000, 1, 0.02); // 0.0058 is its deviation
  assertEquals([...new Set(values)].sort(), [0, 1 / 0.75]);
});

Deno.test("the LSTM's dropout is one set of factors for all timesteps", () => {
  const layer = lstm({ units: 2, dropout: 0.5, returnSequences: true });
  const model = sequential([layer], { inputShape: [4, 6], seed: 1, precision: "float64" });
  const random = seededRandom(3);
  const ones = tensor(new Float64Array(24).fill(1), [1, 4, 6]);
  const run = networkOf(model).forward([ones], { training: true, random });
  const again = seededRandom(3);
  const kept = Array.from({ length: 6 }, () => again.uniform() < 0.5 ? 0 : 2);
  const [kernel, recurrentKernel, bias] = model.getWeights() as [Tensor, Tensor, Tensor];
  const dropped = tensor([Array.from({ length: 4 }, () => kept)]);
  const { hiddenState } = lstmForward(dropped, { kernel, recurrentKernel, bias });
  assertEquals(run.output.toArray(), hiddenState.toArray());
});

Deno.test("an embedding gives rows of its table", () => {
  const model = sequential([embedding({ inputDim: 4, outputDim: 3 })], { inputShape: [null] });
  const [table] = model.getWeights() as [Tensor];
  assertEquals(model.predict([[3, 0]]).toArray(), [[table.at(3).toArray(), table.at(0).toArray()]]);
  assert(table.data.every((value) => Math.abs(value) <= 0.05));
});

Deno.test("mergeMode sum is the two halves of concat, added", () => {
  const model = (mergeMode: "concat" | "sum") =>
    sequential([bidirectional(lstm({ units: 3 }), { mergeMode })], {
      inputShape,
      seed: 4,
      precision: "float64",
    });
  const both = networkOf(model("concat")).forward([x]).output;
  const half = (start: number) =>
    tensor(Array.from({ length: 3 }, (_, n) => [...both.at(n).data].slice(start, start + 3)));
  const sum = networkOf(model("sum")).forward([x]).output;
  assertEquals(sum.toArray(), add(half(0), half(3)).toArray());
});

Deno.test("whole numbers reach an LSTM as they are", () => {
  const model = sequential([lstm({ units: 2 })], { inputShape: [3, 2], seed: 1 });
  const ints = tensor(Int32Array.from({ length: 6 }, (_, k) => k), [1, 3, 2]);
  assertEquals(
    model.predict(ints).toArray(),
    model.predict(arange(6).reshape([1, 3, 2])).toArray(),
  );
});
