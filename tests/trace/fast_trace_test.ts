// Tolerance 1e-6 of the largest value of a gate or state: float32 carries 6e-8 a step.

import { type LayerTrace, memory, Tensor, trace } from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { cases, difference, modelOf, usual } from "../model/example_models.ts";

const tensorsOf = ({ gates, cellState, hiddenState }: LayerTrace): Tensor[] => [
  ...Object.values(gates),
  ...(cellState === undefined ? [] : [cellState]),
  hiddenState,
];

Deno.test("a fast trace has every gate and state of the equations within 1e-6, and what predict gives", () => {
  for (const [name, example] of Object.entries(cases)) {
    const { x = usual } = example;
    const model = modelOf(example, "float32");
    const [fast, judge] = [trace(model, x, { fast: true }), trace(model, x)];
    assertEquals(fast.names, judge.names, name);
    fast.layers.forEach((layer, k) => {
      const expected = tensorsOf(judge.layers[k]!);
      assertEquals(Object.keys(layer.gates), Object.keys(judge.layers[k]!.gates), name);
      tensorsOf(layer).forEach((values, at) => {
        assert(difference(values, expected[at]!, 1e-3) <= 1e-6, `${name}, layer ${k}, ${at}`);
      });
    });
    const prediction = model.predict(x);
    assert(difference(fast.prediction, prediction, 1) <= 2e-7, name);
    assert(difference(judge.prediction, prediction, 1) <= 1e-6, name);
  }
});

Deno.test("a fast trace keeps its numbers when others are computed, and shows itself", () => {
  const model = modelOf(cases["both directions"]!, "float32");
  const { layers } = trace(model, usual, { fast: true });
  const before = layers.flatMap(tensorsOf).map(({ data }) => data.slice());
  trace(
    model,
    new Tensor(usual.data.map((value) => -value) as Float64Array<ArrayBuffer>, usual.shape),
    {
      fast: true,
    },
  );
  model.predict(usual);
  assertEquals(layers.flatMap(tensorsOf).map(({ data }) => data), before);
  assert(layers[0]!.gates.forget.data instanceof Float32Array);
  assert(Deno.inspect(layers[0]).includes("gates.forget"));
});

Deno.test("a fast trace knows what it was computed from: direction, input and weights", () => {
  const model = modelOf(cases["both directions"]!, "float32");
  const layer = 1; // the one that goes backwards
  const [fast, judge] = [true, false].map((fast) =>
    memory(trace(model, usual, { fast }), { layer })
  );
  assert(judge!.order[0]! > judge!.order.at(-1)!);
  assertEquals(fast!.order, judge!.order);
  assert(difference(fast!.retention, judge!.retention, 1e-3) <= 1e-6);
  assert(difference(fast!.derivative!, judge!.derivative!, 1e-3) <= 1e-5);
});
