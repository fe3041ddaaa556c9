// An activation of one's own is what it does, whatever it is called. Expected values are written out
// by hand: tanh and the sigmoid by Math, the rest by their formulas; 1e-6 is float32's.

import {
  type Activation,
  activation,
  attribute,
  bidirectional,
  checkup,
  compare,
  dense,
  gateSliders,
  lstm,
  lstmForward,
  prove,
  saveKeras,
  saveOnnx,
  sequential,
  Tensor,
  type TensorLike,
  timeDistributed,
  trace,
} from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";

/** f of each number, as an activation. */
function own(name: string, f: (x: number) => number, slope: (x: number) => number): Activation {
  const run = (x: TensorLike) => {
    const { data, shape } = x as Tensor;
    return new Tensor(Float64Array.from(data, f), shape);
  };
  return Object.assign(run as unknown as { (x: number): number; (x: TensorLike): Tensor }, {
    activationName: name,
    options: {},
    backward: (x: Tensor, gradient: Tensor) =>
      new Tensor(Float64Array.from(gradient.data, (dy, k) => dy * slope(x.data[k]!)), x.shape),
  });
}

const bump = (x: number) => x / (1 + x * x);
const slope = (x: number) => (1 - x * x) / (1 + x * x) ** 2;
const X = [[[0.5, -1], [2, 0.25], [-0.75, 1]], [[1, 1], [0, -2], [3, 0.5]]];

const modelOf = (φ: Activation, seed = 1, precision: "float32" | "float64" = "float32") =>
  sequential([lstm({ units: 3, activation: φ }), dense({ units: 2, activation: φ })], {
    inputShape: [3, 2],
    seed,
    precision,
  });

/** The prediction of such a model for one sample, written out. */
function byHand(weights: readonly Tensor[], x: readonly number[][]): number[] {
  const [W, U, b, D, d] = weights.map((weight) => weight.toArray()) as [
    number[][],
    number[][],
    number[],
    number[][],
    number[],
  ];
  let [h, c] = [[0, 0, 0], [0, 0, 0]];
  for (const step of x) {
    const z = (k: number) =>
      step.reduce((sum, v, j) => sum + v * W[j]![k]!, 0) +
      h.reduce((sum, v, j) => sum + v * U[j]![k]!, 0) + b[k]!;
    const σ = (k: number) => 1 / (1 + Math.exp(-z(k)));
    const next = c.map((before, u) => σ(3 + u) * before + σ(u) * bump(z(6 + u)));
    h = next.map((value, u) => σ(9 + u) * bump(value));
    c = next;
  }
  return d.map((bias, k) => bump(h.reduce((sum, v, j) => sum + v * D[j]![k]!, 0) + bias));
}

for (const name of ["bump", "relu", "tanh", "linear", "softmax", "sigmoid", "glu", "silu"]) {
  Deno.test(`an own activation called ${name} is predicted and traced as it is`, () => {
    for (const precision of ["float32", "float64"] as const) {
      const model = modelOf(own(name, bump, slope), 1, precision);
      const expected = X.map((x) => byHand(model.getWeights(), x));
      for (
        const found of [
          model.predict(X),
          trace(model, X).prediction,
          trace(model, X, { fast: true }).prediction,
        ]
      ) {
        assert(compare(found, expected, { atol: 1e-6 }).within);
      }
    }
  });

  Deno.test(`prove with an own activation called ${name}: equal, undecided, never a mismatch`, () => {
    const model = modelOf(own(name, bump, slope));
    const own64 = trace(model, X).prediction;
    assertEquals(prove(model, X, { expected: own64 }).verdict, "equal");
    for (const off of [1e-7, 1e-3, 1]) {
      const expected = new Tensor(Float64Array.from(own64.data, (p) => p + off), own64.shape);
      const proof = prove(model, X, { expected });
      assertEquals(proof.verdict, "undecided");
      assert(proof.sentence.includes(`${name}, the activation of lstm, is a function of your own`));
      assertThrows(() => proof.assert(), Error, "Undecided");
    }
    assert(["equal", "undecided"].includes(prove(model, X).verdict));
  });

  Deno.test(`attribute, checkup and sliders take an own activation called ${name} as it is`, () => {
    const model = modelOf(own(name, bump, slope));
    const { logit, contributions, remainder } = attribute(model, X, { target: 1 });
    for (const n of [0, 1]) {
      // The last activation stands after the logit.
      assertAlmostEquals(bump(logit.item(n)), byHand(model.getWeights(), X[n]!)[1]!, 1e-6);
      const sum = [...contributions.at(n).data].reduce((a, b) => a + b, remainder.item(n));
      assertAlmostEquals(sum, logit.item(n), 1e-9);
    }
    const measured = checkup(model, X).measurements.find(({ check }) =>
      check === "softmax near overflow"
    );
    assertEquals(measured?.worst, undefined);
    assertThrows(() => gateSliders(model, X), TypeError, `${name} is a function of your own`);
  });

  Deno.test(`an own activation called ${name} is written to no file by its name`, async () => {
    const model = modelOf(own(name, bump, slope));
    const both = sequential(
      [bidirectional(lstm({ units: 2, activation: own(name, bump, slope) }))],
      {
        inputShape: [3, 2],
      },
    );
    for (const one of [model, both]) {
      for (const [save, suffix] of [[saveKeras, ".keras"], [saveOnnx, ".onnx"]] as const) {
        const file = await Deno.makeTempFile({ suffix });
        await assertRejects(() => save(file, one), RangeError, "is a function of your own");
        await Deno.remove(file);
      }
    }
  });
}

