// Cells of one's own against their papers' formulas (tests/fixtures/formats/own_cells.py): JAX in
// float64, ONNX Runtime's LSTM with peepholes.

import * as g from "@gatescope/lstm";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { sitesOf, valueAt } from "../../lib/cells/sites.ts";
import { pickedSteps, reverseSteps } from "../../lib/values/arrange.ts";
import { numbers as numberOps } from "../../lib/values/numbers.ts";
import { networkOf } from "../../lib/model/model.ts";
import { formatFile } from "../formats/loaded.ts";
import { checkLayer, numbers } from "../model/central_differences.ts";
import { minGru, ownCells, peepholeLstm, sLstm } from "./own_cells.ts";

const values = await g.loadNpz(formatFile("own_cells.npz"));
const names = Object.keys(ownCells) as (keyof typeof ownCells)[];

function assertClose(actual: g.Tensor, expected: g.Tensor, tolerance: number, what: string) {
  const { maxAbsDiff, within } = g.compare(actual, expected, { atol: tolerance });
  assert(within, `${what}: ${maxAbsDiff}`);
}

/** The cell with the fixture's weights, every hidden state handed on. */
function modelOf(name: keyof typeof ownCells, options: Partial<g.CellLayerOptions> = {}) {
  const layer = ownCells[name]({ units: 5, ...options });
  const model = g.sequential([layer], { inputShape: [null, 4], precision: "float64" });
  model.setWeights(model.getWeights().map((_, k) => values.get(`weights_${name}_${k}`)!));
  return { model, x: values.get(`x_${name}`)! };
}

