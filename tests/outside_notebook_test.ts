// A notebook in somebody's own folder, with the package from a clone: the README's recipe.

import { loadNpy } from "@gatescope/lstm";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { executeNotebook } from "../notebooks/execution.ts";
import { codeCells } from "../notebooks/notebook.ts";
import { describeFailure } from "../notebooks/report.ts";
import { temporaryFolder, writeNotebook } from "./notebooks/temporary.ts";

const clone = fileURLToPath(new URL("../", import.meta.url));

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

const readme = await Deno.readTextFile(join(clone, "README.md"));

/** The README's code blocks of a language, as they stand. */
function blocksOf(language: string): string[] {
  return [...readme.matchAll(/^```(.*)\n([^]*?)^```/gm)]
    .filter(([, fence]) => fence === language).map(([, , code]) => code!);
}

/**
 * A folder beside the clone with the README's own `deno.json`; where JSR cannot be reached, with the
 * clone's stand-ins besides.
 */
async function folderOfReader(parent: string): Promise<string> {
  const folder = join(parent, "mine");
  await Deno.mkdir(folder);
  await Deno.symlink(clone, join(parent, "gatescope"), { type: "junction" });
  const [recipe] = blocksOf("json");
  const standsIn = await exists(join(clone, "vendor/jsr.io/@std/path/stand_in.txt"));
  if (standsIn) await cp(join(clone, "vendor"), join(folder, "vendor"), { recursive: true });
  const more = standsIn ? { vendor: true, nodeModulesDir: "none" } : {};
  const configuration = { ...JSON.parse(recipe!), ...more };
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(configuration));
  const data = join(clone, "notebooks/data/experiment1_tanh_sigmoid.npz");
  await Deno.copyFile(data, join(folder, "weights.npz"));
  return folder;
}

Deno.test("the README's ten lines and the next one run as they stand, in a folder with its deno.json", async () => {
  await using parent = await temporaryFolder();
  const folder = await folderOfReader(parent.path);
  const [tenLines, nextLine] = blocksOf("ts ignore");
  const path = await writeNotebook(
    folder,
    "my_lstm",
    tenLines!,
    nextLine!,
    `import { saveNpz, splitGates, toPng } from "@gatescope/lstm";
const png = await toPng(lineChart([1, 2]));
await saveNpz("gates.npz", Object.values(splitGates(bias)));
[...(await loadNpz("gates.npz")).values()].map(({ shape }) => shape.join()).join(" ") +
  String.fromCharCode(...png.subarray(1, 4))`,
  );

  const execution = await executeNotebook(path);

  const { failure, notebook } = execution;
  assertEquals(failure && describeFailure("my_lstm", failure), undefined);
  const [ten, next, saved] = codeCells(notebook).map(({ outputs }) =>
    outputs.map((output) => "data" in output ? output.data : { stream: output })
  );
  const [printed, chart] = ten!;
  const keras = await loadNpy(
    join(clone, "notebooks/data/experiment1_tanh_sigmoid_prediction.npy"),
  );
  const shown = [...JSON.stringify(printed).matchAll(/0\.\d{3,}/g)].map(Number).slice(-2);
  assertEquals(shown, Array.from(keras.at(0).data, (p) => Number(p.toFixed(4))));
  assertEquals(next!.length, 1);
  for (const bundle of [chart!, next![0]!]) {
    assertStringIncludes(Object.keys(bundle).join(), "application/vnd.plotly.v1+json");
  }
  assertEquals(saved, [{ "text/plain": `\x1b[32m"8 8 8 8PNG"\x1b[39m` }]);
});
