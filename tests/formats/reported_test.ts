// Models that failed for people, each with what its framework predicts
// (tests/fixtures/formats/reported): one folder a report.

import { loadModel, loadNpy, saveKeras } from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { formatFile } from "./loaded.ts";

/** By folder: the model's file, and how far its own framework is off. */
const REPORTED: Readonly<Record<string, readonly [file: string, tolerance: number]>> = {
  cudnn: ["model.h5", 1e-6], // CuDNNLSTM: keras#8860, keras#11785
  cudnn_bidirectional: ["model.h5", 1e-6],
  rnn_of_lstm_cell: ["model.keras", 1e-6], // RNN(LSTMCell): tensorflow#29622
  last_by_index: ["model.keras", 1e-6], // lstm(x)[:, -1, :]
  mixed_float16: ["model.keras", 2e-3], // keras#14047: its own sums are of 16 bits
  float16: ["model.keras", 2e-3],
  tfjs_uint8: ["model.json", 2e-6], // tensorflowjs_converter --quantize_uint8: keras#20750
  tfjs_float16: ["model.json", 2e-6],
};

for (const [name, [file, tolerance]] of Object.entries(REPORTED)) {
  Deno.test(`${name} opens, predicts what its framework does, and is written as .keras`, async () => {
    const folder = `reported/${name}`;
    const model = await loadModel(formatFile(`${folder}/${file}`));
    const x = await loadNpy(formatFile(`${folder}/x.npy`));
    const expected = await loadNpy(formatFile(`${folder}/expected.npy`));
    const found = model.predict(x);
    assertEquals(found.shape, expected.shape);
    found.data.forEach((value, k) => {
      const off = Math.abs(value - expected.data[k]!);
      assert(off <= tolerance, `at ${k}: ${value}, expected ${expected.data[k]}`);
    });
    const halves = model.provenance!.notes.filter((note) => note.startsWith("Computed in float32"));
    assertEquals(
      halves.length,
      name.endsWith("_float16") && !name.startsWith("tfjs") || name === "float16" ? 1 : 0,
    );
    const copy = await Deno.makeTempFile({ suffix: ".keras" });
    await saveKeras(copy, model);
    assertEquals((await loadModel(copy)).predict(x), found);
    await Deno.remove(copy);
  });
}
