// How long a program waits for its first prediction: import, build and predict in a fresh process,
// whose modules are in Deno's cache. `deno run --allow-all --config deno.json tests/bench/first_prediction_bench.ts`

import { median } from "./table.ts";

const runs = 15;
const wanted = 60; // ms
const program = `
  const start = performance.now();
  const { dense, lstm, sequential } = await import("@gatescope/lstm");
  const layers = [lstm({ units: 8 }), dense({ units: 10, activation: "softmax" })];
  const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
  model.predict([[[0, 1], [2, 3], [4, 5]]]);
  console.log(performance.now() - start);`;
const root = new URL("../../", import.meta.url).pathname;
const file = await Deno.makeTempFile({ dir: root, prefix: ".first-prediction-", suffix: ".ts" });

/** Milliseconds inside the process. */
async function firstPrediction(): Promise<number> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", file],
    cwd: root,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return Number(decoder.decode(stdout));
}

try {
  await Deno.writeTextFile(file, program);
  await firstPrediction(); // warms the cache
  const times: number[] = [];
  for (let run = 0; run < runs; run++) times.push(await firstPrediction());
  console.log(
    `import, build and first prediction: median ${median(times).toFixed(0)} ms of ${runs} ` +
      `(${Math.min(...times).toFixed(0)} … ${
        Math.max(...times).toFixed(0)
      }), wanted under ${wanted}`,
  );
} finally {
  await Deno.remove(file);
}
