// A real Chromium: pages that note what goes wrong in them, and screenshots to look at.

import { type Browser, chromium, type Page } from "playwright-core";
import { plotlyBundle } from "../../lib/display/plotly_bundle.ts";

const SCREENSHOTS = new URL("artefacts/", import.meta.url);

/** nbconvert's template asks for these, with or without our outputs; tests have no network. */
const NOT_OURS = /^https:\/\/cdnjs\.cloudflare\.com\/ajax\/libs\/(?:mathjax|require\.js)\//;

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
    const { url } = message.location();
    if (message.type() === "error" && !NOT_OURS.test(url)) {
      errors.push(`${message.text()} (${url})`);
    }
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
  await page.screenshot({
    path: new URL(`${name}.png`, SCREENSHOTS).pathname,
    fullPage: true,
    timeout: 120_000,
  });
}

/** Asserts something of a page as often as it takes to hold: ten seconds, on a busy machine too. */
export async function eventually(assertion: () => Promise<void>): Promise<void> {
  for (const end = Date.now() + 10_000;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
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

/** Scrolls to each chart, so that each is drawn: they wait until they come near the screen. */
export async function drawAll(page: Page): Promise<void> {
  await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any
    for (const box of (globalThis as any).document.querySelectorAll("[data-gatescope-chart]")) {
      box.scrollIntoView({ block: "center" });
      for (let waited = 0; waited < 10_000 && !box.querySelector(".main-svg"); waited += 20) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    // deno-lint-ignore no-explicit-any
    (globalThis as any).scrollTo(0, 0);
  });
  await page.waitForTimeout(500);
}

/**
 * What of the charts' texts lies on another text, under the buttons or outside its chart; each with
 * where it is, for the message of a test.
 */
export async function unreadableTexts(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const found: string[] = [];
    // deno-lint-ignore no-explicit-any
    for (const chart of (globalThis as any).document.querySelectorAll(".js-plotly-plot") as any[]) {
      const name = chart.closest("section")?.id ?? "a chart";
      const area = chart.querySelector(".main-svg").getBoundingClientRect();
      const buttons = chart.querySelector(".modebar")?.getBoundingClientRect();
      // deno-lint-ignore no-explicit-any
      const texts = [...chart.querySelectorAll(".main-svg text")].filter((text: any) =>
        text.textContent.trim() !== "" && !text.closest(".hoverlayer") &&
        !/rotate\(-?[1-8]\d?[,.]/.test(text.getAttribute("transform") ?? "") // slanted: no box
      ).map((text) => ({ text: text.textContent.trim(), box: text.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0);
      // deno-lint-ignore no-explicit-any
      const over = (a: any, b: any) =>
        Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4;
      texts.forEach(({ text, box }, k) => {
        for (const other of texts.slice(k + 1)) {
          if (over(box, other.box)) found.push(`${name}: "${text}" over "${other.text}"`);
        }
        if (buttons && buttons.width > 0 && over(box, buttons)) {
          found.push(`${name}: "${text}" under the buttons`);
        }
        if (
          box.left < area.left - 2 || box.right > area.right + 2 ||
          box.top < area.top - 2 || box.bottom > area.bottom + 2
        ) found.push(`${name}: "${text}" outside its chart`);
      });
    }
    return found;
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
