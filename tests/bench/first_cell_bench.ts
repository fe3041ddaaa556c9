// How long a reader waits for the first table: a fresh kernel, a warm cache, one cell.
// `deno run --allow-all tests/bench/first_cell_bench.ts`

import { fileURLToPath } from "node:url";
import { Kernel } from "../../notebooks/kernel.ts";

const runs = 5;
const wanted = 1500; // ms
const folder = fileURLToPath(new URL("../../notebooks/", import.meta.url));
const cell = `import { loadNpz, table } from "@gatescope/lstm";
const weights = await loadNpz("./data/experiment1_tanh_sigmoid.npz");
table(weights.get("arr_0")!)`;

/** Milliseconds from the request of the cell to its table. */
async function firstTable(): Promise<number> {
  await using kernel = await Kernel.start(folder);
  let shown: number | undefined;
  const start = performance.now();
  const reply = await kernel.execute(cell, {
    onOutput: ({ type, content }) => {
      if (type !== "execute_result") throw new Error(`a table, not ${JSON.stringify(content)}`);
      shown ??= performance.now();
    },
  });
  if (reply.status !== "ok" || shown === undefined) throw new Error("the cell showed no table");
  return shown - start;
}

await firstTable(); // warms the cache
const times: number[] = [];
for (let run = 0; run < runs; run++) times.push(await firstTable());
times.sort((a, b) => a - b);
const median = times[Math.floor(runs / 2)]!;
console.log(
  `first cell to its table: median ${median.toFixed(0)} ms of ${runs} ` +
    `(${times[0]!.toFixed(0)} … ${times.at(-1)!.toFixed(0)}), wanted under ${wanted}`,
);
if (median >= wanted) Deno.exit(1);
