// The table of formats: what tells one, and that what is written is told as it.

import { assertEquals } from "@std/assert";
import { dense, loadModel, lstm, sequential } from "@gatescope/lstm";
import { formatOf, FORMATS } from "../../lib/formats/table.ts";
import { formatFile } from "./loaded.ts";

const FILES = [
  ["keras/no_bias.keras", ".keras"],
  ["keras/no_bias.h5", ".h5"],
  ["keras/stacked.weights.h5", ".h5"],
  ["pytorch/plain.safetensors", ".safetensors"],
  ["torch/checkpoint.pth", ".pth"],
  ["torch/plain_legacy.pt", ".pth"],
  ["pytorch/classifier.onnx", ".onnx"],
  ["tfjs/plain.json", "model.json"],
  ["../layers/go_backwards.npz", ".npz"],
] as const;

Deno.test("each format is told by its bytes, and none by those of another", () => {
  for (const [file, name] of FILES) {
    assertEquals(formatOf(Deno.readFileSync(formatFile(file))).name, name, file);
  }
  assertEquals(new Set(FILES.map(([, name]) => name)), new Set(FORMATS.map(({ name }) => name)));
});

for (const { name, save } of FORMATS) {
  if (save === undefined) continue;
  Deno.test(`what is written as ${name} is told and opened as ${name}`, async () => {
    const layers = [lstm({ units: 4 }), dense({ units: 2 })];
    const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
    const file = await Deno.makeTempFile();
    await save(file, model);
    assertEquals(formatOf(await Deno.readFile(file)).name, name);
    assertEquals((await loadModel(file)).provenance?.format, name);
    await Deno.remove(file);
  });
}
