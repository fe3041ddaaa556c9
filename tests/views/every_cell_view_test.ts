// The views of a GRU's and a SimpleRNN's inside, against what Keras computed
// (tests/fixtures/formats/keras_recurrent.py); 3 digits are drawn.

import {
  gateView,
  gruForward,
  loadModel,
  loadNpz,
  sequential,
  splitGates,
  Tensor,
  trace,
  weightTable,
} from "@gatescope/lstm";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { JUPYTER_DISPLAY, type View } from "../../lib/display/view.ts";
import { formatFile } from "../formats/loaded.ts";
import { minGru, sLstm } from "../layers/own_cells.ts";

const arrays = await loadNpz(formatFile("keras_recurrent/values.npz"));
const modelOf = (name: string) => loadModel(formatFile(`keras_recurrent/${name}.keras`));

// deno-lint-ignore no-explicit-any
const plain = (value: unknown): any => JSON.parse(JSON.stringify(value));
const htmlOf = async (view: object) =>
  String((await (view as View)[JUPYTER_DISPLAY]())["text/html"]);

/** What stands above the panels, without tags. */
const equationsOf = (view: unknown): string[] =>
  plain(view).layout.annotations.map(({ text }: { text: string }) =>
    text.replaceAll(/<\/?b>/g, "").replaceAll(/<sub>(.*?)<\/sub>/g, "_$1")
  );

const GRU = [["z", "update"], ["r", "reset"], ["h̃", "candidate"], ["h", "hiddenState"]];
const RNN = [["h", "hiddenState"]];
const DRAWN = {
  gru_plain: GRU,
  gru_before_plain: GRU,
  gru_masked: GRU,
  gru_backwards: GRU,
  gru_stacked: GRU,
  gru_both: GRU,
  gru_both_masked: GRU,
  rnn_plain: RNN,
  rnn_both: RNN,
};

for (const [name, sites] of Object.entries(DRAWN)) {
  Deno.test(`${name}: each panel of gateView() is Keras's array, at every step`, async () => {
    const model = await modelOf(name);
    const whole = trace(model, arrays.get(`x_${name}`)!);
    for (const k of name.includes("both") ? [0, 1] : [0]) {
      const { data } = plain(gateView(whole, { layer: k, sample: 1 }));
      sites.forEach(([symbol, value], panel) => {
        const theirs = arrays.get(`trace_${name}_${k}_${value}`)!;
        const [, timesteps, units] = theirs.shape as [number, number, number];
        assertEquals([data[panel].name, data[panel].type], [symbol, "heatmap"]);
        for (let t = 0; t < timesteps; t++) {
          for (let u = 0; u < units; u++) {
            const [drawn, e] = [data[panel].z[u][t], theirs.item(1, t, u)];
            assert(Math.abs(drawn - e) <= 5.1e-3 * Math.abs(e) + 1e-6, `${symbol} ${drawn} ${e}`);
          }
        }
      });
      assertEquals(data[sites.length].type, "scatter");
    }
  });
}

Deno.test("the equations above the panels are the cell's own: GRU, reset after and before, SimpleRNN", async () => {
  const of = async (name: string) =>
    equationsOf(gateView(trace(await modelOf(name), arrays.get(`x_${name}`)!), { layer: 0 }));
  const gate = (g: string, before = "t−1") =>
    `${g}_t = σ(x_tW_${g} + b_${g} + h_${before}U_${g} + bR_${g})`;
  const h = "h_t = z_t ⊙ h_t−1 + (1 − z_t) ⊙ h̃_t";
  assertEquals((await of("gru_plain")).slice(0, 4), [
    gate("z"),
    gate("r"),
    "h̃_t = tanh(x_tW_h + b_h + r_t ⊙ (h_t−1U_h + bR_h))",
    h,
  ]);
  assertEquals((await of("gru_before_plain")).slice(0, 4), [
    "z_t = σ(x_tW_z + b_z + h_t−1U_z)",
    "r_t = σ(x_tW_r + b_r + h_t−1U_r)",
    "h̃_t = tanh(x_tW_h + b_h + (r_t ⊙ h_t−1)U_h)",
    h,
  ]);
  assertEquals((await of("gru_backwards"))[0], gate("z", "t+1"));
  assertStringIncludes((await of("gru_relu"))[2]!, "= relu(x_tW_h");
  assertEquals(await of("rnn_plain"), [
    "h_t = tanh(x_tW + h_t−1U + b)",
    "h, what the layer returns: the units that move most",
  ]);
});