for (const name of names) {
  Deno.test(`${name}: every gate and state at every step is the formula's`, () => {
    const { model, x } = modelOf(name);
    const { layers: [layer] } = g.trace(model, x);
    const sites = sitesOf(layer!);
    assert(sites.length >= 3);
    assert(sites.every((site) => Deno.inspect(layer).includes(site)), "shown");
    for (const site of sites) {
      const theirs = values.get(`${name}_${site.replace("gates.", "")}`)!;
      assertClose(valueAt(layer!, site), theirs, 1e-12, site);
    }
  });

  Deno.test(`${name}: gradients are JAX's, and central differences'`, () => {
    const { model, x } = modelOf(name);
    const network = networkOf(model);
    const { backward } = network.forwardOnTape([x]);
    backward([values.get(`factors_${name}`)!]).forEach((gradient, k) => {
      assertClose(gradient, values.get(`gradients_${name}_${k}`)!, 1e-11, `weight ${k}`);
    });
    const mask = g.tensor([[1, 1, 0], [1, 0, 1]]);
    const layer = ownCells[name]({ units: 3, returnSequences: true });
    checkLayer({ layer, x: numbers([2, 3, 2], 3, 1) }, name);
    checkLayer({ layer, x: numbers([2, 3, 2], 3, 1), mask }, `${name}, masked`);
  });

  Deno.test(`${name}: learns, and predict in float32 is proved from its own weights`, async () => {
    const layers = [ownCells[name]({ units: 6 }), g.dense({ units: 2, activation: "softmax" })];
    const model = g.sequential(layers, { inputShape: [7, 4], seed: 1 });
    const x = values.get(`x_${name}`)!;
    const y = [[1, 0], [0, 1], [1, 0]];
    model.compile({ optimizer: g.adam({ learningRate: 0.03 }), loss: "categorical_crossentropy" });
    const { loss } = await model.fit(x, y, { epochs: 40, verbose: false });
    assert(loss.at(-1)! < loss[0]! / 3, `${loss[0]} to ${loss.at(-1)}`);
    const { verdict, sentence } = g.prove(model, x);
    assert(verdict === "rounding" || verdict === "equal", sentence);
  });

  Deno.test(`${name}: the formula's own numbers are proved, one changed is found and explained`, () => {
    const { model, x } = modelOf(name);
    const { layers: [layer], prediction } = g.trace(model, x);
    assertEquals(
      g.prove(model, x, { expected: values.get(`${name}_hiddenState`)!.select(1, -1) })
        .verdict,
      "equal",
    );
    for (const site of sitesOf(layer!)) {
      const data = Float64Array.from(valueAt(layer!, site).data);
      data[1 * 35 + 4 * 5 + 2]! += 0.01; // sample 1, timestep 4, unit 2
      const changed = g.tensor(data, [3, 7, 5]);
      const gate = site.replace("gates.", "");
      const expected = gate === site
        ? { ...layer!, [site]: changed }
        : { ...layer!, gates: { ...layer!.gates, [gate]: changed } };
      const proof = g.prove(model, x, { expected: { layers: [expected], prediction } });
      const { place } = proof;
      assertEquals([proof.verdict, place!.value, place!.sample, place!.timestep, place!.unit], [
        "mismatch",
        site,
        1,
        4,
        2,
      ]);
      const { firstDivergence } = g.compare(
        { layers: [layer!], names: ["a"], prediction },
        { layers: [expected as g.LayerTrace], names: ["a"], prediction },
      );
      assertEquals([firstDivergence!.site, firstDivergence!.timestep], [site, 4]);
    }
  });

  Deno.test(`${name}: backwards, both ways, masked, with states in and out`, () => {
    const { model, x } = modelOf(name, { returnSequences: true, goBackwards: true });
    const turned = modelOf(name, { returnSequences: true });
    const reversed = (one: g.Tensor) => reverseSteps(numberOps, one);
    assertEquals(model.predict(x).toArray(), turned.model.predict(reversed(x)).toArray());

    const both = g.sequential(
      [g.masking(), g.bidirectional(ownCells[name]({ units: 2, returnSequences: true }))],
      { inputShape: [3, 2], seed: 1, precision: "float64" },
    );
    const [whole] = both.predict([[[1, 2], [3, 4], [0, 0]]]).toArray() as number[][][];
    const unmasked = g.sequential([both.layers[1]!.layer], {
      inputShape: [2, 2],
      precision: "float64",
    });
    unmasked.setWeights(both.getWeights());
    const [short] = unmasked.predict([[[1, 2], [3, 4]]]).toArray() as number[][][];
    assertEquals(whole, [...short!, [0, 0, 0, 0]]);

    const count = model.layers[0]!.layer.inputCount![1] - 1;
    const inputs = [g.input([null, 4]), ...Array.from({ length: count }, () => g.input([5]))];
    const layer = ownCells[name]({ units: 5, returnState: true });
    const parts = g.functional(inputs, layer.applyAll(inputs), { precision: "float64" });
    parts.setWeights(turned.model.getWeights());
    const start = Array.from({ length: count }, () => g.tensor(new Float64Array(15), [3, 5]));
    const cut = (from: number, to: number) =>
      pickedSteps(numberOps, x, Array.from({ length: to - from }, (_, t) => from + t));
    const [, ...middle] = parts.predictAll([cut(0, 3), ...start]);
    const [end] = parts.predictAll([cut(3, 7), ...middle]);
    assertClose(end!, values.get(`${name}_hiddenState`)!.select(1, -1), 1e-6, "in two parts");
  });
}

Deno.test("the peephole LSTM is ONNX Runtime's", () => {
  const { model, x } = modelOf("peephole", { returnSequences: true });
  assertClose(model.predict(x), values.get("peephole_onnxruntime")!, 1e-6, "hidden states");
});

Deno.test("the sLSTM is what it is without its stabilizer, and holds where that overflows", () => {
  const { model, x } = modelOf("slstm", { returnSequences: true });
  assertClose(model.predict(x), values.get("slstm_plain")!, 1e-6, "hidden states");
  const [W, U, b] = model.getWeights() as [g.Tensor, g.Tensor, g.Tensor];
  model.setWeights([W, U, b.data.map((v, k) => k < 5 ? v + 1000 : v)]); // e^1000 is no number
  assert(model.predict(x).data.every(Number.isFinite));
});

