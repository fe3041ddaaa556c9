// A real Chromium: pages that note what goes wrong in them, and screenshots to look at.

import { type Browser, chromium, type Page } from "playwright-core";
import { plotlyBundle } from "../../lib/display/plotly_page.ts";

const SCREENSHOTS = new URL("artefacts/", import.meta.url);

/** A page, and what went wrong in it. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors of scripts, and of loading what they ask for. */
  readonly errors: string[];
  /** How often Plotly was asked for. */
  readonly loads: string[];
}

/** Starts Chromium. */
export async function launch(executablePath: string): Promise<Browser> {
  return await chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** Opens a page that gets Plotly from here instead of its CDN: the same bytes, without a network. */
export async function openPage(browser: Browser, url = "about:blank"): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport: { width: 1100, height: 5200 } });
  const errors: string[] = [];
  const loads: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("dialog", async (dialog) => {
    errors.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  const body = await plotlyBundle();
  await page.route("https://cdn.plot.ly/**", async (route) => {
    loads.push(route.request().url());
    await route.fulfill({
      body,
      contentType: "text/javascript; charset=utf-8",
      headers: { "access-control-allow-origin": "*" },
    });
  });
  await page.goto(url);
  return { page, errors, loads };
}

/** Keeps a screenshot in `tests/frontends/artefacts/`. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await Deno.mkdir(SCREENSHOTS, { recursive: true });
  const noKernel = page.locator(".jp-Dialog button", { hasText: "No Kernel" });
  if (await noKernel.isVisible()) await noKernel.click();
  await page.screenshot({ path: new URL(`${name}.png`, SCREENSHOTS).pathname, fullPage: true });
}

/** What a chart in a page shows. */
export interface DrawnChart {
  /** Cells, lines, bars: what stands for numbers. */
  readonly marks: number;
  readonly width: number;
  readonly height: number;
}

/** The interactive charts of a page, with their marks counted. */
export async function drawnCharts(page: Page): Promise<DrawnChart[]> {
  return await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any
    const all = [...(globalThis as any).document.querySelectorAll(".js-plotly-plot")];
    return all.map((chart) => {
      const { width, height } = chart.getBoundingClientRect();
      const marks = ".hm image, .scatterlayer .js-line, .barlayer .point path";
      return { marks: chart.querySelectorAll(marks).length, width, height };
    });
  });
}

/** The still pictures of a page: how many colours each shows, once it is decoded. */
export async function pictureColors(page: Page): Promise<number[]> {
  return await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any
    const { document } = globalThis as any;
    const found = [...document.querySelectorAll('img[src^="data:image/svg+xml;base64,"]')];
    return await Promise.all(found.map(async (image) => {
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    }));
  });
}

/** Whether something of a hostile label has run. */
export async function hacked(page: Page): Promise<unknown> {
  // deno-lint-ignore no-explicit-any
  return await page.evaluate(() => (globalThis as any).hacked);
}
