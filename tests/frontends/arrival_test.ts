// No output is lost or stands under another cell: a notebook of one's own, in the clients that go by
// the kernel's "idle". Without the wait of lib/display/jupyter.ts, `jupyter execute` loses 8 of 100
// outputs and Run All puts 4 of 100 under the next cell. That wait is of 50 ms: no other front end runs
// beside this (deno task test:frontends), since a machine with ten programs at work may take longer.

import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { run, writeKernelspec } from "../../notebooks/jupyter.ts";
import { formatNotebook, type Notebook } from "../../notebooks/notebook.ts";
import { notebookOf } from "../notebooks/temporary.ts";
import { launch, openPage } from "./browser.ts";
import { startLab } from "./jupyterlab.ts";
import { frontEnds } from "./setup.ts";

const EXECUTIONS = 11;
const RUNS = 20;
const needed = await frontEnds();

const FIRST = `import {
  dense, gateView, heatmap, lineChart, lstm, lstmForward, sequential, table, tensor, trace,
} from "@gatescope/lstm";
const model = sequential([lstm({ units: 8 }), dense({ units: 2 })], { inputShape: [3, 2], seed: 1 });
const { layers } = trace(model, [[[0, 1], [2, 3], [4, 5]]]);
`;
/** What a cell ends with; each shows the cell's mark, a number from 7000. */
const ENDS: readonly ((mark: number) => string)[] = [
  (mark) => `tensor([${mark}, 1])`,
  (mark) => `table([[1, 2]], { caption: "${mark}" })`,
  (mark) => `lineChart([1, 2, 3], { title: "${mark}" })`,
  (mark) => `gateView(layers[0], { title: "${mark}" })`,
  (mark) => `${mark}`,
  (mark) => `console.log("${mark}");`,
];
const cells = Array.from({ length: 20 }, (_, k) => {
  return (k === 0 ? FIRST : "") + ENDS[k % ENDS.length]!(7000 + k);
});
const book = formatNotebook(notebookOf(...cells));

/** The marks that each cell's outputs show. */
function marksOf(notebook: Notebook): string[][] {
  return notebook.cells.map((cell) =>
    cell.cell_type === "code"
      ? cell.outputs.map((output) => {
        const text = "data" in output ? output.data["text/plain"] : output;
        return /70[01]\d/.exec(JSON.stringify(text))?.[0] ?? "no mark";
      })
      : []
  );
}
const expected = cells.map((_, k) => [`${7000 + k}`]);

Deno.test(`jupyter execute loses no output of ${EXECUTIONS} times ${cells.length} cells`, async () => {
  const executed = fileURLToPath(new URL("../../notebooks/executed/", import.meta.url));
  await Deno.mkdir(executed, { recursive: true }); // the kernel finds deno.json from there upwards
  const folder = await Deno.makeTempDir({ dir: executed });
  try {
    const paths = Array.from({ length: EXECUTIONS }, (_, k) => `${folder}/${k}.ipynb`);
    await Promise.all(paths.map((path) => Deno.writeTextFile(path, book)));
    const kernels = `JUPYTER_PATH=${await writeKernelspec()}`;
    const jupyter = ["env", kernels, `${needed.bin}/jupyter-execute`, "--inplace"];
    const halves = [paths.filter((_, k) => k % 2 === 0), paths.filter((_, k) => k % 2 === 1)];
    await Promise.all(halves.map((half) => run(...jupyter, ...half))); // two at a time
    for (const path of paths) {
      assertEquals(marksOf(JSON.parse(await Deno.readTextFile(path))), expected);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test(`JupyterLab's Run All puts each output under its cell, ${RUNS} times`, async () => {
  await using lab = await startLab(needed, {
    kernel: true,
    notebooks: { "book.ipynb": book },
    trusted: ["book.ipynb"],
  });
  await using browser = await launch(needed.browser);
  const { page } = await openPage(browser, lab.urlOf("book.ipynb"));
  await page.getByText("Deno | Idle").waitFor({ timeout: 120_000 });
  for (let k = 0; k < RUNS; k++) {
    const notebook = await page.evaluate(async () => {
      // deno-lint-ignore no-explicit-any
      const app = (globalThis as any).jupyterapp;
      await app.commands.execute("notebook:run-all-cells");
      await new Promise((resolve) => setTimeout(resolve, 200)); // for what is late
      return app.shell.currentWidget.content.model.toJSON();
    });
    assertEquals(marksOf(notebook), expected, `run ${k + 1}`);
  }
});