Deno.test("interventions: a closed update gate keeps h, a normalizer may be written, another's site may not", () => {
  const { model, x } = modelOf("min_gru");
  const closed = g.trace(model, x, { interventions: [{ ablate: "gates.update" }] });
  assert(closed.layers[0]!.hiddenState.data.every((h) => h === 0));
  const stabilized = modelOf("slstm");
  const plain = g.trace(stabilized.model, stabilized.x).layers[0]!;
  const doubled = g.trace(stabilized.model, stabilized.x, {
    interventions: [{ scale: "normalizer", by: 2, timestep: -1 }],
  }).layers[0]!;
  const last = (t: g.LayerTrace) => t.hiddenState.select(1, -1);
  assertClose(g.multiply(last(doubled), 2), last(plain), 1e-15, "h is c over n");
  assertThrows(
    () => g.trace(model, x, { interventions: [{ ablate: "gates.forget" }] }),
    RangeError,
    'gates.update, gates.candidate or hiddenState, but "gates.forget" was given',
  );
});

Deno.test("a copy of a trace is compared with it, and shows itself", () => {
  const { model, x } = modelOf("slstm");
  const whole = g.trace(model, x);
  const copy = structuredClone({ layers: whole.layers, names: whole.names, prediction: [] });
  const other = { ...whole, layers: copy.layers };
  const { within, sites } = g.compare(whole, other as unknown as g.Trace);
  assert(within);
  assertEquals(sites.length, 8);
});

Deno.test("gates and states are swept", async () => {
  const layers = [sLstm({ units: 2 }), g.dense({ units: 1 })];
  const model = g.sequential(layers, { inputShape: [2, 2], seed: 1 });
  const { sites, effects } = await g.patchSweep(model, [[[1, 2], [3, 4]]], { verbose: false });
  assertEquals(sites.length, 8);
  const divisors: string[] = ["gates.input", "normalizer"]; // without them, h is c over 0
  sites.forEach((site, k) => {
    assertEquals(effects.select(0, k).data.every(Number.isFinite), !divisors.includes(site), site);
  });
});

Deno.test("a number is explained by the cell's own names, and its terms sum to it", () => {
  const { model, x } = modelOf("slstm");
  const proof = g.prove(model, x);
  for (
    const [value, parts] of Object.entries({
      "gates.input": ["x[3]", "kernel[3, 2]", "hiddenState before[4]", "bias[2]", "exponential("],
      "gates.candidate": ["kernel[0, 12]", "recurrentKernel[0, 12]", "candidate = tanh(z)"],
      stabilizer: [
        "log_sigmoid(z)",
        "stabilizer before",
        "max((log_sigmoid(z) + stabilizer before)",
      ],
      normalizer: ["forget", "normalizer before", "+ input)"],
      hiddenState: ["inverse(normalizer)", "hiddenState = output·"],
    })
  ) {
    const { text } = proof.explain({ layer: "slstm", value, timestep: 3, unit: 2 });
    for (const part of parts) assert(text.includes(part), text);
  }
  const closed = modelOf("min_gru");
  const { text } = g.prove(closed.model, closed.x).explain({
    layer: "min_gru",
    value: "hiddenState",
  });
  assert(text.includes("(1 − update)·hiddenState before + update·candidate"), text);
});

Deno.test("saveKeras and saveOnnx refuse it by name, and leave no file", async () => {
  const layers = [minGru({ units: 2 }), g.dense({ units: 1 })];
  const model = g.sequential(layers, { inputShape: [2, 2], seed: 1 });
  const file = await Deno.makeTempDir();
  await assertRejects(() => g.saveKeras(`${file}/a.keras`, model), TypeError, "a MinGRU");
  await assertRejects(() => g.saveOnnx(`${file}/a.onnx`, model), TypeError, "a MinGRU");
  assertEquals([...Deno.readDirSync(file)], []);
  await Deno.remove(file);
});

