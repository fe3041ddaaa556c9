// Differences of traces and of models. Tolerances are the planted differences' own sizes.

import {
  bidirectional,
  compare,
  dense,
  lstm,
  lstmForward,
  type Model,
  sequential,
  Tensor,
  trace,
} from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { seededRandom } from "../../lib/tensor/random.ts";

const random = seededRandom(2);
const numbers = (...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
const x = numbers(3, 5, 2);
const build = (seed = 1, activation: "tanh" | "relu" = "tanh"): Model =>
  sequential([lstm({ units: 4, activation }), dense({ units: 2 })], { inputShape: [5, 2], seed });

Deno.test("two traces that are the same are within 0, and part nowhere", () => {
  const found = compare(trace(build(), x), trace(build(), x), { atol: 0 });
  assertEquals([found.within, found.maxAbsDiff, found.firstDivergence], [true, 0, undefined]);
  assertEquals(found.sites.length, 6);
  assert(Deno.inspect(found).includes("all within the tolerance"));
});

Deno.test("traces part where an intervention began, by value, sample, timestep and unit", () => {
  const model = build();
  const place = { sample: 1, timestep: 2, unit: 3 };
  const interventions = [{ set: "gates.candidate", to: 0.5, ...place }] as const;
  const changed = trace(model, x, { interventions });
  const plain = trace(model, x);
  const found = compare(changed, plain, { atol: 1e-12 });
  assertEquals(found.firstDivergence, {
    layer: "lstm",
    site: "gates.candidate",
    ...place,
    actual: 0.5,
    expected: plain.layers[0]!.gates.candidate.item(1, 2, 3),
  });
  assert(!found.within && found.prediction?.within === false);
  const candidate = found.sites.find(({ site }) => site === "gates.candidate")!;
  const there = Math.abs(0.5 - plain.layers[0]!.gates.candidate.item(1, 2, 3));
  assert(candidate.byUnit.item(3) >= there && there > 0);
  assert(
    Deno.inspect(found).includes("they part at lstm, gates.candidate of sample 1, timestep 2"),
  );
  assert(found.heatmap().text.includes("6 × 4 values"));
});

Deno.test("a backward layer's traces part in the order in which it computes", () => {
  const model = sequential([bidirectional(lstm({ units: 2 }))], { inputShape: [5, 2], seed: 1 });
  const layer = "bidirectional/backward_layer";
  const interventions = [{ scale: "cellState", by: 2, timestep: 3, layer }] as const;
  const found = compare(trace(model, x, { interventions }), trace(model, x), { atol: 1e-12 });
  assertEquals(found.firstDivergence?.layer, layer);
  assertEquals([found.firstDivergence?.site, found.firstDivergence?.timestep], ["cellState", 3]);
  assertThrows(() => found.heatmap(), RangeError, "one of the recurrent layers must be chosen");
  assert(found.heatmap({ layer }).text.includes(layer));
});

Deno.test("one LSTM's traces compare too; other shapes are refused", () => {
  const weights = { kernel: numbers(2, 4), recurrentKernel: numbers(1, 4) };
  const [one, two] = [lstmForward(x, weights), lstmForward(x, weights, { activation: "relu" })];
  assertEquals(compare(one, one, { atol: 0 }).within, true);
  assertEquals(compare(two, one, { atol: 1e-9 }).firstDivergence?.site, "gates.candidate");
  assertThrows(
    () => compare(one, trace(build(), x), { atol: 0 }),
    TypeError,
    "but they are LSTM [3, 5, 1] and LSTM [3, 5, 4]",
  );
  const nan = { ...one, cellState: new Tensor(new Float64Array(15).fill(NaN), [3, 5, 1]) };
  assertEquals(compare(nan, one, { atol: 1 }).maxAbsDiff, NaN);
});

Deno.test("two models: by array, gate and unit, and the options that differ", () => {
  const [ours, theirs] = [build(), build()];
  theirs.setWeights(
    theirs.getWeights().map(({ data, shape }, array) => {
      const changed = data.slice();
      if (array === 1) changed[2 * 16 + 4 + 3]! += 0.25; // U, row 2: the forget gate's block, unit 3
      return new Tensor(changed, shape);
    }),
  );
  const found = compare(ours, theirs, { atol: 1e-9 });
  assertEquals(found.weights.map(({ weight, gate }) => [weight, gate]).slice(3, 6), [
    ["lstm/kernel", "output"],
    ["lstm/recurrent_kernel", "input"],
    ["lstm/recurrent_kernel", "forget"],
  ]);
  const { firstDivergence, maxAbsDiff, within } = found;
  assertEquals([within, firstDivergence?.weight, firstDivergence?.gate], [
    false,
    "lstm/recurrent_kernel",
    "forget",
  ]);
  assertAlmostEquals(maxAbsDiff, 0.25, 1e-6);
  assertEquals([...firstDivergence!.byUnit.data].map((d) => d > 0), [false, false, false, true]);
  assertEquals(firstDivergence?.all.where, [2, 3]);
  assert(found.heatmap().text.includes("12 × 4 values"));

  const infinite = build();
  infinite.setWeights(
    ours.getWeights().map(({ data, shape }) => new Tensor(data.fill(Infinity), shape)),
  );
  const same = compare(infinite, infinite, { atol: 0 });
  assertEquals([same.within, same.weights[0]!.byUnit.item(0)], [true, 0]);

  const other = compare(build(1, "relu"), ours, { atol: 0 });
  assertEquals([other.within, other.maxAbsDiff], [false, 0]);
  assertEquals(other.options, [
    { layer: "lstm", option: "activation", actual: "relu", expected: "tanh" },
  ]);
  assert(Deno.inspect(other).includes('lstm has activation "relu" and "tanh"'));
  assertThrows(
    () => compare(ours, sequential([dense({ units: 1 })], { inputShape: [2] }), { atol: 0 }),
    TypeError,
    "but they are LSTM Dense, [2, 16], ",
  );
});
