// attribute, memory, checkup and the sliders for every cell by the same code. Keras's numbers:
// tests/fixtures/formats/keras_recurrent.py. Tolerances: 1e-12 for a formula, 1e-9 for what attribute
// promises, 1e-6 of Keras's float32, 1e-7 for central differences.

import * as g from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { JUPYTER_DISPLAY } from "../../lib/display/view.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { formatFile } from "../formats/loaded.ts";
import { minGru, ownCells, sLstm } from "../layers/own_cells.ts";

const arrays = await g.loadNpz(formatFile("keras_recurrent/values.npz"));
const random = seededRandom(7);
const numbers = (...shape: number[]) =>
  g.tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
const sum = ({ data }: g.Tensor) => Array.from(data).reduce((a, b) => a + b, 0);
const x = numbers(3, 7, 2);

type Make = (options?: { returnSequences?: boolean; stateful?: boolean }) => g.RecurrentLayer;
const CELLS: Record<string, Make> = {
  LSTM: (options) => g.lstm({ units: 4, ...options }),
  GRU: (options) => g.gru({ units: 4, ...options }),
  "GRU, reset before": (options) => g.gru({ units: 4, resetAfter: false, ...options }),
  SimpleRNN: (options) => g.simpleRnn({ units: 4, ...options }),
  ...Object.fromEntries(
    Object.entries(ownCells).map((
      [name, make],
    ) => [name, (options) => make({ units: 4, ...options })]),
  ),
};

function build(layers: readonly g.Layer[], inputShape: (number | null)[] = [7, 2]): g.Model {
  const model = g.sequential(layers, { inputShape, seed: 5, precision: "float64" });
  model.setWeights(model.getWeights().map((w) => g.add(w, g.multiply(numbers(...w.shape), 0.3))));
  return model;
}
const head = g.dense({ units: 3, activation: "softmax" });

function checkSums(model: g.Model, input: g.TensorLike, name: string) {
  const { contributions, remainder, logit, sources, remainderParts: rest } = g.attribute(
    model,
    input as g.Tensor,
    { target: 1 },
  );
  for (let n = 0; n < logit.data.length; n++) {
    const all = sum(contributions.at(n));
    assertAlmostEquals(all + remainder.item(n), logit.item(n), 1e-9, name);
    const bySource = sum(sources.input.at(n)) + sum(sources.hiddenState.at(n)) +
      sum(sources.bias.at(n));
    assertAlmostEquals(bySource, all, 1e-9, name);
    const parts = rest.bias.item(n) + rest.initialState.item(n) + rest.unshared.item(n);
    assertAlmostEquals(parts, remainder.item(n), 1e-12);
  }
  return { contributions, remainder, logit, sources, rest };
}

for (const [name, make] of Object.entries(CELLS)) {
  Deno.test(`${name}: contributions and remainder sum to the logit to 1e-9, whatever stands around it`, () => {
    checkSums(build([make(), head]), x, "plain");
    checkSums(build([make({ returnSequences: true }), make(), head]), x, "stacked");
    checkSums(build([g.bidirectional(make()), head]), x, "both directions");
    checkSums(build([g.bidirectional(make(), { mergeMode: "ave" }), head]), x, "their mean");
    checkSums(build([make()]), x, "no head");
    const stateful = build([make({ stateful: true }), head]);
    stateful.predict(x);
    const { rest } = checkSums(stateful, x, "stateful");
    if (name !== "SimpleRNN") assert(rest.initialState.item(1) !== 0);
    if (name === "slstm") return; // of a masked first step, its normalizer is 0
    const masked = g.tensor(Float64Array.from(x.data), x.shape);
    for (const k of [0, 1, 4, 5, 12, 13]) masked.data[k] = 9; // steps 0, 2 and 6 of sample 0
    masked.data.fill(9, 14, 28); // all of sample 1
    const layers = [g.masking({ maskValue: 9 }), make(), head];
    const found = checkSums(build(layers), masked, "masked");
    for (const t of [0, 2, 6]) assertEquals(sum(found.contributions.at(0, t)), 0);
    assertEquals(sum(found.contributions.at(1)), 0);
  });
}

for (
  const name of [
    "gru_plain",
    "gru_before_plain",
    "gru_relu",
    "gru_masked",
    "gru_backwards",
    "rnn_plain",
    "rnn_masked",
  ]
) {
  Deno.test(`${name}: the sum is what Keras computed`, async () => {
    const model = await g.loadModel(formatFile(`keras_recurrent/${name}.keras`));
    const { contributions, remainder } = g.attribute(model, arrays.get(`x_${name}`)!, {
      target: 2,
    });
    const theirs = arrays.get(`y_${name}`)!;
    for (let n = 0; n < theirs.shape[0]!; n++) {
      assertAlmostEquals(sum(contributions.at(n)) + remainder.item(n), theirs.item(n, 2), 2e-6);
    }
  });
}

