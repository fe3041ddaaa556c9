// ONNX graphs that are no row of layers, node by node: what each operator makes of its inputs, by
// ONNX Runtime, with the file's own axes (tests/fixtures/formats/onnx_nodes.py, torch_idioms.py).
// Tolerance: 1e-6, relative where values are above 1.

import { loadModel, type Tensor } from "@gatescope/lstm";
import { assert } from "@std/assert";
import { arraysOf, difference, formatFile } from "./loaded.ts";

/** The models of a folder, each with what goes in and what comes out. */
async function casesOf(folder: string) {
  const arrays = await arraysOf(formatFile(`${folder}/expected.npz`));
  const files = [...Deno.readDirSync(formatFile(folder))].map(({ name }) => name);
  const list = (name: string, letter: string) => {
    const found: Tensor[] = [];
    for (;;) {
      try {
        found.push(arrays(`${name}/${letter}${found.length}`));
      } catch {
        return found;
      }
    }
  };
  return files.filter((file) => file.endsWith(".onnx")).sort().map((file) => {
    const name = file.slice(0, -".onnx".length);
    return { name, path: formatFile(`${folder}/${file}`), x: list(name, "x"), y: list(name, "y") };
  });
}

for (const { name, path, x, y } of await casesOf("onnx_nodes")) {
  Deno.test(`loadModel() predicts what ONNX Runtime makes of the nodes of ${name}, within 1e-6`, async () => {
    const model = await loadModel(path);
    const found = model.predictAll(x.length === 1 ? x[0]! : x);
    found.forEach((one, k) => {
      const off = difference(one, y[k]!);
      assert(off <= 1e-6, `result ${k} [${one.shape}] is off [${y[k]!.shape}] by ${off}`);
    });
  });
}
