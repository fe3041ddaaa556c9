import { assert, assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import { gateView, lstmForward, splitGates, Tensor, weightTable } from "@gatescope/lstm";
import { JUPYTER_DISPLAY, type View } from "../../lib/display/view.ts";

function numbers(...shape: number[]): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return new Tensor(Float64Array.from({ length: size }, (_, i) => Math.sin(i * i + i)), shape);
}

function traceOf(batch: number, timesteps: number, units: number, options = {}) {
  return lstmForward(numbers(batch, timesteps, 2), {
    kernel: numbers(2, 4 * units),
    recurrentKernel: numbers(units, 4 * units),
    bias: numbers(4 * units),
  }, options);
}

// deno-lint-ignore no-explicit-any
const plain = (value: unknown): any => JSON.parse(JSON.stringify(value));

Deno.test("gateView() draws each gate and state where it is in the trace", () => {
  const trace = traceOf(2, 5, 3);
  const { data, layout } = plain(gateView(trace, { sample: 1 }));
  const [i, f, candidate, o, c, h] = data;
  for (
    const [drawn, tensor] of [
      [i, trace.gates.input],
      [f, trace.gates.forget],
      [candidate, trace.gates.candidate],
      [o, trace.gates.output],
      [c, trace.cellState],
      [h, trace.hiddenState],
    ] as const
  ) {
    assertEquals([drawn.z.length, drawn.z[0].length], [3, 5]); // units are rows
    assert(Math.abs(drawn.z[2][4] - tensor.item(1, 4, 2)) < 1e-4);
  }
  assertEquals(layout.xaxis5.matches, "x");
  assertEquals(f.hovertemplate, "f[timestep %{x}, unit %{y}] = %{z}<extra></extra>");
});

Deno.test("gateView()'s sliders go to each sample, by frames, and to each timestep", () => {
  const labels = (view: unknown) =>
    plain(view).layout.sliders.map((slider: { steps: { label: string }[] }) =>
      slider.steps.map(({ label }) => label).join(" ")
    );
  assertEquals(labels(gateView(traceOf(3, 2, 2))), ["0 1 2", "– 0 1"]);
  assertEquals(labels(gateView(traceOf(1, 2, 2))), ["– 0 1"]);
  assertEquals(labels(gateView(traceOf(3, 1, 2))), ["0 1 2"]);
  assertEquals(labels(gateView(traceOf(3, 2, 2), { slider: "samples" })), ["0 1 2"]);
  const one = gateView(traceOf(3, 2, 2), { slider: "timesteps", sample: -1 });
  assertEquals(labels(one), ["– 0 1"]);
  assertStringIncludes(one.text, "sample 2 of 3");
  const { frames, layout, data } = plain(gateView(traceOf(3, 2, 2), { sample: 2 }));
  assertEquals(layout.sliders[0].active, 2);
  assertEquals(frames.map(({ name }: { name: string }) => name), [
    "sample 0",
    "sample 1",
    "sample 2",
  ]);
  assertEquals(
    frames[2].data.map(({ z, y }: { z: unknown; y: unknown }) => z ?? y),
    data.map((
      { z, y }: { z: unknown; y: unknown },
    ) => z ?? y),
  );
});

Deno.test("the axes of the lines are those of the sample that the slider stands at", () => {
  const trace = traceOf(4, 6, 5);
  const { frames, layout, data } = plain(gateView(trace, { sample: 1 }));
  for (const [at, frame] of frames.entries()) {
    for (const [axis, state] of [["yaxis7", 0], ["yaxis8", 1]] as const) {
      const [low, high] = frame.layout[axis].range;
      if (at === 1) assertEquals(layout[axis].range, [low, high]);
      const lines = frame.data.slice(6).filter((_: unknown, k: number) =>
        Math.floor(k / 5) === state
      );
      const values = lines.flatMap(({ y }: { y: number[] }) => y);
      assertEquals(lines.length, 5);
      assert(values.every((y: number) => low < y && y < high));
      assert(high - low < 1.2 * (Math.max(0, ...values) - Math.min(0, ...values)), "and not wider");
    }
  }
  assertEquals(data.length, 16);
});