Deno.test("an own activation's NaN against a number is undecided: float32 may be beside its pole", () => {
  const root = own("root", Math.sqrt, (x) => 0.5 / Math.sqrt(x));
  const layers = [lstm({ units: 3 }), dense({ units: 2, activation: root })];
  const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
  assert(trace(model, X).prediction.data.some(Number.isNaN));
  for (const expected of [[[0.1, 0.2], [0.3, 0.4]], [[NaN, NaN], [NaN, NaN]]]) {
    assertEquals(prove(model, X, { expected }).verdict, "undecided");
  }
});

Deno.test("prove takes an own activation in each place of a model", () => {
  const φ = own("bump", bump, slope);
  const models = [
    [bidirectional(lstm({ units: 2, recurrentActivation: φ })), dense({ units: 1 })],
    [
      lstm({ units: 2, returnSequences: true }),
      timeDistributed(dense({ units: 2, activation: φ })),
    ],
    [lstm({ units: 2 }), activation(φ), dense({ units: 2, activation: "softmax" })],
  ].map((layers) => sequential(layers, { inputShape: [3, 2], seed: 5 }));
  for (const model of models) {
    const { prediction } = trace(model, X);
    assertEquals(prove(model, X, { expected: prediction }).verdict, "equal");
    const off = new Tensor(Float64Array.from(prediction.data, (p) => p * 1.01), prediction.shape);
    const { verdict, sentence } = prove(model, X, { expected: off });
    assertEquals(verdict, "undecided");
    assert(/bump, the activation of \S+, is a function of your own/.test(sentence), sentence);
  }
});

Deno.test("what prove compares in front of an own activation is still proved", () => {
  const layers = [lstm({ units: 3, returnSequences: true }), activation(own("bump", bump, slope))];
  const model = sequential(layers, { inputShape: [3, 2], seed: 2 });
  const { layers: [inside] } = trace(model, X);
  assertEquals(prove(model, X, { expected: { layers: [inside] } }).verdict, "equal");
  const { input, forget } = inside!.gates;
  const gates = { input: forget, forget: input };
  const { verdict, place } = prove(model, X, { expected: { layers: [{ gates }] } });
  assertEquals([verdict, place?.value], ["mismatch", "gates.input"]);
});

Deno.test("fit learns by the own activation's backward: as by Keras's where they are one", async () => {
  const twin = own("tanh", Math.tanh, (x) => 1 - Math.tanh(x) ** 2);
  const weights = await Promise.all(([twin, "tanh"] as const).map(async (φ) => {
    const layers = [lstm({ units: 3, activation: φ }), dense({ units: 1, activation: φ })];
    const model = sequential(layers, { inputShape: [3, 2], seed: 3, precision: "float64" });
    model.compile({ optimizer: "sgd", loss: "mean_squared_error" });
    await model.fit(X, [[0.5], [-0.5]], { epochs: 3, shuffle: false, verbose: false });
    return model.getWeights();
  }));
  weights[0]!.forEach((a, k) => assert(compare(a, weights[1]![k]!, { atol: 1e-12 }).within));
});

Deno.test("saturation is told by the own activation's slope, not by what its name would have", () => {
  const flat = own("linear", () => 0.5, () => 0);
  const layers = [lstm({ units: 3, recurrentActivation: flat })];
  const model = sequential(layers, { inputShape: [3, 2], seed: 4 });
  const found = checkup(model, X).findings.filter(({ kind }) => kind === "saturated gates");
  assert(found.length > 0);
});

Deno.test("two own activations of one name are two options", () => {
  const [a, b] = [modelOf(own("bump", bump, slope)), modelOf(own("bump", Math.sin, Math.cos))];
  const φ = own("bump", bump, slope);
  assertEquals(compare(a, b, { atol: 0 }).options.map(({ option }) => option), [
    "activation",
    "activation",
  ]);
  assertEquals(compare(modelOf(φ), modelOf(φ), { atol: 0 }).options, []);
});

Deno.test("a function that takes numbers only is refused where the layer is made", () => {
  const numbers = Object.assign((x: number) => bump(x), {
    activationName: "bump",
    options: {},
    backward: (x: Tensor) => x,
  }) as unknown as Activation;
  const message = "the activation bump and its backward give a tensor of the shape they are given";
  assertThrows(() => lstm({ units: 1, activation: numbers }), TypeError, message);
  assertThrows(() => dense({ units: 1, activation: numbers }), TypeError, message);
  assertThrows(() => activation(numbers), TypeError, message);
  const weights = { kernel: [[0, 0, 0, 0]], recurrentKernel: [[0, 0, 0, 0]] };
  assertThrows(() => lstmForward([[[1]]], weights, { activation: numbers }), TypeError, message);
});
