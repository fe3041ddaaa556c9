// The notebooks of the repository, on the real Deno kernel, as `deno task notebooks` runs them.

import { assert, assertEquals } from "@std/assert";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { executeNotebook } from "../notebooks/execution.ts";
import { codeCells, formatNotebook, readNotebook } from "../notebooks/notebook.ts";
import { describeFailure } from "../notebooks/report.ts";
import { differences } from "./notebooks/same_outputs.ts";

const save = "deno task notebooks --save";
const folder = new URL("../notebooks/", import.meta.url);
const files = [...Deno.readDirSync(folder)].map(({ name }) => name)
  .filter((name) => name.endsWith(".ipynb")).sort();

Deno.test("the notebooks are numbered from 00, with no gap and none twice", () => {
  assert(files.length > 0);
  const numbers = files.map((_, k) => String(k).padStart(2, "0"));
  assertEquals(files.map((file) => file.split("_")[0]), numbers);
});

/**
 * What `deno fmt` makes of a notebook. `deno fmt --check` is of no use here: Deno 2.9.6 complains of
 * every cell whose text does not end in a line break, as Jupyter's don't, and would change nothing.
 */
async function formatted(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "ipynb", "-"],
    cwd: new URL("../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const [output] = await Promise.all([
    child.output(),
    new Blob([text]).stream().pipeTo(child.stdin),
  ]);
  return new TextDecoder().decode(output.stdout);
}

for (const file of files) {
  const name = basename(file, ".ipynb");
  const path = fileURLToPath(new URL(file, folder));

  Deno.test(`${name} opens without a question in every front end`, async () => {
    const { metadata, nbformat, nbformat_minor, cells } = await readNotebook(path);
    assertEquals(metadata.kernelspec, {
      display_name: "Deno",
      language: "typescript",
      name: "deno",
    });
    assertEquals(metadata.language_info?.name, "typescript");
    assertEquals([nbformat, nbformat_minor], [4, 5]);
    assertEquals(new Set(cells.map(({ id }) => id)).size, cells.length, "each cell has its own id");
  });

  Deno.test(`${name} is formatted, and stored with its outputs as the runner stores it`, async () => {
    // A checkout on Windows may have other line ends.
    const text = (await Deno.readTextFile(path)).replaceAll("\r\n", "\n");
    const notebook = await readNotebook(path);
    assert(codeCells(notebook).some(({ outputs }) => outputs.length > 0), `no outputs: ${save}`);
    assert(formatNotebook(notebook) === text, `stored otherwise: ${save}`);
    assert(text.length < 500_000, "GitHub shows smaller notebooks only");
    assert(
      await formatted(text) === text,
      "not formatted: deno fmt --no-config --line-width 100 notebooks/*.ipynb",
    );
  });

  Deno.test(`${name} runs on the Deno kernel without an error, and shows what it is stored with`, async () => {
    const execution = await executeNotebook(path);
    const { failure } = execution;
    assertEquals(failure && describeFailure(name, failure), undefined);
    const executed = JSON.parse(formatNotebook(execution.notebook)); // its keys in stored order
    assertEquals(differences(await readNotebook(path), executed), [], save);
  });
}