Deno.test("by hand: a GRU whose z is ½ writes half of each candidate and halves what was", () => {
  // z = σ(0), h̃ = tanh(x); y = 2h + 5
  const model = g.sequential([g.gru({ units: 1 }), g.dense({ units: 1 })], {
    inputShape: [3, 1],
    precision: "float64",
  });
  model.setWeights([[[0, 0, 1]], [[0, 0, 0]], [[0, 0, 0], [0, 0, 0]], [[2]], [5]]);
  const steps = [0.8, -0.4, 0.1];
  const { contributions, sources, remainder } = g.attribute(model, [steps.map((step) => [step])]);
  steps.forEach((step, t) => {
    const expected = 2 * 0.5 * Math.tanh(step) * 0.5 ** (2 - t);
    assertAlmostEquals(contributions.item(0, t, 0), expected, 1e-12);
    assertAlmostEquals(sources.input.item(0, t, 0), expected, 1e-12);
  });
  assertEquals(remainder.item(0), 5);
});

Deno.test("by hand: a linear SimpleRNN's contributions are the terms of its power series", () => {
  const model = g.sequential([g.simpleRnn({ units: 1, activation: "linear" })], {
    inputShape: [4, 1],
    precision: "float64",
  });
  model.setWeights([[[3]], [[0.5]], [0.25]]); // h = 3x + ½h + ¼
  const steps = [1, -2, 0.5, 2];
  const { contributions, sources } = g.attribute(model, [steps.map((step) => [step])]);
  steps.forEach((step, t) => {
    assertAlmostEquals(contributions.item(0, t, 0), (3 * step + 0.25) * 0.5 ** (3 - t), 1e-12);
    assertAlmostEquals(sources.input.item(0, t, 0), 3 * step * 0.5 ** (3 - t), 1e-12);
    assertAlmostEquals(sources.bias.item(0, t), 0.25 * 0.5 ** (3 - t), 1e-12);
  });
});

Deno.test("with a GRU's gates held, a contribution is what a candidate of 0 takes away", () => {
  const model = build([g.gru({ units: 4 }), g.dense({ units: 2 })]);
  const { contributions } = g.attribute(model, x, { target: 1 });
  const { gates } = g.trace<g.GruTrace>(model, x).layers[0]!;
  const hold: g.Intervention[] = [
    { set: "gates.update", to: gates.update },
    { set: "gates.candidate", to: gates.candidate },
  ];
  const kernel = model.getWeights().at(-2)!;
  const logit = (interventions: g.Intervention[]) => {
    const { hiddenState } = g.trace(model, x, { interventions }).layers[0]!;
    return g.dot(hiddenState.select(1, 6), kernel).select(1, 1).data;
  };
  const before = logit(hold);
  for (let timestep = 0; timestep < 7; timestep++) {
    for (let unit = 0; unit < 4; unit++) {
      const after = logit([...hold, { ablate: "gates.candidate", timestep, unit }]);
      for (const n of [0, 1, 2]) {
        assertAlmostEquals(before[n]! - after[n]!, contributions.item(n, timestep, unit), 1e-9);
      }
    }
  }
});

/** A trace of a unit for each part that is kept at every step: the bias of the gate says it. */
function keeping(cell: "LSTM" | "GRU" | "GRU, reset before", parts: number[], timesteps: number) {
  const units = parts.length;
  const logits = parts.map((part) => Math.log(part / (1 - part)));
  const zeros = new Array(units).fill(0);
  const rows = cell === "LSTM"
    ? [zeros, logits, zeros, zeros]
    : [logits, zeros, new Array(units).fill(0.3)];
  const blocks = rows.length;
  const kernel = g.tensor(
    Float64Array.from(
      { length: blocks * units },
      (_, k) => rows[Math.floor(k / units)] === logits ? 0 : random.normal(),
    ),
    [1, blocks * units],
  );
  const recurrentKernel = g.tensor(new Float64Array(blocks * units * units), [
    units,
    blocks * units,
  ]);
  const input = numbers(2, timesteps, 1);
  const weights = { kernel, recurrentKernel };
  if (cell === "LSTM") return g.lstmForward(input, { ...weights, bias: rows.flat() });
  const bias = rows.flat();
  return cell === "GRU"
    ? g.gruForward(input, { ...weights, bias: [bias, bias.map(() => 0)] })
    : g.gruForward(input, { ...weights, bias }, { resetAfter: false });
}

