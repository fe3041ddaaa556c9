// Tolerance 1e-12: a sweep is the runs one by one, in another order of rows.

import {
  bidirectional,
  dense,
  type Intervention,
  lstm,
  patchSweep,
  sequential,
  type SiteName,
  siteNames,
  softmax,
  Tensor,
  trace,
} from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { valueAt } from "../../lib/cells/sites.ts";
import { seededRandom } from "../../lib/tensor/random.ts";

const random = seededRandom(5);
const numbers = (...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
const x = numbers(2, 4, 3);
const layers = [lstm({ units: 3 }), dense({ units: 2, activation: "softmax" })];
const model = sequential(layers, { inputShape: [4, 3], seed: 6, precision: "float64" });
const quiet = { verbose: false } as const;

/** The probability of class 1 in float64. */
function probability(interventions: Intervention[], n: number): number {
  const { hiddenState } = trace(model, x, { interventions }).layers[0]!;
  const [, , , kernel, bias] = model.getWeights() as Tensor[];
  const logits = [0, 1].map((k) =>
    [0, 1, 2].reduce(
      (sum, u) => sum + hiddenState.item(n, 3, u) * kernel!.item(u, k),
      bias!.item(k),
    )
  );
  return softmax(logits).item(1);
}

Deno.test("each effect is that of ablating the one value, as the mean over the samples", async () => {
  const { effects, sites, baseline } = await patchSweep(model, x, { target: 1, ...quiet });
  assertEquals(effects.shape, [6, 4, 3]);
  assertEquals(sites, siteNames);
  let largest = 0;
  for (const [s, site] of siteNames.entries()) {
    for (let timestep = 0; timestep < 4; timestep++) {
      for (let unit = 0; unit < 3; unit++) {
        const changes = [0, 1].map((n) =>
          probability([{ ablate: site, timestep, unit }], n) - baseline.item(n)
        );
        const expected = (changes[0]! + changes[1]!) / 2;
        assertAlmostEquals(effects.item(s, timestep, unit), expected, 1e-12);
        largest = Math.max(largest, Math.abs(expected));
      }
    }
  }
  assert(largest > 1e-3);
});

Deno.test("with another input's values, each effect is that of setting the one value to it", async () => {
  const from = numbers(2, 4, 3);
  const other = trace(model, from).layers[0]!;
  const options = { target: 1, from, sites: ["cellState"], timestep: [1, 3], unit: 2, ...quiet };
  const { effects, timesteps, units, baseline } = await patchSweep(model, x, options as never);
  assertEquals([effects.shape, timesteps, units], [[1, 2, 1], [1, 3], [2]]);
  timesteps.forEach((timestep, t) => {
    const to = valueAt(other, "cellState");
    const changes = [0, 1].map((n) =>
      probability([{ set: "cellState", to, timestep, unit: 2 }], n) - baseline.item(n)
    );
    assertAlmostEquals(effects.item(0, t, 0), (changes[0]! + changes[1]!) / 2, 1e-12);
  });
  const same = await patchSweep(model, x, { target: 0, from: x, ...quiet });
  assert(same.effects.data.every((effect) => effect === 0), "its own values change no bit");
});

Deno.test("an estimate is the slope: what a small change does, for every value", async () => {
  const cases = [
    model,
    sequential([
      lstm({ units: 3, returnSequences: true, goBackwards: true }),
      lstm({ units: 2, activation: "softplus" }),
      dense({ units: 2, activation: "softmax" }),
    ], { inputShape: [4, 3], seed: 1, precision: "float64" }),
  ];
  const near = new Tensor(x.data.map((value, k) => value + 1e-4 * Math.sin(k + 1)), x.shape);
  for (const [k, one] of cases.entries()) {
    const options = { target: 1, from: near, ...(k === 1 ? { layer: 0 } : {}), ...quiet };
    const exact = await patchSweep(one, x, options);
    const estimated = await patchSweep(one, x, { ...options, estimate: true });
    assert(estimated.estimated && !exact.estimated);
    const largest = Math.max(...Array.from(exact.effects.data, Math.abs));
    exact.effects.data.forEach((effect, k) =>
      assertAlmostEquals(estimated.effects.data[k]! / largest, effect / largest, 1e-3)
    );
    assert(largest > 1e-7);
  }
});

Deno.test("a signal stops the sweep: what is not done is NaN", async () => {
  const controller = new AbortController();
  controller.abort();
  const stopped = await patchSweep(model, x, { target: 0, signal: controller.signal, ...quiet });
  assert(stopped.aborted && stopped.effects.data.every(Number.isNaN));

  const slow = new AbortController();
  const wide = sequential([lstm({ units: 60 }), dense({ units: 2 })], { inputShape: [40, 3] });
  setTimeout(() => slow.abort(), 40);
  const part = await patchSweep(wide, numbers(1, 40, 3), {
    target: 0,
    signal: slow.signal,
    ...quiet,
  });
  const done = part.effects.data.filter((effect) => !Number.isNaN(effect)).length;
  assert(part.aborted && done > 0 && done < part.effects.data.length, `${done}`);
  assert(Deno.inspect(part).includes("(stopped)"));
});

Deno.test("a sweep says how far it is and how long it takes, and where that is long what is quicker", async () => {
  const [lines, short]: [string[], string[]] = [[], []];
  const { log } = console;
  console.log = (text: string) => lines.push(text);
  Object.defineProperty(Deno.stdout, "isTerminal", { value: () => false, configurable: true });
  try {
    await patchSweep(model, x, { target: 0, verbose: true });
    short.push(...lines.splice(0));
    const wide = sequential([lstm({ units: 64 }), dense({ units: 1 })], { inputShape: [100, 3] });
    await patchSweep(wide, numbers(4, 100, 3), { verbose: true, signal: AbortSignal.timeout(500) });
  } finally {
    console.log = log;
    Reflect.deleteProperty(Deno.stdout, "isTerminal"); // the prototype's is there again
  }
  assert(/^patch \d+\/72 · \d+ (?:ms|s) left$/.test(short[0]!), short[0]);
  assertEquals(short.at(-1), "72 of 72 patches");
  // 38,400 runs of 400 steps, which take minutes on any machine
  assert(
    /^patch \d+\/38,400 · .*\d+ (?:s|min) left · \{ estimate: true \} takes one run instead$/.test(
      lines[0]!,
    ),
    lines[0],
  );
});

Deno.test("a sweep shows itself as a heatmap, and names the largest effect", async () => {
  const sweep = await patchSweep(model, x, { target: 1, ...quiet });
  const [, site, unit, timestep, told] = Deno.inspect(sweep).match(
    /^What moves output 1 \(0\.\d+, the mean of 2 samples\)\nin lstm, most by (\S+) of unit (\d) at timestep (\d): (-?0\.\d+)\n/,
  )!;
  const { effects, sites } = sweep;
  const largest = effects.item(sites.indexOf(site as SiteName), Number(timestep), Number(unit));
  assertEquals(Math.abs(largest), Math.max(...effects.data.map(Math.abs)));
  assertAlmostEquals(Number(told), largest, 0.005 * Math.abs(largest));
  assert(
    sweep.heatmap({ site: "gates.forget", target: "<b>up</b>" }).text.includes("3 × 4 values"),
  );
});

Deno.test("the row of the largest effect has its label and a frame, its number is where it is", async () => {
  const wide = sequential([lstm({ units: 9 }), dense({ units: 1 })], {
    inputShape: [4, 3],
    seed: 1,
  });
  const { effects, heatmap } = await patchSweep(wide, x, quiet);
  const { data: [map], layout } = heatmap();
  const { z, y } = map as { z: number[][]; y: string[] };
  const { shapes: [frame], yaxis } = layout as {
    shapes: { x0: number; y0: number }[];
    yaxis: { tickvals: string[] };
  };
  const [row, column] = [frame!.y0 + 0.5, frame!.x0 + 0.5];
  const largest = Math.max(...effects.data.map(Math.abs));
  assertAlmostEquals(Math.abs(z[row]![column]!), largest, 1e-3 * largest);
  assert(yaxis.tickvals.includes(y[row]!) && yaxis.tickvals.length < y.length);
  assert(heatmap().text.startsWith("What moves the output ("));
});

Deno.test("of very many rows those of the largest effects are shown, and it is said", async () => {
  const units = 40;
  const wide = sequential([lstm({ units }), dense({ units: 1 })], { inputShape: [4, 3], seed: 1 });
  const sweep = await patchSweep(wide, x, { estimate: true, ...quiet });
  const { z } = sweep.heatmap().data[0] as { z: number[][] };
  assertEquals(z.length, 128);
  assert(sweep.heatmap().text.includes("; 128 of 240 rows: those of the largest effects"));
  const most = siteNames.flatMap((_, s) =>
    Array.from(
      { length: units },
      (_, u) => Math.max(...[0, 1, 2, 3].map((t) => Math.abs(sweep.effects.item(s, t, u)))),
    )
  ).sort((a, b) => b - a).slice(0, 128);
  const shown = z.map((row) => Math.max(...row.map(Math.abs))).sort((a, b) => b - a);
  shown.forEach((size, k) => assertAlmostEquals(size, most[k]!, 1e-3 * most[0]!));
});

Deno.test("of a Bidirectional one direction is swept; what is not there is refused", async () => {
  const both = sequential([bidirectional(lstm({ units: 2 })), dense({ units: 1 })], {
    inputShape: [4, 3],
    seed: 1,
  });
  const layer = "bidirectional/backward_layer";
  const { effects } = await patchSweep(both, x, { layer, ...quiet });
  assertEquals(effects.shape, [6, 4, 2]);
  assert(effects.data.some((effect) => effect !== 0));
  const refused = (options: object, message: string) =>
    assertRejects(() => patchSweep(model, x, { target: 0, ...quiet, ...options }), Error, message);
  await refused({ target: 2 }, "the model has outputs 0 to 1 (-1 is the last), but target is 2");
  await refused({ unit: 3 }, "Cannot sweep: lstm has units 0 to 2 (-1 is the last), but unit is 3");
  await refused({ sites: ["gates.input", "z"] }, 'cellState or hiddenState, but "z" was given');
  await refused({ from: numbers(1, 4, 3) }, "but its shape is [1, 4, 3]");
  const sequences = sequential([lstm({ units: 2, returnSequences: true })], { inputShape: [4, 3] });
  await assertRejects(
    () => patchSweep(sequences, x),
    TypeError,
    "the output must be [batch, classes]",
  );
});
