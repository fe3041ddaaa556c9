// The page of `deno task notebooks --html` in Chromium, from the notebooks as they are committed.

import { assert, assertEquals } from "@std/assert";
import { codeCells, joinLines, readNotebook } from "../../notebooks/notebook.ts";
import { writePage } from "../../notebooks/page.ts";
import { drawAll, drawnCharts, hacked, launch, screenshot } from "./browser.ts";
import { pageOf, printedPages } from "./printed.ts";
import { frontEnds } from "./setup.ts";

const needed = await frontEnds();
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
const pictures = outputs.flatMap((output) =>
  "data" in output && "image/svg+xml" in output.data
    ? [joinLines(output.data["image/svg+xml"] as string)]
    : []
);
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
    await page.waitForTimeout(500);
    assert((await drawnCharts(page)).length < 5, "charts wait until they come into view");
    await drawAll(page);
    await page.waitForTimeout(1000);
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

for (const drawn of [false, true]) {
  Deno.test(`On A4 each chart is whole on one page, its last tick inside, drawn before: ${drawn}`, async () => {
    await using browser = await launch(needed.browser);
    const page = await (await browser.newContext({ offline: true })).newPage();
    await page.goto(`file://${file}`);
    if (drawn) await drawAll(page);
    const pages = await printedPages(await page.pdf({ format: "A4" }));
    let last = 0;
    for (const svg of pictures) {
      const at = pageOf(svg, pages, last);
      const title = /<title>(.*?)<\/title>/.exec(svg)?.[1];
      assert(at >= last, `${title} is on one page, from page ${last} of ${pages.length} on`);
      last = at;
    }
  });
}

Deno.test("The page says what it is, leads to each notebook and back, and is no wider than the screen", async () => {
  await using browser = await launch(needed.browser);
  for (const width of [400, 900]) {
    const context = await browser.newContext({ offline: true, viewport: { width, height: 800 } });
    const page = await context.newPage();
    await page.goto(`file://${file}`);
    assertEquals(await page.locator("header li > a").count(), names.length);
    const about = await page.locator("header li p").allTextContents();
    assert(about.every((text) => text.length > 40), "each says what it is about");
    await page.locator("nav > details > summary").click();
    await page.locator("nav > details > ol > li > a").nth(2).click();
    assertEquals(await page.locator("nav > details").getAttribute("open"), null);
    const { y } = (await page.locator("section").nth(2).boundingBox())!;
    assert(y >= 0 && y < 400, `the notebook is in view: ${y}`);
    await page.locator("nav > a").click();
    await page.waitForTimeout(200);
    const found = await page.evaluate(() => {
      // deno-lint-ignore no-explicit-any
      const { document, scrollY } = globalThis as any;
      return [scrollY, document.documentElement.scrollWidth];
    });
    assertEquals(found, [0, width]);
    await context.close();
  }
});

Deno.test("The page of all notebooks shows pictures where no script runs", async () => {
  await using browser = await launch(needed.browser);
  const context = await browser.newContext({ javaScriptEnabled: false, offline: true });
  const page = await context.newPage();
  await page.goto(`file://${file}`);
  const shown = page.locator('img[src^="data:image/svg+xml"]');
  assertEquals(await shown.count(), chartCount);
});
