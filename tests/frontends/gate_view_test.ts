// The gate view in Chromium, its sliders moved and its cells read by a mouse: each number beside the trace.

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  gateView,
  gru,
  type Layer,
  lstm,
  sequential,
  simpleRnn,
  Tensor,
  trace,
} from "@gatescope/lstm";
import type { CellTrace } from "../../lib/cells/cell_run.ts";
import { sitesOf, valueAt } from "../../lib/cells/sites.ts";
import { JUPYTER_DISPLAY } from "../../lib/display/view.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { eventually, launch, openPage, screenshot, type WatchedPage } from "./browser.ts";
import { frontEnds } from "./setup.ts";

const needed = await frontEnds();

/** Nothing but what an output brings, and no eval. */
const POLICY = "default-src 'none'; script-src 'unsafe-inline' https://cdn.plot.ly; " +
  "style-src 'unsafe-inline'; img-src data:";

/** What the page computes is equal to 0.001; what it carries, to four digits and a 65,534th. */
const TOLERANCE = 1e-3;

function traced(layer: Layer, batch: number, timesteps: number, inputSize: number): CellTrace {
  const model = sequential([layer], { inputShape: [timesteps, inputSize], seed: 2 });
  const random = seededRandom(7);
  // One sample is far louder than the others: its lines would run out of axes that stay.
  const data = Float64Array.from(
    { length: batch * timesteps * inputSize },
    (_, k) => random.normal() * (k >= (batch - 1) * timesteps * inputSize ? 3 : 0.3),
  );
  const x = new Tensor(data, [batch, timesteps, inputSize]);
  return trace<CellTrace>(model, x).layers[0]!;
}

async function shown(whole: CellTrace, width: number, dark: boolean) {
  const html = String((await gateView(whole)[JUPYTER_DISPLAY]())["text/html"]);
  const file = await Deno.makeTempFile({ suffix: ".html" });
  const colors = dark ? "background:#111;color:#ddd" : "background:#fff;color:#222";
  await Deno.writeTextFile(
    file,
    `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">` +
      `<meta http-equiv="Content-Security-Policy" content="${POLICY}">` +
      `<body style="margin:8px;${colors}">${html}`,
  );
  const browser = await launch(needed.browser);
  const watched = await openPage(browser, `file://${file}`);
  await watched.page.setViewportSize({ width, height: 1800 });
  await watched.page.locator(".slider-group").first().waitFor({ timeout: 60_000 });
  await watched.page.waitForTimeout(500);
  await Deno.remove(file);
  return { ...watched, [Symbol.asyncDispose]: () => browser.close() };
}

/** What Plotly shows now: the numbers of each panel, and the lines with the axes that they are in. */
async function state(page: WatchedPage["page"]) {
  return await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any
    const chart = (globalThis as any).document.querySelector(".js-plotly-plot");
    const { _fullData: data, _fullLayout: layout } = chart;
    return {
      // deno-lint-ignore no-explicit-any
      panels: data.filter(({ type }: any) => type === "heatmap").map(({ z }: any) => z),
      // deno-lint-ignore no-explicit-any
      lines: data.filter(({ type }: any) => type === "scatter").map(({ y, yaxis }: any) => ({
        y: [...y],
        range: layout[yaxis.replace("y", "yaxis")].range,
      })),
      // deno-lint-ignore no-explicit-any
      cursors: (layout.shapes ?? []).map(({ xanchor }: any) => xanchor),
    };
  });
}

/** Clicks on a slider's rail at the place of a step. */
async function moveTo(page: WatchedPage["page"], slider: number, step: number, steps: number) {
  const rail = page.locator(".slider-group").nth(slider).locator(".slider-rail-touch-rect");
  const { x, y, width, height } = (await rail.boundingBox())!;
  await page.mouse.click(x + 10 + (width - 20) * step / (steps - 1), y + height / 2);
}

