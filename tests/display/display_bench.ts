// What it costs to show something. Cold costs are a process of their own, start included.

import { heatmap, lineChart, table, Tensor } from "@gatescope/lstm";
import { JUPYTER_DISPLAY } from "../../lib/display/view.ts";

const numbers = (rows: number, columns: number) =>
  new Tensor(
    Float64Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 12.9898)),
    [rows, columns],
  );
const small = numbers(12, 8);
const trace = numbers(100, 256);
const matrix = numbers(32, 32);

Deno.bench("first chart, cold (at most 1.0 s)", { group: "cold", n: 5, warmup: 0 }, async () => {
  const code = `import { heatmap } from "@gatescope/lstm";
    await heatmap([[1, 2], [3, 4]])[Symbol.for("Jupyter.display")]();`;
  await process(code);
});

Deno.bench("mod.ts alone, cold", { group: "cold", n: 5, warmup: 0, baseline: true }, async () => {
  await process(`import "@gatescope/lstm";`);
});

Deno.bench("heatmap 12 × 8 (at most 150 ms)", { group: "chart" }, async () => {
  await heatmap(small, { rows: "t", columns: "unit" })[JUPYTER_DISPLAY]();
});

Deno.bench("lines 12 × 8", { group: "chart" }, async () => {
  await lineChart(small, { labels: "unit" })[JUPYTER_DISPLAY]();
});

Deno.bench("heatmap 100 × 256", { group: "chart" }, async () => {
  await heatmap(trace)[JUPYTER_DISPLAY]();
});

Deno.bench("table 32 × 32 (at most 5 ms)", { group: "table" }, async () => {
  await table(matrix, { maxRows: 32, maxColumns: 32 })[JUPYTER_DISPLAY]();
});

Deno.bench("table 32 × 32, cut and openable", { group: "table" }, async () => {
  await table(matrix)[JUPYTER_DISPLAY]();
});

async function process(code: string): Promise<void> {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--cached-only", `--config=${config}`, code],
    cwd: new URL("../../", import.meta.url),
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