Deno.test("gateView()'s cursor goes through the panels, and through no equation above them", () => {
  const { layout } = plain(gateView(traceOf(1, 3, 2)));
  const [left, right] = layout.shapes;
  assertEquals([left.xref, right.xref, left.path], ["x", "x2", right.path]);
  assertEquals(layout.sliders[0].steps[3].args, [{
    "shapes[0].xanchor": 2,
    "shapes[1].xanchor": 2,
  }]);
  assert(left.xanchor < layout.xaxis.range[0], "at first it is out of sight");
  const parts: string[] = left.path.match(/M[^M]+/g);
  const spans = parts.map((part) => /^M0,([\d.]+)V([\d.]+)$/.exec(part)!.slice(1).map(Number));
  for (const [index, [low, high]] of spans.entries()) {
    const [lowest, highest] = layout[`yaxis${2 * index + 1}`.replace("s1", "s")].domain;
    assert(Math.abs(low! - lowest) < 1e-3 && Math.abs(high! - highest) < 1e-3);
    assert(layout.annotations.every(({ y }: { y: number }) => y >= highest - 1e-3 || y <= lowest));
  }
  assertEquals(spans.length, 4);
});

Deno.test("gateView() writes the equations that were computed", () => {
  const texts = (view: unknown) =>
    plain(view).layout.annotations.map(({ text }: { text: string }) => text).join("\n");
  assertStringIncludes(texts(gateView(traceOf(1, 2, 2))), "= σ(x<sub>t</sub>W<sub>f</sub>");
  const relu = texts(gateView(traceOf(1, 2, 2, { activation: "relu", goBackwards: true })));
  assertStringIncludes(relu, "o<sub>t</sub> ⊙ relu(c<sub>t</sub>)");
  assertStringIncludes(relu, "h<sub>t+1</sub>U");
  assertFalse(relu.includes("tanh") || relu.includes("t−1"));
  const { gates, cellState, hiddenState } = traceOf(1, 2, 2);
  assertStringIncludes(texts(gateView({ gates, cellState, hiddenState })), "φ(c<sub>t</sub>)");
});

Deno.test("gateView() refuses a sample that is not there", () => {
  assertThrows(() => gateView(traceOf(2, 2, 2), { sample: 2 }), RangeError, "samples 0 to 1");
});

Deno.test("weightTable() says from where to where a weight leads", async () => {
  const kernel = numbers(2, 16);
  const view = weightTable({ kernel, recurrentKernel: numbers(4, 16), bias: numbers(16) });
  const html = String((await view[JUPYTER_DISPLAY]())["text/html"]);
  const [, value] = /title="W_f\[x₁ → unit 3\] = (-?[\d.]+)"/.exec(html) ?? [];
  assert(Math.abs(Number(value) - splitGates(kernel).forget.item(1, 3)) < 1e-4);
  for (const part of ["U_o[unit 2 → unit 1] = ", "b_c[unit 0] = "]) {
    assertStringIncludes(html, part);
  }
});

Deno.test("Gates that are saturated are marked, and weights are not", async () => {
  const htmlOf = async (value: object) =>
    String((await (value as View)[JUPYTER_DISPLAY]())["text/html"]);
  const { gates } = lstmForward([[[1]]], {
    kernel: [[9, -9, 9, 0.5]],
    recurrentKernel: [[0, 0, 0, 0]],
  });
  const html = await htmlOf(gates);
  assertEquals([...html.matchAll(/<td[^>]*>([●○]) /g)].map(([, mark]) => mark), ["●", "○", "●"]);
  assertStringIncludes(html, "● saturated (≥ 0.99), ○ closed (≤ 0.01)");
  assertFalse(/[●○]/.test(await htmlOf(splitGates([0, 1, 0, 0]))));
});

Deno.test("the lines are of the units that move farthest from zero, where every state starts", () => {
  const [timesteps, units] = [3, 12];
  const value = (unit: number, t: number) => unit === 5 ? 0.9 : 0.1 + 0.02 * unit * (t % 2);
  const data = Float64Array.from(
    { length: timesteps * units },
    (_, k) => value(k % units, Math.floor(k / units)),
  );
  const state = new Tensor(data, [1, timesteps, units]);
  const gates = { input: state, forget: state, candidate: state, output: state };
  const traces = gateView({ gates, cellState: state, hiddenState: state }).data as readonly {
    name?: string;
  }[];
  const lines = traces.map(({ name }) => name).filter((name) => /^unit/.test(String(name)));
  assert(lines.includes("unit 5"), lines.join()); // it stays at 0.9: farther than any other moves
});

Deno.test("cells stand apart up to 32 timesteps, and touch from 33 on", () => {
  for (const [timesteps, gap] of [[32, 1], [33, 0]] as const) {
    const [first] = gateView(traceOf(1, timesteps, 2)).data as readonly { xgap?: number }[];
    assertEquals(first!.xgap, gap);
  }
});
