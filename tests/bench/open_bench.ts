// How long a .keras of 50 MB takes to open, beside h5wasm's own read of the same arrays, in turns:
// in fresh processes, and again in one that has opened a file before.
// `deno run --allow-all --config deno.json tests/bench/open_bench.ts`

import { loadModel, lstm, saveKeras, sequential } from "@gatescope/lstm";
import { unzip } from "../../lib/files/zip.ts";
import { median } from "./table.ts";

const RUNS = 5;
const WANTED = 2; // times h5wasm's own read

/** The arrays of an HDF5 file, as h5wasm's own documentation reads them. */
async function readByH5wasm(path: string): Promise<number> {
  const h5wasm = await import("h5wasm");
  const { FS } = await h5wasm.ready;
  FS.writeFile("/own.h5", await Deno.readFile(path));
  const file = new h5wasm.File("/own.h5", "r");
  let numbers = 0;
  for (const name of file.paths()) {
    const found = file.get(name);
    if (found instanceof h5wasm.Dataset) numbers += (found.value as Float32Array).length;
  }
  file.close();
  FS.unlink("/own.h5");
  return numbers;
}

/** Milliseconds of each, after as many runs that do not count. */
async function time(what: string, path: string, before: number): Promise<number> {
  const run = () => what === "loadModel" ? loadModel(path) : readByH5wasm(path);
  for (let k = 0; k < before; k++) await run();
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** The same in a process of its own. */
async function timeAlone(what: string, path: string, before: number): Promise<number> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--quiet", "--no-check", `--config=deno.json`],
      ...[import.meta.filename!, what, path, String(before)],
    ],
    cwd: new URL("../../", import.meta.url).pathname,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return Number(new TextDecoder().decode(stdout));
}

async function compareAll(): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const model = sequential([lstm({ units: 1536 })], { inputShape: [null, 512], seed: 1 });
    const [keras, weights] = [`${folder}/model.keras`, `${folder}/model.weights.h5`];
    await saveKeras(keras, model);
    const bytes = await Deno.readFile(keras);
    await Deno.writeFile(weights, (await unzip(bytes)).get("model.weights.h5")!);
    for (const [before, shown] of [[0, "in a fresh process"], [2, "opened before"]] as const) {
      const ours: number[] = [], own: number[] = [];
      for (let k = 0; k < RUNS; k++) {
        ours.push(await timeAlone("loadModel", keras, before));
        own.push(await timeAlone("h5wasm", weights, before));
      }
      const ratio = median(ours) / median(own);
      console.log(
        `${(bytes.length / 1e6).toFixed(0)} MB .keras, ${shown}: loadModel ` +
          `${median(ours).toFixed(0)} ms, h5wasm alone ${median(own).toFixed(0)} ms, ` +
          `ratio ${ratio.toFixed(2)}, wanted under ${WANTED} (medians of ${RUNS})`,
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const [what, path, before] = Deno.args;
if (what === undefined) await compareAll();
else console.log(await time(what, path!, Number(before)));
