// Tolerance 1e-12 for what is a formula; 1e-7 for central differences of float64.

import {
  bidirectional,
  lstm,
  lstmForward,
  type LstmOptions,
  memory,
  sequential,
  Tensor,
  trace,
} from "@gatescope/lstm";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { seededRandom } from "../../lib/tensor/random.ts";

const random = seededRandom(11);
const numbers = (...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );

/** One LSTM of a unit for each forget gate, which stays as it is: the bias says it. */
function holding(forget: number[], timesteps: number, options: LstmOptions = {}) {
  const units = forget.length;
  const inverse = (f: number) => Math.log(f / (1 - f)); // of the sigmoid
  const biasOf = options.recurrentActivation === undefined ? inverse : (f: number) => f;
  const zeros = new Array(units).fill(0);
  const weights = {
    kernel: numbers(1, 4 * units).toArray(),
    recurrentKernel: new Tensor(new Float64Array(4 * units * units), [units, 4 * units]),
    bias: [...zeros, ...forget.map(biasOf), ...zeros, ...zeros],
  };
  for (let u = 0; u < units; u++) (weights.kernel as number[][])[0]![units + u] = 0;
  return lstmForward(numbers(2, timesteps, 1), weights, options);
}

Deno.test("gates that stay as they are have the half-life that the formula gives", () => {
  const { halfLife, doublingTime, units, retention } = memory(
    holding([0.5, 2 ** -0.1, 0.99, 2 ** -0.01], 9),
  );
  [1, 10, Math.LN2 / -Math.log(0.99), 100].forEach((expected, u) => {
    assertAlmostEquals(halfLife.item(1, 4, u) / expected, 1, 1e-12);
    assertAlmostEquals(units.halfLife.item(u) / expected, 1, 1e-12);
    assertEquals(units.doublingTime.item(u), Infinity);
  });
  assertEquals(doublingTime.item(0, 0, 0), Infinity);
  for (let t = 0; t < 9; t++) assertAlmostEquals(retention.item(0, t, 0), 0.5 ** (8 - t), 1e-12);
});

Deno.test("gates above 1 grow, with a doubling time; 1 keeps, 0 loses, a negative one turns", () => {
  const { halfLife, doublingTime, units, retention } = memory(
    holding([2, 2 ** 0.25, 1, 0, -0.5], 5, { recurrentActivation: "linear" }),
  );
  assertEquals([0, 1, 2, 3, 4].map((u) => units.halfLife.item(u)), [
    Infinity,
    Infinity,
    Infinity,
    0,
    1,
  ]);
  assertEquals(doublingTime.item(0, 1, 0), 1);
  assertAlmostEquals(units.doublingTime.item(1), 4, 1e-12);
  assertEquals([2, 3, 4].map((u) => doublingTime.item(0, 0, u)), [Infinity, Infinity, Infinity]);
  assertEquals(halfLife.item(0, 0, 3), 0);
  assertEquals([0, 1, 2].map((t) => retention.item(0, t, 0)), [16, 8, 4]);
  assertEquals([3, 4].map((t) => retention.item(0, t, 4)), [-0.5, 1]);
});

Deno.test("a gate that goes up and down has the half-life of its geometric mean", () => {
  const weights = { kernel: [[0, 1, 1, 0]], recurrentKernel: [[0, 0, 0, 0]] };
  const options = { recurrentActivation: "linear" } as const;
  const { units } = memory(lstmForward([[[0.5], [0.125], [0.25]]], weights, options));
  assertAlmostEquals(units.halfLife.item(0), 0.5, 1e-12); // the mean is ¼
});

Deno.test("without recurrent weights, the true derivative is the retention", () => {
  const { derivative, retention, derivativeUnits } = memory(holding([0.3, 0.9], 6));
  assertEquals(derivativeUnits, [0, 1]);
  retention.data.forEach((kept, k) => assertAlmostEquals(derivative!.data[k]!, kept, 1e-12));
});

