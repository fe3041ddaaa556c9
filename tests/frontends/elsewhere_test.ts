// The package outside Deno: bundled as its users would, run in Node and in Chromium.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath, pathToFileURL } from "node:url";
import { run } from "../../notebooks/jupyter.ts";
import { launch, openPage } from "./browser.ts";
import { computed, FILES } from "./elsewhere.ts";
import { frontEnds } from "./setup.ts";

const needed = await frontEnds();
const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const bundle = `${folder}/bundle.mjs`;
const data = fileURLToPath(new URL("../../notebooks/data/", import.meta.url));
const entry = fileURLToPath(new URL("elsewhere.ts", import.meta.url));
await run(Deno.execPath(), "bundle", "--quiet", "--platform=browser", `--output=${bundle}`, entry);

type Results = Record<string, unknown>;

/** What is computed and drawn is the same everywhere; files are Deno's. */
async function assertWorks(results: Results): Promise<void> {
  const files = Object.fromEntries(FILES.map((name) => [name, Deno.readFileSync(data + name)]));
  const { path, keras, saveNpz, saveKeras, savePicture, toPng, onnx, ...rest } = results;
  const { equations, predict, safetensors, prove, fit, toSvg, gateView, table, text } = rest;
  assertEquals({ equations, predict, toSvg, gateView, table }, {
    ...{ equations: true, predict: true, toSvg: true, gateView: true, table: true },
  });
  const here = await computed(files as Parameters<typeof computed>[0]);
  assertEquals({ safetensors, fit, text }, { safetensors: 2, fit: 2, text: here.text });
  assert(prove === "equal" || prove === "rounding", `${prove}`);
  const difference = (onnx as number[][]).flat().map((value, k) =>
    Math.abs(value - (here.onnx as number[][]).flat()[k]!)
  );
  assert(Math.max(...difference) < 1e-6, `${difference}`); // float32, with and without fused steps
  assertEquals(
    path,
    "UnreadableFileError: Cannot read model.onnx: only Deno opens files, but this is not Deno " +
      "(give the file's bytes, or a URL that can be fetched)",
  );
  assertStringIncludes(
    `${keras}`,
    "h5wasm must read it, in a worker of Deno or Node, but there is none here",
  );
  for (
    const [error, action] of [[saveNpz, "write weights.npz"], [saveKeras, "write model.keras"]]
  ) {
    assertEquals(error, `Error: Cannot ${action}: only Deno writes files, but this is not Deno`);
  }
  assertEquals(
    savePicture,
    "Error: Cannot save a picture: only Deno writes files, but this is not Deno " +
      "(toSvg gives its text)",
  );
  assertEquals(
    toPng,
    "Error: Cannot draw a picture: only Deno draws PNGs, but this is not Deno " +
      "(toSvg gives the picture)",
  );
}

Deno.test("in a browser the equations, models and views work, and files are Deno's in one sentence", async () => {
  await using browser = await launch(needed.browser);
  const { page, errors } = await openPage(browser);
  const base = "http://elsewhere.test/";
  await page.route(`${base}**`, async (route) => {
    const name = route.request().url().slice(base.length);
    if (name === "bundle.mjs") {
      return await route.fulfill({ path: bundle, contentType: "text/javascript; charset=utf-8" });
    }
    if (name !== "") return await route.fulfill({ path: data + name });
    await route.fulfill({
      body: `<!doctype html><link rel="icon" href="data:,">`,
      contentType: "text/html",
    });
  });
  await page.goto(base);
  const results = await page.evaluate(async ([base, names]) => {
    const files: Record<string, Uint8Array> = {};
    for (const name of names) {
      files[name] = new Uint8Array(await (await fetch(base + name)).arrayBuffer());
    }
    const module = `${base}bundle.mjs`;
    const { computed, refused } = await import(module);
    return { ...await computed(files), ...await refused() };
  }, [base, FILES] as const);
  assertEquals(errors, []);
  await assertWorks(results);
});

const hasNode = await run("node", "--version").then(() => true, () => false);

Deno.test({
  name: "in Node the equations, models and views work, and files are Deno's in one sentence",
  ignore: !hasNode,
  async fn() {
    const program = `
      import { readFileSync, writeFileSync } from "node:fs";
      import { computed, FILES, refused } from ${JSON.stringify(pathToFileURL(bundle).href)};
      const bytes = (name) => new Uint8Array(readFileSync(${JSON.stringify(data)} + name));
      const files = Object.fromEntries(FILES.map((name) => [name, bytes(name)]));
      const results = { ...await computed(files), ...await refused() };
      writeFileSync(${JSON.stringify(`${folder}/results.json`)}, JSON.stringify(results));`;
    await Deno.writeTextFile(`${folder}/program.mjs`, program);
    await run("node", `${folder}/program.mjs`);
    await assertWorks(JSON.parse(await Deno.readTextFile(`${folder}/results.json`)));
  },
});
