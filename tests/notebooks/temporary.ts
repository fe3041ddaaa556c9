// Notebooks in a folder that is gone after the test.

import { join } from "node:path";
import { formatNotebook, type Notebook } from "../../notebooks/notebook.ts";

/** A folder that lives as long as its `await using`. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await Deno.makeTempDir({ prefix: "gatescope-notebooks-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** A notebook of code cells, as a front end would have made it. */
export function notebookOf(...sources: string[]): Notebook {
  return {
    cells: sources.map((source, k) => ({
      cell_type: "code",
      id: `cell-${k}`,
      metadata: {},
      source,
      execution_count: null,
      outputs: [],
    })),
    metadata: {
      kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
      language_info: { name: "typescript" },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
}

/** Writes a notebook of code cells, and returns its path. */
export async function writeNotebook(
  folder: string,
  name: string,
  ...sources: string[]
): Promise<string> {
  const path = join(folder, `${name}.ipynb`);
  await Deno.writeTextFile(path, formatNotebook(notebookOf(...sources)));
  return path;
}
