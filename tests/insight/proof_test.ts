import {
  add,
  arange,
  bidirectional,
  dense,
  dropout,
  embedding,
  lstm,
  masking,
  type ProofRow,
  prove,
  sequential,
  Tensor,
  timeDistributed,
  trace,
} from "@gatescope/lstm";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { randomCase, runFloat32, smallModel } from "./float32_run.ts";

const sizes = { batch: 2, timesteps: 3, inputSize: 2, units: 4, classes: 3 };
const { x, arrays } = randomCase(5, sizes);
const model = smallModel(sizes, arrays);
const theirs = runFloat32(x, arrays);

/** One number of a tensor moved. */
function moved(values: Tensor, at: number, by: number): Tensor {
  const data = values.data.slice();
  data[at]! += by;
  return new Tensor(data, values.shape);
}

Deno.test("without `expected`, prove() compares the equations with what predict gives", () => {
  const { verdict, rows, maxAbsDiff } = prove(model, x);
  assert(verdict !== "mismatch"); // lib/compute's float32 is the equations' but for rounding
  assertEquals(rows.map(({ value, numbers }) => [value, numbers]), [
    ["gates.input", 24],
    ["gates.forget", 24],
    ["gates.candidate", 24],
    ["gates.output", 24],
    ["cellState", 24],
    ["hiddenState", 24],
    ["prediction", 6],
  ]);
  assert(maxAbsDiff < 1e-6); // lib/compute gates, a few float32 ulps each
  const exact = prove(smallModel(sizes, arrays, "float64"), x);
  assertEquals(exact.verdict, "equal");
  assertEquals(exact.sentence, "Equal: 150 numbers, each the same float32.");
});

Deno.test("a proof takes a prediction in any form, and any part of a trace", () => {
  const [layer] = theirs.layers;
  const prediction = theirs.prediction;
  for (
    const expected of [
      prediction,
      prediction.toArray(),
      { prediction },
      { layers: [layer] },
      { layers: [{ gates: { output: layer!.gates.output } }] },
      { layers: [undefined], prediction },
      { layers: [{ hiddenState: layer!.hiddenState.toArray() }] },
      trace(model, x),
    ]
  ) assert(prove(model, x, { expected }).verdict !== "mismatch");
});

Deno.test("from the values given, each step is judged by itself: one wrong number is one mismatch", () => {
  const [layer] = theirs.layers;
  const wrong = { ...layer, cellState: moved(layer!.cellState, 5, 0.01) }; // sample 0, timestep 1, unit 1
  const { rows, place, maxAbsDiff } = prove(model, x, {
    expected: { layers: [wrong], prediction: theirs.prediction },
  });
  assertEquals(
    [place?.layer, place?.value, place?.sample, place?.timestep, place?.unit],
    ["lstm", "cellState", 0, 1, 1],
  );
  // The hidden state of that step and the cell state of the next one no longer follow from it.
  const beyond = rows.filter((row) => row.beyond > 0).map(({ value, beyond }) => [value, beyond]);
  assertEquals(beyond, [["cellState", 2], ["hiddenState", 1]]);
  assert(Math.abs(maxAbsDiff - 0.01) < 1e-6);
});

Deno.test("a proof's assert() says the sentence and the place, as a test of one's own prints it", () => {
  prove(model, x, { expected: theirs.prediction }).assert();
  const wrong = prove(model, x, { expected: moved(theirs.prediction, 4, 0.01) });
  const error = assertThrows(() => wrong.assert(), Error, "Mismatch at dense, prediction of ");
  assertStringIncludes(error.message, "of sample 1, number 1: ");
  assertStringIncludes(error.message, "beyond rounding"); // the table
  assertEquals(error.message.split("\n")[0], wrong.sentence);
});