for (const cell of ["LSTM", "GRU", "GRU, reset before"] as const) {
  Deno.test(`${cell}: what is kept at every step has the half-life ln ½ / ln of it`, () => {
    const parts = [0.5, 2 ** -0.1, 0.99, 0.25];
    const found = g.memory(keeping(cell, parts, 6));
    parts.forEach((part, u) => {
      const expected = Math.LN2 / -Math.log(part);
      assertAlmostEquals(found.halfLife.item(1, 3, u) / expected, 1, 1e-12);
      assertAlmostEquals(found.units.halfLife.item(u) / expected, 1, 1e-12);
      for (let t = 0; t < 6; t++) {
        assertAlmostEquals(found.retention.item(0, t, u), part ** (5 - t), 1e-12);
        // without recurrent weights, the true derivative is the direct way alone
        assertAlmostEquals(found.derivative!.item(0, t, u), part ** (5 - t), 1e-12);
      }
    });
    assertEquals(found.state, cell === "LSTM" ? "cellState" : "hiddenState");
    const copy = g.memory(structuredClone({ ...keeping(cell, parts, 6) }));
    assertEquals([copy.units.halfLife.data, copy.derivative], [
      found.units.halfLife.data,
      undefined,
    ]);
  });
}

for (
  const name of ["gru_plain", "gru_before_plain", "gru_masked", "gru_backwards", "gru_both_masked"]
) {
  Deno.test(`${name}: the retention is the product of Keras's update gates, where a step counts`, async () => {
    const model = await g.loadModel(formatFile(`keras_recurrent/${name}.keras`));
    const whole = g.trace<g.GruTrace>(model, arrays.get(`x_${name}`)!);
    whole.layers.forEach((layer, k) => {
      const { retention, order } = g.memory(whole, { layer: k });
      const z = arrays.get(`trace_${name}_${k}_update`)!;
      const [batch, , units] = z.shape as [number, number, number];
      for (let n = 0; n < batch; n++) {
        for (let u = 0; u < units; u++) {
          let kept = 1;
          for (const t of order.toReversed()) {
            assertAlmostEquals(retention.item(n, t, u), kept, 1e-6);
            if (layer.source?.mask?.item(n, t) !== 0) kept *= z.item(n, t, u);
          }
        }
      }
    });
  });
}

for (const [name, make] of Object.entries(CELLS)) {
  Deno.test(`${name}: the true derivative of a state agrees with nudging it`, () => {
    const model = build([make()]);
    const plain = g.trace(model, x);
    const { derivative, state } = g.memory(plain);
    const values = (plain.layers[0] as unknown as Record<string, g.Tensor>)[state]!;
    const nudge = 1e-5;
    for (const [timestep, unit] of [[0, 1], [3, 2], [6, 0]] as const) {
      const [up, down] = [nudge, -nudge].map((by) => {
        const to = g.add(values, by);
        const { layers } = g.trace(model, x, {
          interventions: [{ set: state, to, timestep, unit }],
        });
        return (layers[0] as unknown as Record<string, g.Tensor>)[state]!;
      });
      for (const n of [0, 1, 2]) {
        const slope = (up!.item(n, 6, unit) - down!.item(n, 6, unit)) / (2 * nudge);
        assertAlmostEquals(derivative!.item(n, timestep, unit), slope, 1e-7);
      }
    }
  });
}

Deno.test("a SimpleRNN keeps nothing by itself: the derivative alone shows what returns", () => {
  const weights = { kernel: [[1]], recurrentKernel: [[0.5]] };
  const { halfLife, retention, derivative } = g.memory(
    g.simpleRnnForward([[[1], [2], [3]]], weights, { activation: "linear" }),
  );
  assertEquals(halfLife.toArray(), [[[0], [0], [0]]]);
  assertEquals(retention.toArray(), [[[0], [0], [1]]]);
  assertEquals(derivative!.toArray(), [[[0.25], [0.5], [1]]]);
});

Deno.test("a cell of one's own says by its step what it keeps: minGRU 1 − z, an sLSTM f", () => {
  for (
    const [layer, gate, keep] of [
      [minGru({ units: 3 }), "update", (z: number) => 1 - z],
      [sLstm({ units: 3 }), "forget", (f: number) => f],
    ] as const
  ) {
    const whole = g.trace<g.CellTrace>(build([layer]), x);
    const gates = whole.layers[0]!.gates as Readonly<Record<string, g.Tensor>>;
    const { halfLife } = g.memory(whole);
    halfLife.data.forEach((life, k) =>
      assertAlmostEquals(life, Math.LN2 / Math.abs(Math.log(keep(gates[gate]!.data[k]!))), 1e-9)
    );
    assertThrows(
      () => g.memory(structuredClone({ ...whole.layers[0]! })),
      TypeError,
      "the cell of a trace must be known",
    );
  }
});

