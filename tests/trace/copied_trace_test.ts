// A copy of a trace is what the trace is, or says that it cannot tell. Tolerance: none, but for the
// formulas written out, 1e-12.

import {
  bidirectional,
  compare,
  dense,
  gateView,
  type LayerTrace,
  lstm,
  lstmForward,
  masking,
  memory,
  prove,
  sequential,
  Tensor,
  trace,
} from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { seededRandom } from "../../lib/tensor/random.ts";

const random = seededRandom(17);
const numbers = (...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
const weights = {
  kernel: numbers(2, 12),
  recurrentKernel: numbers(3, 12),
  bias: numbers(12),
};
const mask = [[1, 1, 0, 1], [1, 0, 1, 1]];
const x = numbers(2, 4, 2);
const copies = {
  "a spread": (value: LayerTrace): LayerTrace => ({ ...value }),
  "a spread of spreads": (value: LayerTrace): LayerTrace => ({
    ...value,
    gates: { ...value.gates },
  }),
  "structuredClone": (value: LayerTrace): LayerTrace => structuredClone(value),
  "JSON": (value: LayerTrace) => JSON.parse(JSON.stringify(value)) as LayerTrace,
};
const backward = lstmForward(x, weights, { goBackwards: true, mask });

for (const [how, copy] of Object.entries(copies)) {
  Deno.test(`memory of ${how} goes backwards and over masked steps, as the trace does`, () => {
    const found = memory(copy(backward));
    assertEquals(found.order, [3, 2, 1, 0]);
    const f = backward.gates.forget;
    for (let u = 0; u < 3; u++) {
      // Computed last is timestep 0; sample 0 skips timestep 2, sample 1 timestep 1.
      const [first, second] = [f.item(0, 0, u) * f.item(0, 1, u), f.item(1, 0, u)];
      assertAlmostEquals(found.retention.item(0, 3, u), first, 1e-12);
      assertAlmostEquals(found.retention.item(0, 2, u), first, 1e-12);
      assertAlmostEquals(found.retention.item(1, 2, u), second, 1e-12);
      assertEquals(found.halfLife.item(0, 2, u), Infinity);
    }
    assertEquals(found.retention, memory(backward).retention);
    if (how.startsWith("a spread")) {
      assertEquals(found.derivative, memory(backward).derivative);
      assertEquals(found.derivative?.shape, [2, 4, 3]);
    } else assertEquals(found.derivative, undefined);
  });

  Deno.test(`compare finds where ${how} of a backward trace parts first: at the last timestep`, () => {
    const moved = { ...weights, bias: numbers(12) };
    const other = lstmForward(x, moved, { goBackwards: true, mask });
    const tolerance = { atol: 1e-9 };
    for (const [a, b] of [[copy(other), copy(backward)], [other, copy(backward)]] as const) {
      assertEquals(compare(a, b, tolerance).firstDivergence?.timestep, 3);
    }
    assert(compare(copy(backward), backward, { atol: 0 }).within);
  });

  Deno.test(`gateView of ${how} writes the step before as the trace does`, () => {
    const [own, other] = [backward, copy(backward)].map((one) =>
      JSON.stringify(gateView(one).layout)
    );
    assert(own!.includes("t+1") && own!.includes("σ") && own!.includes("tanh"));
    assertEquals(other, own);
  });

  Deno.test(`prove takes ${how} of a trace as expected`, () => {
    const layers = [lstm({ units: 3, goBackwards: true }), dense({ units: 1 })];
    const model = sequential(layers, { inputShape: [4, 2], seed: 1 });
    const { layers: [inside] } = trace(model, x);
    assertEquals(prove(model, x, { expected: { layers: [copy(inside!)] } }).verdict, "equal");
  });
}

Deno.test("a copy of a whole trace, of Bidirectional behind a mask, is read as the trace is", () => {
  const layers = [masking(), bidirectional(lstm({ units: 2 })), dense({ units: 1 })];
  const model = sequential(layers, { inputShape: [4, 2], seed: 2 });
  const masked = new Tensor(
    Float64Array.from(x.data, (v, k) => k === 2 || k === 3 ? 0 : v),
    x.shape,
  );
  for (const fast of [false, true]) {
    const whole = trace(model, masked, { fast });
    const layer = "bidirectional/backward_layer";
    for (const copy of [{ ...whole }, structuredClone(whole), JSON.parse(JSON.stringify(whole))]) {
      const found = memory(copy, { layer });
      assertEquals(found.retention, memory(whole, { layer }).retention);
      assertEquals(found.order, [3, 2, 1, 0]);
      assertEquals(found.halfLife.item(0, 1, 0), Infinity);
      assert(compare(copy, whole, { atol: 0 }).within);
    }
  }
});

Deno.test("a trace without a source is asked for one; its weights belong to no changed copy", () => {
  const { source: _, ...bare } = backward;
  const advice = 'add source: { direction: "forward" }';
  assertThrows(() => memory(bare), TypeError, advice);
  const { source: __, ...other } = lstmForward(x, { ...weights, bias: numbers(12) });
  assertThrows(() => compare(bare, other, { atol: 1e-9 }), TypeError, advice);
  assert(compare(bare, bare, { atol: 0 }).within); // which asks for no order
  assertEquals(memory({ ...bare, source: { direction: "forward" } }).order, [0, 1, 2, 3]);

  const { input, forget } = backward.gates;
  const changed = { ...backward, gates: { ...backward.gates, forget: input, input: forget } };
  assertEquals(memory(changed).derivative, undefined);
  assertEquals(memory(changed).order, [3, 2, 1, 0]);
  assertThrows(() => memory(changed, { units: [0] }), TypeError, "is a changed copy");
});

Deno.test("what JSON loses is not guessed: the trace is to be taken again", () => {
  const infinite = lstmForward([[[Infinity]]], {
    kernel: [[1, 1, 1, 1]],
    recurrentKernel: [[0, 0, 0, 0]],
  }, { activation: "relu" });
  const copy = JSON.parse(JSON.stringify(infinite));
  assertThrows(() => memory(copy), TypeError, "take the trace again");
  assertThrows(() => compare(copy, infinite, { atol: 1 }), TypeError, "take the trace again");
});