Deno.test("a proof shows itself: the sentence, a row for each value, and what the runner collects", async () => {
  const proof = prove(model, x, { expected: theirs });
  const [sentence, head, ...rows] = Deno.inspect(proof).split("\n");
  assertEquals(sentence?.trim(), proof.sentence);
  assertStringIncludes(head!, "rounding explains");
  assertEquals(rows.map((row) => row.trim().split(/ +/)[1]), [
    "gates.input",
    "gates.forget",
    "gates.candidate",
    "gates.output",
    "cellState",
    "hiddenState",
    "prediction",
  ]);
  const display = (proof as unknown as Record<symbol, () => Promise<Record<string, unknown>>>)[
    Symbol.for("Jupyter.display")
  ]!;
  const media = await display.call(proof);
  assertEquals(media["application/vnd.gatescope.comparison+json"], {
    maxAbsDiff: `${proof.maxAbsDiff}`,
    within: true,
  });
});

Deno.test("explain() opens any value down to its terms, whose sum it is", () => {
  const proof = prove(model, x, { expected: theirs });
  const place = { layer: "lstm", value: "gates.forget", sample: 1, timestep: 2, unit: 3 } as const;
  const text = proof.explain(place).text;
  const [caption, ...lines] = text.split("\n").map((line) => line.trim());
  assertStringIncludes(caption!, "lstm, gates.forget of sample 1, timestep 2, unit 3: off by ");
  const terms = lines.filter((line) => /^[xh]\[\d\]/.test(line)).map((line) => line.split(/ +/));
  assertEquals(terms.map(([what, , times]) => `${what}·${times} ${""}`.trim()).length, 2 + 4);
  const bias = lines.find((line) => line.startsWith("b[7]"))!.split(/ +/).at(-1);
  const z = lines.find((line) => line.startsWith("z, the sum"))!.split(/ +/).at(-1);
  const sum = terms.reduce((total, term) => total + Number(term.at(-1)), Number(bias));
  assert(Math.abs(sum - Number(z)) < 1e-7);
  const f = lines.find((line) => line.startsWith("f = sigmoid(z)"))!.split(/ +/).at(-1);
  assert(Math.abs(Number(f) - theirs.layers[0]!.gates.forget.item(1, 2, 3)) < 1e-6);

  assertStringIncludes(proof.explain({ value: "cellState" }).text, "c = f·c before + i·c̃");
  assertStringIncludes(proof.explain({ value: "hiddenState" }).text, "h = o·φ(c)");
  assertStringIncludes(proof.explain().text, "prediction of sample ");
  assertStringIncludes(proof.explain({ value: "prediction" }).text, "softmax(z)[");
  const wrong = prove(model, x, { expected: moved(theirs.prediction, 4, 0.01) });
  assertStringIncludes(
    wrong.explain().text,
    "dense, prediction of sample 1, number 1: off by 0.01",
  );
});

Deno.test("explain() refuses a place that is not there", () => {
  const proof = prove(model, x, { expected: theirs });
  assertThrows(() => proof.explain({ layer: "lstn" }), RangeError, '"lstn"');
  assertThrows(() => proof.explain({ value: "gate" as never }), RangeError, '"gate"');
  const value = "cellState";
  assertThrows(
    () => proof.explain({ value, unit: 4 }),
    RangeError,
    "has units 0 to 3 (-1 is the last), but unit is 4",
  );
  assertThrows(
    () => proof.explain({ value, timestep: 3 }),
    RangeError,
    "has timesteps 0 to 2 (-1 is the last), but timestep is 3",
  );
});

Deno.test("prove() refuses what is not the model's, and a comparison that would not take place", () => {
  const refused = (expected: unknown, message: string) =>
    assertThrows(() => prove(model, x, { expected: expected as never }), TypeError, message);
  refused([1, 2], "the prediction must be [2, 3], but the shape is [2]");
  refused({}, "but expected is empty");
  refused({ layers: [{}] }, "but expected is empty");
  refused({ layers: [{ cellstate: [1] }] }, "but cellstate was given; did you mean cellState?");
  refused({ layers: [{ gates: { forgot: [1] } }] }, "but forgot was given; did you mean forget?");
  refused(
    { predicted: theirs.prediction },
    "but predicted was given; did you mean prediction?",
  );
  refused(
    { layers: [undefined, {}] },
    "the model has 1 recurrent layers (lstm), but the expected layers are 2",
  );
  refused({ layers: [{ cellState: [[1]] }] }, "lstm's cellState must be [2, 3, 4]");
  refused(null, "but null was given");
  assertThrows(() => prove(model, [[1]]), TypeError, "Cannot prove: the input must be");
});