Deno.test("a cell of one's own has its equations too, as its step writes them", () => {
  const show = (layer: ReturnType<typeof minGru>) => {
    const model = sequential([layer], { inputShape: [4, 3], seed: 1 });
    return gateView(trace(model, ramp(24).reshape([2, 4, 3])));
  };
  assertEquals(equationsOf(show(minGru({ units: 5 }))).slice(0, 3), [
    "z_t = σ(x_tW_z + b_z)",
    "h̃_t = x_tW_h + b_h",
    "h_t = (1 − z_t) ⊙ h_t−1 + z_t ⊙ h̃_t",
  ]);
  const found = equationsOf(show(sLstm({ units: 5 })));
  for (
    const equation of [
      "c_t = f_t ⊙ c_t−1 + i_t ⊙ c̃_t",
      "normalizer_t = f_t ⊙ normalizer_t−1 + i_t",
      "h_t = o_t ⊙ c_t / normalizer_t",
    ]
  ) assert(found.includes(equation), found.join("\n"));
});

const ramp = (length: number) =>
  new Tensor(Float64Array.from({ length }, (_, k) => Math.sin(k * k + k)), [length]);

Deno.test("a copy of a GRU's trace is shown like itself; reset before stays so", async () => {
  for (const name of ["gru_plain", "gru_before_plain"]) {
    const whole = trace(await modelOf(name), arrays.get(`x_${name}`)!);
    const copy = structuredClone({ ...whole.layers[0]! });
    assertEquals(plain(gateView(copy)), plain(gateView(whole)));
  }
});

Deno.test("a GRU's trace shows itself as its ranges and its panels", async () => {
  const weights = { kernel: ramp(6).reshape([2, 3]), recurrentKernel: ramp(3).reshape([1, 3]) };
  const own = gruForward(ramp(8).reshape([1, 4, 2]), weights);
  const html = await htmlOf(own);
  for (const part of ["gates.update", "Inside the GRU, [1, 4, 1]"]) {
    assertStringIncludes(html, part);
  }
  const lines = Deno.inspect(own).split("\n").slice(2).map((line) => line.trim().split(/ +/)[0]);
  assertEquals(lines, ["z", "r", "h̃", "h"]);
});

Deno.test("weightTable() says from where to where a GRU's weight leads, with both biases", async () => {
  const model = await modelOf("gru_plain");
  const [kernel, recurrentKernel, bias] = model.getWeights() as [Tensor, Tensor, Tensor];
  const html = await htmlOf(weightTable({ kernel, recurrentKernel, bias }));
  const number = (place: string) => {
    const at = html.indexOf(`title="${place} = `);
    assert(at >= 0, place);
    return Number(/= (-?[\d.e-]+)"/.exec(html.slice(at))![1]);
  };
  const split = (x: Tensor) => splitGates(x, "keras", { cell: "gru" });
  const close = (a: number, b: number) => assert(Math.abs(a - b) < 1e-4, `${a} ${b}`);
  close(number("W_r[x₁ → unit 3]"), split(kernel).reset.item(1, 3));
  close(number("U_h[unit 2 → unit 4]"), split(recurrentKernel).candidate.item(2, 4));
  close(number("b_z[unit 0]"), split(bias).update.item(0, 0));
  close(number("bR_h[unit 1]"), split(bias).candidate.item(1, 1));
});

Deno.test("weightTable() shows a SimpleRNN's one block, and refuses what is no cell's", async () => {
  const [kernel, recurrentKernel, bias] = (await modelOf("rnn_plain")).getWeights() as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const html = await htmlOf(weightTable({ kernel, recurrentKernel, bias }));
  for (const part of ["W[x₁ → unit 3] = ", "U[unit 0 → unit 1] = ", "b[unit 4] = "]) {
    assertStringIncludes(html, part);
  }
  assertThrows(
    () =>
      weightTable({
        kernel: ramp(10).reshape([1, 10]),
        recurrentKernel: ramp(20).reshape([2, 10]),
      }),
    TypeError,
    "an LSTM's, a GRU's or a SimpleRNN's",
  );
});