Deno.test("a bias starts where `start` says, a matrix as a kernel, a vector at 0", () => {
  const weights = peepholeLstm({ units: 2 }).weights([null, 3]);
  assertEquals(weights.map(({ name, shape }) => [name, ...shape]), [
    ["kernel", 3, 8],
    ["recurrent_kernel", 2, 8],
    ["bias", 8],
    ["p_i", 2],
    ["p_f", 2],
    ["p_o", 2],
  ]);
  const model = g.sequential([peepholeLstm({ units: 2 })], { inputShape: [2, 3], seed: 1 });
  const [kernel, , bias, p] = model.getWeights();
  assert(kernel!.data.every((w) => w !== 0));
  assertEquals([...bias!.data], [0, 0, 1, 1, 0, 0, 0, 0]);
  assertEquals([...p!.data], [0, 0]);
});

const fine = {
  kind: "Fine",
  gates: ["input"],
  states: ["hiddenState"],
  step(
    o: g.Equations<g.Tensor>,
    { x, hiddenState: h }: Record<string, g.Tensor>,
    { W }: { W: Record<string, g.Tensor> },
    at: (site: string, x: g.Tensor) => g.Tensor,
  ) {
    at("hiddenState", o.add(h!, at("gates.input", o.tanh(o.affine([[x!, W.input!]])))));
  },
};

// deno-lint-ignore no-explicit-any
const wrong: [changed: any, message: string][] = [
  [{ kind: "LSTM" }, "its kind must be a name of its own, but LSTM is Keras's"],
  [{ kind: "fine" }, 'its kind must be a name as "MinGRU"'],
  [{ kind: undefined }, "but kind is missing"],
  [{ gate: [] }, "did you mean gates?"],
  [{ gates: ["input", "input"] }, "its gates must be names, each once"],
  [{ gates: ["inptu"] }, "W has a part for each gate, but its step asks for W.input"],
  [{ gates: ["input", "output"] }, "passes each gate and state by at(), but gates.output is not"],
  [{ states: ["hidden"] }, 'the last of its states must be "hiddenState"'],
  [{ states: ["x", "hiddenState"] }, "but one is x"],
  [{ weights: { p: ["unit"] } }, 'the axes of p must be a list of "inputSize", "units"'],
  [{ start: { forget: 1 } }, "forget is none of input"],
  [{ start: { input: "1" } }, "input must start at a number"],
  [{ step: 1 }, "its step must be a function"],
  [{ step: (o: g.Equations<g.Tensor>, { x }: never) => o.tanh(x) }, "gates.input is not passed"],
  [
    {
      step: (_o: unknown, { x }: never, _w: unknown, at: (s: string, v: unknown) => void) =>
        at("gates.input", x),
    },
    "gates.input is [2, 3] where batch is 2, inputSize 3 and units 5",
  ],
  [
    {
      step: (_o: unknown, _v: unknown, _w: unknown, at: (s: string, v: unknown) => void) =>
        at("input", 1),
    },
    'the site must be gates.input or hiddenState, but "input" was given',
  ],
  [
    {
      step: (
        o: g.Equations<g.Tensor>,
        { hiddenState: h }: Record<string, g.Tensor>,
        _w: unknown,
        at: (s: string, v: g.Tensor) => g.Tensor,
      ) => at("hiddenState", g.add(h!, at("gates.input", o.tanh(h!)))),
    },
    "its step must compute with o alone",
  ],
];

Deno.test("a description that is none says what is wrong with it", () => {
  g.defineCell(fine as never);
  for (const [changed, message] of wrong) {
    assertThrows(() => g.defineCell({ ...fine, ...changed } as never), TypeError, message);
  }
  assertThrows(() => minGru({ units: 2, dropout: 0.1 } as never), TypeError, "dropout");
  assertThrows(() => minGru({ units: 0 }), RangeError, "units");
});