Deno.test("a NaN on either side, or on both, is a mismatch", () => {
  const nan = moved(theirs.prediction, 0, NaN);
  assertEquals(prove(model, x, { expected: nan }).verdict, "mismatch");
  const broken = smallModel(sizes, { ...arrays, denseBias: moved(arrays.denseBias, 0, NaN) });
  assertEquals(prove(broken, x).verdict, "mismatch");
  assertEquals(prove(broken, x, { expected: nan }).verdict, "mismatch");
  const [layer] = theirs.layers;
  const states = { ...layer, hiddenState: moved(layer!.hiddenState, 7, NaN) };
  const { place } = prove(model, x, { expected: { layers: [states] } });
  assertEquals([place?.value, place?.timestep, place?.unit], ["hiddenState", 1, 3]);
});

Deno.test("every layer's roundings are followed: each LSTM, both directions, masks and steps", () => {
  const words = new Tensor(Float64Array.of(1, 2, 0, 4, 0, 0, 3, 5), [2, 4]);
  const steps = new Tensor(Float64Array.from(arange(24).data, (v) => v === 23 ? 0 : v / 10), [
    2,
    4,
    3,
  ]);
  const cases = [
    [
      [
        embedding({ inputDim: 6, outputDim: 3, maskZero: true }),
        bidirectional(lstm({ units: 4, returnSequences: true }), { mergeMode: "mul" }),
        bidirectional(lstm({ units: 3, useBias: false, returnSequences: true }), {
          mergeMode: "ave",
        }),
        lstm({ units: 3, goBackwards: true }),
        dense({ units: 2, activation: "softmax" }),
      ],
      words,
      [null],
    ],
    [
      [
        masking(),
        bidirectional(lstm({ units: 4, returnSequences: true })),
        dropout({ rate: 0.5 }),
        lstm({ units: 3, returnSequences: true, goBackwards: true, zeroOutputForMask: true }),
        timeDistributed(dense({ units: 5, activation: "sigmoid" })),
      ],
      steps,
      [null, 3],
    ],
  ] as const;
  for (const [layers, input, inputShape] of cases) {
    const deep = sequential([...layers], { inputShape, seed: 3 });
    assert(prove(deep, input).verdict !== "mismatch");
    const inside = trace(deep, input);
    const proof = prove(deep, input, { expected: inside });
    assertEquals(proof.verdict, "equal", proof.sentence);
    assert(proof.bound > 0 && proof.bound < 1e-5);
    for (const [k, layer] of inside.layers.entries()) {
      const wrong = inside.layers.with(k, {
        ...layer,
        hiddenState: moved(layer.hiddenState, 0, 0.01),
      });
      const { place } = prove(deep, input, { expected: { layers: wrong } });
      assertEquals([place?.layer, place?.value], [inside.names[k], "hiddenState"]);
    }
  }
});

Deno.test("a chaotic run is undecided by its prediction, right or wrong, and decided by its steps", () => {
  const wild = { ...sizes, timesteps: 200, units: 16 };
  const chaos = randomCase(9, wild, 8);
  const chaotic = smallModel(wild, chaos.arrays);
  const run = runFloat32(chaos.x, chaos.arrays);
  const own = trace(chaotic, chaos.x).prediction;
  for (const expected of [moved(own, 0, 1e-5), moved(own, 0, 1e-4), run.prediction]) {
    const undecided = prove(chaotic, chaos.x, { expected });
    assertEquals(undecided.verdict, "undecided");
    assert(undecided.bound > 1e-3);
    assertStringIncludes(undecided.sentence, "Undecided: rounding may move dense, prediction of ");
    assertStringIncludes(
      undecided.sentence,
      "of lstm on: fewer timesteps or smaller inputs decide",
    );
    assertThrows(() => undecided.assert(), Error, "Undecided: ");
  }

  // Step by step, the same program is right, and one that is not is found.
  for (const expected of [{ layers: run.layers }, run]) {
    const proof = prove(chaotic, chaos.x, { expected });
    assertEquals(proof.verdict, "rounding", proof.sentence);
    proof.assert();
  }
  const [layer] = run.layers;
  const wrong = { ...layer, cellState: moved(layer!.cellState, 100 * 16, 0.01) };
  assertEquals(prove(chaotic, chaos.x, { expected: { layers: [wrong] } }).verdict, "mismatch");
});