/** The panels' numbers are the sample's, within its axes, which are no wider than it needs. */
function assertShows(
  { panels, lines }: Awaited<ReturnType<typeof state>>,
  whole: CellTrace,
  sample: number,
): void {
  const sites = sitesOf(whole);
  const [, timesteps, units] = whole.hiddenState.shape as [number, number, number];
  assertEquals(panels.length, sites.length);
  for (const [k, site] of sites.entries()) {
    const value = valueAt(whole, site);
    for (let t = 0; t < timesteps; t++) {
      for (let unit = 0; unit < units; unit++) {
        const [drawn, expected] = [panels[k][unit][t], value.item(sample, t, unit)];
        const within = Math.abs(drawn - expected) <= TOLERANCE * Math.max(1, Math.abs(expected));
        assert(within, `${site} ${sample} ${t} ${unit}: ${drawn}, not ${expected}`);
      }
    }
  }
  for (const { y, range: [low, high] } of lines) {
    const all = `${Math.min(...y)} to ${Math.max(...y)} in ${low} to ${high}`;
    assert(y.every((value: number) => low < value && value < high), all);
  }
  const longest = Math.max(...lines.flatMap(({ y }: { y: number[] }) => y.map(Math.abs)));
  const widest = Math.max(
    ...lines.map(({ range: [low, high] }: { range: number[] }) => high! - low!),
  );
  assert(widest < 3 * longest, "the axes are no wider than this sample needs");
}

const CELLS = { lstm, gru, simpleRnn };
const SIZES = [[4, 3, 8], [16, 8, 10], [4, 100, 64]] as const;

for (const [name, layer] of Object.entries(CELLS)) {
  for (const [batch, timesteps, units] of SIZES) {
    const size = `${batch}x${timesteps}x${units}`;
    Deno.test(`${name} ${size}: both sliders are dragged, and panels, lines and axes are those of the sample`, async () => {
      const whole = traced(layer({ units, returnSequences: true }), batch, timesteps, 4);
      const [width, dark] = units === 10 ? [1280, true] : [900, units === 64];
      await using watched = await shown(whole, width, dark);
      const { page, errors } = watched;
      for (const sample of [0, batch - 1, 1]) {
        await moveTo(page, 0, sample, batch);
        await eventually(async () => assertShows(await state(page), whole, sample)); // axes follow
      }
      await moveTo(page, 1, timesteps, timesteps + 1);
      await eventually(async () => {
        const { cursors } = await state(page);
        const last = cursors.length > 0 && cursors.every((t: number) => t === timesteps - 1);
        assert(last, `${cursors}`);
      });
      await screenshot(page, `gate_view_${name}_${size}_${width}_${dark ? "dark" : "light"}`);
      assertEquals(errors, []);
    });
  }
}

Deno.test("the mouse reads a cell's gate, timestep, unit and value: of 64 units over 100 timesteps too", async () => {
  const whole = traced(lstm({ units: 64, returnSequences: true }), 4, 100, 4);
  await using watched = await shown(whole, 900, false);
  const { page, errors } = watched;
  const panel = page.locator(".hm image").nth(1); // the forget gate
  const { x, y, width, height } = (await panel.boundingBox())!;
  for (const [t, unit] of [[0, 0], [41, 17], [99, 63]] as const) {
    await page.mouse.move(x + width * (t + 0.5) / 100, y + height * (unit + 0.5) / 64);
    await eventually(async () => {
      const [text = ""] = await page.locator(".hoverlayer .hovertext").allTextContents();
      assertMatch(text, new RegExp(`^f\\[timestep ${t}, unit ${unit}\\] = 0\\.\\d+$`));
      const value = Number(text.split(" = ")[1]);
      const expected = valueAt(whole, "gates.forget").item(0, t, unit);
      assert(Math.abs(value - expected) <= TOLERANCE, `${text}, not ${expected}`);
    });
  }
  assertEquals(errors, []);
});