Deno.test("what comes back through an array is written, and not kept: h' = h + tanh(x·A + h·V) keeps 1", () => {
  const residual = g.defineCell({
    kind: "Residual",
    gates: [],
    states: ["hiddenState"],
    weights: { A: ["inputSize", "units"], V: ["units", "units"] },
    step(o, { x, hiddenState: h }, { A, V }, at) {
      at("hiddenState", o.add(h, o.tanh(o.affine([[x, A], [h, V]]))));
    },
  });
  const model = build([residual({ units: 3 }), head]);
  const { units, derivative } = g.memory(g.trace<g.CellTrace>(model, x));
  assertEquals([...units.halfLife.data], [Infinity, Infinity, Infinity]);
  assert(derivative!.data.some((slope) => Math.abs(slope - 1) > 0.1));
  checkSums(model, x, "residual");
});

/** One GRU unit with these biases, z, r, h̃, on an input of 1. */
function gruOf(biases: number[], kernel = [0, 0, 1], options = {}) {
  const model = g.sequential([g.gru({ units: 1, ...options }), g.dense({ units: 1 })], {
    inputShape: [30, 1],
    precision: "float64",
  });
  model.setWeights([[kernel], [[0, 0, 0]], [biases, [0, 0, 0]], [[1]], [0]]);
  return model;
}
const ones = [Array.from({ length: 30 }, (_, t) => [1 - 0.01 * t])];
const kinds = (model: g.Model, input: g.TensorLike = ones) =>
  g.checkup(model, input as g.Tensor).findings;

Deno.test("checkup of a GRU: a gate stuck open, a unit that is never written, out of reach, exploding", () => {
  assertEquals(kinds(gruOf([0, 0, 0])), []);
  const shut = kinds(gruOf([-30, 0, 0]));
  assert(
    shut.some(({ kind, what }) =>
      kind === "saturated gates" && what.includes("update gate of unit 0 of 1: shut")
    ),
  );
  const reach = shut.find(({ kind }) => kind === "vanishing gradients")!;
  assert(reach.cause.includes("the update gates are shut too far"), reach.cause);
  const [dead] = kinds(gruOf([60, 0, 0]));
  assertEquals([dead!.kind, dead!.number], ["dead units", 1]);
  assert(dead!.cause.includes("nothing is written"), dead!.cause);
  const large = kinds(gruOf([0, 0, 0], [0, 0, 900], { activation: "relu" }));
  assert(large.some(({ what }) => /^\|h\| is/.test(what)), JSON.stringify(large));
});

Deno.test("checkup of a SimpleRNN: a hidden state on flat ground, and a beginning out of reach", () => {
  const model = g.sequential([g.simpleRnn({ units: 1 }), g.dense({ units: 1 })], {
    inputShape: [30, 1],
    precision: "float64",
  });
  model.setWeights([[[20]], [[0.1]], [0], [[1]], [0]]);
  const found = kinds(model);
  assert(
    found.some(({ what }) => what.startsWith("hidden state of unit 0 of 1: near 1 at every step")),
  );
  model.setWeights([[[0.1]], [[0.1]], [0], [[1]], [0]]);
  const [reach] = kinds(model);
  assertEquals(reach!.kind, "vanishing gradients");
  assert(
    reach!.cause.startsWith("what the recurrent kernel and the activation's slope multiply"),
    reach!.cause,
  );
});

for (const name of ["LSTM", "GRU", "GRU, reset before", "SimpleRNN"]) {
  Deno.test(`${name}: the sliders' page computes what trace() does, whatever is held`, async () => {
    const model = build([CELLS[name]!({ returnSequences: true }), CELLS[name]!(), head]);
    const html = String(
      (await g.gateSliders(model, x, { sample: 2 })[JUPYTER_DISPLAY]())["text/html"],
    );
    const script = html.match(/<script>\n([\s\S]*)\n<\/script>/)![1]!;
    const { run } = new Function("document", `return ${script}`)(undefined);
    const whole = g.trace(model, x);
    const sites =
      (await g.patchSweep(model, x, { target: 0, layer: -1, unit: 0, timestep: 0, verbose: false }))
        .sites;
    for (const site of sites) {
      const found = run([{ site, unit: 2, timestep: 3, value: 0.7 }]);
      const set = { set: site, to: 0.7, unit: 2, timestep: 3, layer: whole.names.at(-1)! };
      const expected = g.trace(model, x, { interventions: [set] });
      expected.prediction.at(2).data.forEach((p, k) =>
        assertAlmostEquals(found.prediction[k], p, 1e-6)
      );
    }
  });
}

Deno.test("the sliders refuse a cell of one's own, whose step the page has not", () => {
  const model = build([minGru({ units: 3 }), head]);
  assertThrows(
    () => g.gateSliders(model, x),
    TypeError,
    "but min_gru is a MinGRU, a cell of your own",
  );
});