Deno.test("the true ∂c_T/∂c_t agrees with nudging the cell state: an intervention", () => {
  const [timesteps, units, nudge] = [6, 3, 1e-5];
  for (const goBackwards of [false, true]) {
    for (const [φ, σ] of [["tanh", "sigmoid"], ["softplus", "tanh"], ["softmax", "softmax"]]) {
      const model = sequential([
        lstm({ units, activation: φ as "tanh", recurrentActivation: σ as "tanh", goBackwards }),
      ], { inputShape: [timesteps, 2], precision: "float64" });
      model.setWeights(model.getWeights().map(({ shape }) => numbers(...shape)));
      const x = numbers(2, timesteps, 2);
      const plain = trace(model, x);
      const { derivative } = memory(plain);
      const { cellState } = plain.layers[0]!;
      const end = goBackwards ? 0 : timesteps - 1;
      for (let t = 0; t < timesteps; t++) {
        for (let unit = 0; unit < units; unit++) {
          const nudged = [nudge, -nudge].map((by) => {
            const to = cellState.data.map((c) => c + by);
            const set = { set: "cellState", to: new Tensor(to, cellState.shape) } as const;
            const interventions = [{ ...set, timestep: t, unit }];
            return trace(model, x, { interventions }).layers[0]!.cellState;
          });
          for (const n of [0, 1]) {
            const [up, down] = nudged.map((c) => c.item(n, end, unit));
            assertAlmostEquals(derivative!.item(n, t, unit), (up! - down!) / (2 * nudge), 1e-7);
          }
        }
      }
    }
  }
});

Deno.test("a masked step keeps all: no half-life, no loss, and it counts in no mean", () => {
  const weights = { kernel: [[0, 0, 1, 0]], recurrentKernel: [[0, 0, 0, 0]] };
  const run = lstmForward([[[1], [2], [3]]], weights, { mask: [[1, 0, 1]] });
  const { retention, halfLife, units, derivative } = memory(run);
  assertEquals(retention.toArray(), [[[0.5], [0.5], [1]]]);
  assertEquals(halfLife.toArray(), [[[1], [Infinity], [1]]]);
  assertEquals(units.halfLife.item(0), 1);
  assertEquals(derivative!.toArray(), retention.toArray());
});

Deno.test("of several LSTMs one is chosen; with interventions the true derivative is left out", () => {
  const model = sequential([bidirectional(lstm({ units: 2 }))], { inputShape: [4, 1], seed: 1 });
  const x = numbers(1, 4, 1);
  const backward = memory(trace(model, x), { layer: "bidirectional/backward_layer", units: [1] });
  assertEquals([backward.retention.item(0, 0, 1), backward.derivative!.shape], [1, [1, 4, 1]]);
  assertEquals(backward.order, [3, 2, 1, 0]);
  assertThrows(
    () => memory(trace(model, x)),
    RangeError,
    "Cannot look at the memory: one of the recurrent layers must be chosen",
  );
  assertThrows(() => memory(trace(model, x), { layer: 0, units: [2] }), RangeError, "units 0 to 1");

  const interventions = [{ set: "gates.forget", to: 1, layer: 0 }] as const;
  const held = memory(trace(model, x, { interventions }), { layer: 0 });
  assertEquals([held.derivative, held.units.halfLife.item(0)], [undefined, Infinity]);
});

Deno.test("a memory shows itself: the longest first; its curves have both", () => {
  const found = memory(holding([0.5, 2 ** -0.1], 4));
  const lines = Deno.inspect(found).split("\n");
  assert(/half-life.*kept from the first step.*true/.test(lines[1]!), lines[1]);
  assert(lines[2]!.trim().startsWith("1") && lines[3]!.trim().startsWith("0"));
  assert(/unit 1, by its gates[^]*unit 1, true/.test(found.curves().text));
  assertEquals(found.curves({ units: [0] }).text.includes("unit 1"), false);
  assert(!/true derivative is known/.test(lines[0]!), lines[0]);
  const some = memory(holding([0.5, 2 ** -0.1], 4), { units: [0] });
  assert(/; the true derivative is known of 1$/.test(Deno.inspect(some).split("\n")[0]!));
});

Deno.test("a half-life that never comes is said in words, and a unit has its colour whatever its rank", () => {
  const found = memory(holding([2, 1, 0.5], 5, { recurrentActivation: "linear" }));
  const text = Deno.inspect(found);
  assert(/keeps all +never/.test(text) && /keeps all +1 /.test(text), text);
  assert(!text.includes("Infinity"), text);
  const colorOf = (units: number[]) =>
    new Map(
      (found.curves({ units }).data as { name: string; line: { color: string } }[])
        .map(({ name, line }) => [name, line.color]),
    );
  assertEquals(
    colorOf([2]).get("unit 2, by its gates"),
    colorOf([0, 1, 2]).get("unit 2, by its gates"),
  );
  assertEquals(new Set(colorOf([0, 1, 2]).values()).size, 3);
});

Deno.test("a memory of several samples says that its numbers are means", () => {
  const layer = lstmForward([[[1], [2]], [[3], [4]]], {
    kernel: [[0, 0, 1, 0]],
    recurrentKernel: [[0, 0, 0, 0]],
  });
  assertStringIncludes(Deno.inspect(memory(layer)), "in steps, the means of 2 samples");
});
