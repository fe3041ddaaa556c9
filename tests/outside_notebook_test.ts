// A notebook in somebody's own folder, with the package from a clone: the README's recipe.

import { assertEquals } from "@std/assert";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { executeNotebook } from "../notebooks/execution.ts";
import { codeCells } from "../notebooks/notebook.ts";
import { describeFailure } from "../notebooks/report.ts";
import { temporaryFolder, writeNotebook } from "./notebooks/temporary.ts";

const cloneUrl = new URL("../", import.meta.url);
const clone = fileURLToPath(cloneUrl);

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** The recipe; where JSR cannot be reached, with the clone's stand-ins besides. */
async function writeConfiguration(folder: string): Promise<void> {
  const recipe = {
    links: [cloneUrl.href], // a path will do as well, on Windows a relative one
    imports: { "@gatescope/lstm": "jsr:@gatescope/lstm@^0.1.0" },
  };
  const standsIn = await exists(join(clone, "vendor/jsr.io/@std/path/stand_in.txt"));
  if (standsIn) await cp(join(clone, "vendor"), join(folder, "vendor"), { recursive: true });
  const configuration = standsIn ? { ...recipe, vendor: true, nodeModulesDir: "none" } : recipe;
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(configuration));
}

Deno.test("a notebook outside the clone uses the package through links in its own deno.json", async () => {
  await using folder = await temporaryFolder();
  await writeConfiguration(folder.path);
  const data = join(clone, "notebooks/data/experiment1_tanh_sigmoid.npz");
  await Deno.copyFile(data, join(folder.path, "weights.npz"));
  const path = await writeNotebook(
    folder.path,
    "my_lstm",
    `import { loadNpz, saveNpz, splitGates, table } from "@gatescope/lstm";
const weights = await loadNpz("weights.npz");
table(weights.get("arr_0")!)`,
    `await saveNpz("gates.npz", Object.values(splitGates(weights.get("arr_2")!)));
[...(await loadNpz("gates.npz")).values()].map(({ shape }) => shape.join()).join(" ")`,
  );

  const execution = await executeNotebook(path);

  const { failure, notebook } = execution;
  assertEquals(failure && describeFailure("my_lstm", failure), undefined);
  const [shown, saved] = codeCells(notebook).map(({ outputs }) =>
    outputs.map((output) => "data" in output ? output.data : output)
  );
  assertEquals(shown?.map((data) => Object.keys(data).sort()), [["text/html", "text/plain"]]);
  assertEquals(saved, [{ "text/plain": `\x1b[32m"8 8 8 8"\x1b[39m` }]);
});
