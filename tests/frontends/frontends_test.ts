// Every view in the real front ends: there, drawn, readable, and nothing in it runs that should not.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  drawAll,
  drawnCharts,
  hacked,
  launch,
  openPage,
  pictureColors,
  screenshot,
  type WatchedPage,
} from "./browser.ts";
import { charts, notebook, sliders, tables } from "./gallery.ts";
import { pageOf, printedPages } from "./printed.ts";
import { toSvg } from "@gatescope/lstm";
import { startLab } from "./jupyterlab.ts";
import { run } from "../../notebooks/jupyter.ts";
import { frontEnds } from "./setup.ts";

const needed = await frontEnds();
const views = { ...charts(), ...prefixed("table_", tables()), sliders: sliders() };
const chartCount = Object.keys(charts()).length;
const book = await notebook(views);
/** Trust goes by content: what is signed once is trusted under any name. */
const strangers = book.replace('"nbformat":4', '"nbformat": 4').replace(
  "// lines",
  "// their lines",
);

function prefixed<T>(prefix: string, record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [prefix + key, value]));
}

/** What holds wherever scripts run. */
async function assertInteractive({ page, errors, loads }: WatchedPage, name: string) {
  const charts = "[data-gatescope-chart], .jp-RenderedPlotly"; // Python's plotly draws them itself
  await page.locator(charts).nth(chartCount - 1)
    .waitFor({ state: "attached", timeout: 60_000 });
  await page.waitForTimeout(1500);
  await drawAll(page);
  await screenshot(page, name);
  const drawn = await drawnCharts(page);
  assertEquals(drawn.length, chartCount);
  for (const { marks, width, height } of drawn) {
    assert(marks > 0 && width > 300 && height > 100, JSON.stringify(drawn));
  }
  await assertGateSliders(page);
  await assertTables(page);
  assert(loads.length <= 1, "Plotly is loaded once a page");
  assertEquals(errors, []);
}

/** What holds where no script runs: pictures and tables. */
async function assertStill({ page, errors }: WatchedPage, name: string) {
  await page.waitForSelector('img[src^="data:image/svg+xml"]', { timeout: 60_000 });
  await page.waitForTimeout(1500);
  await screenshot(page, name);
  const colors = await pictureColors(page);
  assertEquals(colors.length, chartCount);
  assert(colors.every((count) => count > 10), `colours of each picture: ${colors}`);
  assertEquals((await drawnCharts(page)).length, 0);
  assertEquals(await page.getByText("What if it stayed open?").count(), 1);
  await assertTables(page);
  assertEquals(errors, []);
}

/** The slider view is drawn, and moves when its slider does (gate_sliders_test.ts has the numbers). */
async function assertGateSliders(page: WatchedPage["page"]) {
  const box = page.locator("[data-gatescope-sliders]");
  const first = box.locator("[data-value]").first();
  const before = await first.getAttribute("data-value");
  await box.locator('input[type="range"]').focus();
  await page.keyboard.press("End");
  assert(before !== await first.getAttribute("data-value"), "the prediction moves");
  assert(/held: gates\.input of unit 0/.test(await box.textContent() ?? ""));
}

/** The gate view's slider goes to another sample, with no kernel in sight. */
async function assertSliderWorks(page: WatchedPage["page"]) {
  const gates = page.locator(".js-plotly-plot").nth(Object.keys(charts()).indexOf("gates"));
  const cells = gates.locator(".hm image").first();
  const before = await cells.getAttribute("href");
  const samples = gates.locator(".slider-group").filter({ hasText: "sample" }).last();
  await samples.locator(".slider-label").last().click({ force: true });
  await page.waitForTimeout(1000);
  assert(before !== await cells.getAttribute("href"), "the heatmap shows another sample");
  assertStringIncludes((await gates.textContent()) ?? "", "sample 2");
}

async function assertTables(page: WatchedPage["page"]) {
  assertEquals(await hacked(page), undefined);
  const seen = await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any
    const { document, getComputedStyle } = globalThis as any;
    const cells = [...document.querySelectorAll("table.dataframe td[title]")];
    const find = (text: string) => cells.find((cell) => cell.title.startsWith(text));
    return {
      hover: find("W_f[x₁ → unit 3]")?.title,
      color: getComputedStyle(find("W_i[x₁ → unit 3]")).backgroundColor,
      details: document.querySelectorAll("details summary").length,
      captions: document.querySelectorAll("table.dataframe caption").length,
      hostile: document.body.textContent.includes("<script>window.hacked=1</script>"),
    };
  });
  assertStringIncludes(seen.hover, "W_f[x₁ → unit 3] = ");
  assert(
    /^rgba\(\d+, \d+, \d+, 0\.\d+\)$/.test(seen.color),
    `colour behind a number: ${seen.color}`,
  );
  assertEquals(seen.details, 1);
  assert(seen.captions >= 6);
  assert(seen.hostile, "a hostile label is seen as text");
}

for (
  const { name, plotly, dark } of [
    { name: "JupyterLab", plotly: false, dark: false },
    { name: "JupyterLab with Python's plotly", plotly: true, dark: false },
    { name: "JupyterLab, dark", plotly: false, dark: true },
  ]
) {
  Deno.test(`${name} shows every view, trusted and untrusted`, async () => {
    await using lab = await startLab(needed, {
      plotly,
      dark,
      notebooks: { "trusted.ipynb": book, "untrusted.ipynb": strangers },
      trusted: ["trusted.ipynb"],
    });
    await using browser = await launch(needed.browser);
    const file = name.toLowerCase().replaceAll(/[^a-z]+/g, "_");
    await assertInteractive(await openPage(browser, lab.urlOf("trusted.ipynb")), `${file}_trusted`);
    if (!plotly) {
      const page = await openPage(browser, lab.urlOf("untrusted.ipynb"));
      await assertStill(page, `${file}_untrusted`);
    }
  });
}

Deno.test("nbconvert's HTML shows every view", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/book.ipynb`, book);
  await run(`${needed.bin}/jupyter-nbconvert`, "--to", "html", `${folder}/book.ipynb`);
  await using browser = await launch(needed.browser);
  const url = `file://${folder}/book.html`;
  const watched = await openPage(browser, url);
  await assertInteractive(watched, "nbconvert");
  await assertSliderWorks(watched.page);

  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(url);
  await screenshot(page, "nbconvert_without_scripts");
  const count = await page.locator('img[src^="data:image/svg+xml"]').count();
  assertEquals(count, chartCount);

  const pages = await printedPages(await watched.page.pdf({ format: "A4" }));
  let last = 0;
  for (const [name, chart] of Object.entries(charts())) {
    if (name === "hostile") continue; // its labels are no words
    const at = pageOf(await toSvg(chart), pages, last);
    assert(at >= last, `${name} is printed whole, on one page`);
    last = at;
  }
  await Deno.remove(folder, { recursive: true });
});
