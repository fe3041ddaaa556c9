// The page of `deno task notebooks --html` in Chromium, from the notebooks as they are committed.

import { assert, assertEquals } from "@std/assert";
import { codeCells, readNotebook } from "../../notebooks/notebook.ts";
import { writePage } from "../../notebooks/page.ts";
import { drawnCharts, hacked, launch, screenshot } from "./browser.ts";
import { frontEnds } from "./setup.ts";

const needed = await frontEnds();
/** Within margins of a centimetre, in CSS pixels. */
const A4 = { width: 718, height: 1047 };
const folder = new URL("../../notebooks/", import.meta.url).pathname;
const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
  .filter((name) => name.endsWith(".ipynb")).sort();
const notebooks = await Promise.all(names.map(async (name) => ({
  name: name.replace(".ipynb", ""),
  notebook: await readNotebook(`${folder}/${name}`),
})));
const outputs = notebooks.flatMap(({ notebook }) => codeCells(notebook)).flatMap((cell) =>
  cell.outputs
);
const chartCount =
  outputs.filter((output) => "data" in output && "application/vnd.plotly.v1+json" in output.data)
    .length;
const file = await Deno.makeTempFile({ suffix: ".html" });
globalThis.addEventListener("unload", () => Deno.removeSync(file));
await Deno.writeTextFile(file, await writePage(notebooks));

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test(`The page of all notebooks draws each chart, ${colorScheme}, without a network`, async () => {
    await using browser = await launch(needed.browser);
    const context = await browser.newContext({
      colorScheme,
      offline: true,
      viewport: { width: 1400, height: 1000 },
    });
    const page = await context.newPage();
    const errors: string[] = [];
    const asked: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) errors.push(message.text());
    });
    page.on("request", (request) => {
      if (!/^(?:data|blob|file):/.test(request.url())) asked.push(request.url());
    });
    await page.goto(`file://${file}`);
    await page.locator(".js-plotly-plot .main-svg").nth(chartCount - 1)
      .waitFor({ state: "attached", timeout: 60_000 });
    await page.waitForTimeout(2000);
    await screenshot(page, `page_${colorScheme}`);
    const drawn = await drawnCharts(page);
    assert(chartCount > 20);
    assertEquals(drawn.length, chartCount);
    for (const { marks, width, height } of drawn) {
      assert(marks > 0 && width > 300 && height > 100, JSON.stringify(drawn));
    }
    assertEquals(await hacked(page), undefined);
    assertEquals(errors, []);
    assertEquals(asked, []);
    const broken = await page.evaluate(() => {
      // deno-lint-ignore no-explicit-any
      const { document } = globalThis as any;
      return [...document.querySelectorAll('a[href^="#"]')].map((a) => a.getAttribute("href"))
        .filter((href) => document.getElementById(decodeURIComponent(href.slice(1))) === null);
    });
    assertEquals(broken, [], "each link of the contents leads somewhere");
    assert(await page.locator("math").count() > 40);
    const sliders = page.locator("[data-gatescope-sliders]");
    for (const box of await sliders.all()) assert(await box.locator("input").count() > 0);
  });
}

Deno.test("On A4 each chart is printed as its picture: whole, no wider or taller than the paper", async () => {
  await using browser = await launch(needed.browser);
  const page = await (await browser.newContext({ offline: true, viewport: A4 })).newPage();
  await page.goto(`file://${file}`);
  await page.locator(".js-plotly-plot .main-svg").nth(chartCount - 1)
    .waitFor({ state: "attached", timeout: 60_000 });
  await page.emulateMedia({ media: "print" });
  const charts = await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any
    const { document, getComputedStyle } = globalThis as any;
    return [...document.querySelectorAll("[data-gatescope-chart]")].map((box) => {
      const { left, right, height } = box.querySelector("img").getBoundingClientRect();
      const screen = box.querySelector(".gatescope-screen");
      const breaks = getComputedStyle(box).breakInside;
      return { left, right, height, live: getComputedStyle(screen).display, breaks };
    });
  });
  assertEquals(charts.length, chartCount);
  for (const { left, right, height, live, breaks } of charts) {
    assert(left >= 0 && right <= A4.width && height > 50 && height <= A4.height, `${right}`);
    assertEquals([live, breaks], ["none", "avoid"]);
  }
  assert((await page.pdf({ format: "A4" })).length > 100_000);
});

Deno.test("The page of all notebooks shows pictures where no script runs", async () => {
  await using browser = await launch(needed.browser);
  const context = await browser.newContext({ javaScriptEnabled: false, offline: true });
  const page = await context.newPage();
  await page.goto(`file://${file}`);
  const pictures = page.locator('img[src^="data:image/svg+xml"]');
  assertEquals(await pictures.count(), chartCount);
});
