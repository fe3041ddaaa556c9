import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { formatNotebook, type Notebook, readNotebook } from "../../notebooks/notebook.ts";
import { notebookOf, temporaryFolder } from "./temporary.ts";

Deno.test("a notebook is written as Jupyter writes it: sorted keys, lists of lines, indented by 1", () => {
  const notebook = notebookOf("const a = 1;\na");
  const [cell] = notebook.cells;
  if (cell?.cell_type !== "code") throw new TypeError("a code cell");
  cell.outputs = [
    { output_type: "stream", name: "stdout", text: "ü\n" },
    {
      output_type: "display_data",
      data: {
        "text/html": "<b>\n</b>",
        "image/png": "iVBOR\n",
        "application/json": { b: 1, a: [] },
      },
      metadata: {},
    },
  ];
  assertEquals(
    formatNotebook({ ...notebook, metadata: {} }),
    `{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": null,
   "id": "cell-0",
   "metadata": {},
   "outputs": [
    {
     "name": "stdout",
     "output_type": "stream",
     "text": [
      "ü\\n"
     ]
    },
    {
     "data": {
      "application/json": {
       "a": [],
       "b": 1
      },
      "image/png": "iVBOR\\n",
      "text/html": [
       "<b>\\n",
       "</b>"
      ]
     },
     "metadata": {},
     "output_type": "display_data"
    }
   ],
   "source": [
    "const a = 1;\\n",
    "a"
   ]
  }
 ],
 "metadata": {},
 "nbformat": 4,
 "nbformat_minor": 5
}
`,
  );
});

Deno.test("reading and writing change nothing the second time", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "00_test.ipynb");
  const text = formatNotebook(notebookOf("a\n\nb\r\n", ""));
  await Deno.writeTextFile(path, text);
  assertEquals(formatNotebook(await readNotebook(path)), text);
});

Deno.test("a file that is no notebook is named", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "00_test.ipynb");
  const reading = async (text: string): Promise<Notebook> => {
    await Deno.writeTextFile(path, text);
    return await readNotebook(path);
  };
  await assertRejects(
    () => reading("{"),
    SyntaxError,
    `it must be JSON, but ${path} is not`,
  );
  for (const text of ["null", "[]", `{ "nbformat": 3 }`, `{ "nbformat": 4 }`]) {
    await assertRejects(() => reading(text), TypeError, `have cells, but ${path} is not`);
  }
});