Deno.test("of a stack of relu that grows without bound, what predict computes inside is decided step by step", () => {
  for (let seed = 0; seed < 6; seed++) {
    const relu = { units: 12, activation: "relu" } as const;
    const stack = sequential([
      lstm({ ...relu, returnSequences: true }),
      lstm(relu),
      dense({ units: 1 }),
    ], {
      inputShape: [60, 3],
      seed,
    });
    stack.setWeights(stack.getWeights().map((w) => new Tensor(w.data.map((v) => 2 * v), w.shape)));
    const noise = randomCase(seed, { ...sizes, timesteps: 60, inputSize: 3 }).x;
    const { verdict, sentence } = prove(stack, noise);
    assertEquals(verdict, "rounding", sentence);
  }
});

Deno.test("a run that may overflow float32 is undecided; an infinity where none may be is a mismatch", () => {
  const steep = sequential([
    lstm({ units: 2, activation: "relu" }),
    dense({ units: 1, useBias: false }),
  ], { inputShape: [3, 1] });
  const ones = (rows: number, by: number) =>
    Array.from({ length: rows }, () => Array(8).fill(by) as number[]);
  steep.setWeights([ones(1, 1e30), ones(2, 1e30), Array(8).fill(0), [[1], [1]]]);
  for (const value of [Infinity, NaN, 1]) {
    const { verdict, sentence } = prove(steep, [[[1], [1], [1]]], { expected: [[value]] });
    assertEquals(verdict, "undecided", sentence);
    assertStringIncludes(sentence, "by anything, so that this run proves nothing");
  }
  for (const value of [Infinity, NaN]) {
    const expected = moved(theirs.prediction, 0, value);
    assertEquals(prove(model, x, { expected }).verdict, "mismatch");
  }
});

Deno.test("a gate's range is 1, however small it stays: what moves nothing is decided", () => {
  const one = sequential([lstm({ units: 1 })], { inputShape: [3, 2] });
  // The forget gate's pre-activation is 1e4 − 1e4 − 9: rounding may move σ(−9) by 0.2 % of itself.
  const kernel = [[0, 1, 0, 0], [0, -1, 0, 0]];
  one.setWeights([kernel, [[0, 0, 0, 0]], [0, -9, 1, 0]]);
  const proof = prove(one, [[[1e4, 1e4], [1e4, 1e4], [1e4, 1e4]]]);
  assert(["equal", "rounding"].includes(proof.verdict), proof.sentence);
});

Deno.test("a dead network is called dead", () => {
  const shut = new Tensor(Float32Array.from({ length: 16 }, (_, k) => k < 12 ? 0 : -200), [16]);
  const dead = smallModel(sizes, { ...arrays, bias: shut });
  const proof = prove(dead, x);
  assertEquals(proof.dead, ["lstm"]);
  assertStringIncludes(proof.sentence, "lstm is dead: every hidden state handed on is 0");
  assertEquals(prove(model, x).dead, []);
});

Deno.test("the largest difference told is the difference itself, where numbers are large too", () => {
  const regression = sequential([lstm({ units: 2 }), dense({ units: 1 })], {
    inputShape: [3, 1],
    seed: 1,
  });
  const input = [[[1], [2], [3]]];
  regression.setWeights([...regression.getWeights().slice(0, -1), [300]]);
  const expected = add(regression.predict(input), [[3]]);
  const proof = prove(regression, input, { expected });
  const [{ maxDifference, maxAbsDiff }] = proof.rows as [ProofRow];
  assert(Math.abs(maxDifference - 3) < 1e-4 && maxAbsDiff < 0.01, `${maxDifference}`);
  assert(/ 3(\.00)? /.test(Deno.inspect(proof)), Deno.inspect(proof));
});
