// The gate view at the sizes of people's own models: what an output carries, beside the trace it shows.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  bidirectional,
  gateView,
  gru,
  type Layer,
  lstm,
  plot,
  sequential,
  simpleRnn,
  Tensor,
  toSvg,
  trace,
} from "@gatescope/lstm";
import { JUPYTER_DISPLAY, type View } from "../../lib/display/view.ts";
import type { Plain } from "../../lib/display/plain_figure.ts";
import { sitesOf, valueAt } from "../../lib/cells/sites.ts";
import type { CellTrace } from "../../lib/cells/cell_run.ts";
import { minGru } from "../layers/own_cells.ts";

const MOST_BYTES = 200_000;

/** As noisy as numbers are; they deflate badly. */
function numbers(...shape: number[]): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return new Tensor(Float64Array.from({ length: size }, (_, i) => 2 * Math.sin(i * i + i)), shape);
}

function traced(layers: readonly Layer[], batch: number, timesteps: number, inputSize: number) {
  const model = sequential(layers, { inputShape: [timesteps, inputSize], seed: 1 });
  return trace<CellTrace>(model, numbers(batch, timesteps, inputSize));
}

/** What Plotly is given in the page, from the HTML alone, and the size of all forms together. */
async function arrived(view: ReturnType<typeof gateView>) {
  const bundle = await view[JUPYTER_DISPLAY]();
  const size = new TextEncoder().encode(JSON.stringify(bundle)).length;
  const html = String(bundle["text/html"]);
  const script = /<script>\n([\s\S]*);\n<\/script>/.exec(html)![1]!;
  const call = script.replace(/^\(async \(key[\s\S]*?\n\}\)\(/, "take(");
  assert(call !== script, "the script is a call of the drawing function");
  const take = (
    _key: string,
    figure: object,
    _themed: boolean,
    _source: object,
    unpack = (f: object) => f,
  ) => unpack(figure);
  const figure = await new Function("take", `return ${call}`)(take);
  return {
    size,
    html,
    figure: figure as { data: Plain[]; frames?: { data: Plain[] }[]; layout: Plain },
  };
}

/** Compares each cell of each panel with the trace; the rows are `units`, the columns from `start` on. */
function assertShows(
  data: readonly Plain[],
  layers: readonly CellTrace[],
  sample: number,
  tolerance: number,
  units?: readonly number[],
  start = 0,
): number {
  let [at, compared] = [0, 0];
  for (const layer of layers) {
    for (const site of sitesOf(layer)) {
      const value = valueAt(layer, site);
      while (data[at]!.type !== "heatmap" && !("z" in data[at]!)) at++; // the lines of the layer before
      const z = data[at++]!.z as number[][];
      const rows = units ?? Array.from({ length: value.shape[2]! }, (_, unit) => unit);
      assertEquals(z.length, rows.length);
      z.forEach((row, k) =>
        row.forEach((cell, t) => {
          const expected = value.item(sample, start + t, rows[k]!);
          if (!(Math.abs(cell - expected) <= tolerance)) {
            assertEquals(cell, expected, `${site}[${sample}, ${start + t}, ${rows[k]}]`);
          }
          compared++;
        })
      );
    }
  }
  return compared;
}

const CELLS = { lstm, gru, simpleRnn };

for (const [name, layer] of Object.entries(CELLS)) {
  for (const [batch, timesteps, units] of [[16, 8, 10], [16, 20, 12], [4, 100, 64]] as const) {
    Deno.test(`${name} ${batch} × ${timesteps} × ${units}: each value is in the page, in 200 kB`, async () => {
      const whole = traced([layer({ units, returnSequences: true })], batch, timesteps, 6);
      const { size, figure } = await arrived(gateView(whole));
      assert(size < MOST_BYTES, `${size}`);
      const { data, frames = [] } = figure;
      assertEquals(frames.length, batch);
      const tolerance = 1e-3;
      let compared = assertShows(data, whole.layers, 0, tolerance);
      frames.forEach((frame, n) => compared += assertShows(frame.data, whole.layers, n, tolerance));
      const sites = sitesOf(whole.layers[0]!).length;
      assertEquals(compared, (batch + 1) * timesteps * units * sites);
      assert(!JSON.stringify(figure.layout).includes("mean of"));
    });
  }
}

Deno.test("32 × 128 × 128: one sample in full, to a 254th of its panel's range; the others are named", async () => {
  const whole = traced([lstm({ units: 128, returnSequences: true })], 32, 128, 8);
  const { size, figure } = await arrived(gateView(whole, { sample: 3 }));
  assert(size < MOST_BYTES, `${size}`);
  const compared = assertShows(figure.data, whole.layers, 3, 2 / 254 / 2 + 1e-4);
  assertEquals(compared, 6 * 128 * 128);
  const { text } = (figure.layout.title as { subtitle: { text: string } }).subtitle;
  assertStringIncludes(text, "sample 3 of 32 (option sample shows others)");
  assertStringIncludes(text, "a 254th");
});

Deno.test("a saved picture has a pixel for each cell, and a view within a LayerTrace is in 200 kB", async () => {
  const whole = traced([lstm({ units: 96, returnSequences: true })], 16, 120, 8).layers[0]!;
  const svg = await toSvg(gateView(whole));
  const images = [...svg.matchAll(/data:image\/png;base64,([^"]*)/g)].map(([, base64]) => {
    const header = Uint8Array.from(atob(base64!.slice(0, 32)), (c) => c.charCodeAt(0));
    const view = new DataView(header.buffer);
    return [view.getUint32(16), view.getUint32(20)]; // IHDR: PNG, 11.2.2
  });
  assertEquals(images, Array.from({ length: 6 }, () => [120, 96]));
  const bundle = await (whole as unknown as View)[JUPYTER_DISPLAY]();
  assert(new TextEncoder().encode(JSON.stringify(bundle)).length < MOST_BYTES);
});

Deno.test("what is too large in one sample too is cut to its first units and timesteps, which says so", async () => {
  const wide = traced([lstm({ units: 300, returnSequences: true })], 1, 100, 4);
  const { size, figure, html } = await arrived(gateView(wide));
  assert(size < MOST_BYTES, `${size}`);
  assertStringIncludes(html, "the first 166 of 300 units (option units shows others)");
  const first = Array.from({ length: 166 }, (_, unit) => unit);
  assertShows(figure.data, wide.layers, 0, 2 / 254 / 2 + 1e-4, first);
  const picked = [299, 7, 31];
  const three = await arrived(gateView(wide, { units: picked, timesteps: [90, 100] }));
  assertEquals(assertShows(three.figure.data, wide.layers, 0, 1e-4, picked, 90), 6 * 3 * 10);
  assertEquals((three.figure.data[0] as { y: unknown }).y, ["299", "7", "31"]);
  const long = traced([simpleRnn({ units: 8, returnSequences: true })], 1, 20_000, 1);
  assertStringIncludes(gateView(long).text, "the first 12500 of 20000 timesteps");
  const arrivedLong = await arrived(gateView(long));
  assert(arrivedLong.size < MOST_BYTES, `${arrivedLong.size}`);
  assertShows(arrivedLong.figure.data, long.layers, 0, 2 / 254 / 2 + 1e-4);
});

Deno.test("a model's layers are all there, the two directions of a Bidirectional too; `layer` picks one", async () => {
  const layers = [bidirectional(lstm({ units: 5, returnSequences: true })), gru({ units: 4 })];
  const whole = traced(layers, 3, 7, 2);
  const view = gateView(whole);
  const { figure, size } = await arrived(view);
  assert(size < MOST_BYTES);
  const compared = assertShows(figure.data, whole.layers, 0, 1e-3);
  assertEquals(compared, 7 * (6 * 5 + 6 * 5 + 4 * 4));
  figure.frames!.forEach(({ data }, n) => assertShows(data, whole.layers, n, 1e-3));
  const texts = (figure.layout.annotations as { text: string }[]).map(({ text }) => text);
  for (const name of whole.names) assert(texts.includes(`<b>${name}</b>`), texts.join());
  const one = gateView(whole, { layer: "gru" });
  assertShows(one.data as Plain[], [whole.layers[2]!], 0, 1e-3);
});

Deno.test("layers that do not fit beside the others are named", () => {
  const layers = Array.from({ length: 3 }, () => lstm({ units: 80, returnSequences: true }));
  const view = gateView(traced(layers, 1, 100, 3));
  assertStringIncludes(view.text, "not here: lstm_2 (option layer)");
  assertEquals((view.data as Plain[]).filter(({ type }) => type === "heatmap").length, 12);
});

Deno.test("samples are computed in the page only where it gets the trace's own numbers", async () => {
  const model = sequential([lstm({ units: 64, returnSequences: true })], {
    inputShape: [100, 6],
    seed: 1,
  });
  const x = numbers(4, 100, 6);
  const computed = gateView(trace(model, x));
  assertStringIncludes(computed.text, "computed in the page");
  const set = trace(model, x, { interventions: [{ set: "gates.forget", to: 0.5, unit: 3 }] });
  assert(!gateView(set).text.includes("computed in the page"));
  const { figure } = await arrived(gateView(set, { sample: 2 }));
  assertShows(figure.data, set.layers, 2, 2e-3);
  const own = sequential([minGru({ units: 64 })], { inputShape: [100, 6], seed: 1 });
  const whole = trace<CellTrace>(own, numbers(4, 100, 6));
  assertShows((await arrived(gateView(whole))).figure.data, whole.layers, 0, 2e-2);
});

Deno.test("gaps stay gaps, and a chart of the view in another theme carries the same numbers", async () => {
  const whole = traced([lstm({ units: 12, returnSequences: true })], 16, 20, 3).layers[0]!;
  const { data, shape } = whole.cellState!;
  const broken = Float64Array.from(data);
  broken[5] = NaN;
  const trace = { ...whole, cellState: new Tensor(broken, shape) };
  for (const view of [gateView(trace), plot(gateView(trace), { theme: "dark" })]) {
    const { figure, size } = await arrived(view);
    assert(size < MOST_BYTES, `${size}`);
    const c = figure.data[4]!.z as (number | null)[][];
    assertEquals(c[5]![0], null);
    assertEquals(c.flat().filter((value) => value === null).length, 1);
    assert(Math.abs(c[6]![0]! - data[6]!) < 1e-4);
  }
});
