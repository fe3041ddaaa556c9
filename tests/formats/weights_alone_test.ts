// Keras's weights alone (weights_alone.py), and what is proposed for them. Tolerance: 1e-6.

import { assert, assertEquals, assertRejects } from "@std/assert";
import * as gatescope from "@gatescope/lstm";
import { loadModel, type Model, UnreadableFileError } from "@gatescope/lstm";
import { arraysOf, assertPredicts, formatFile } from "./loaded.ts";

const file = (name: string) => formatFile(`weights_alone/${name}`);
const values = await arraysOf(file("values.npz"));

/** What is proposed, run as it stands, and what is said of the arrays. */
async function proposed(name: string): Promise<{ model: Model; words: string; layers: string }> {
  const error = await assertRejects(() => loadModel(file(name)), UnreadableFileError);
  const [, call, layers, words] =
    /: (loadModel\(.*layers: (\[.*\]) \}\)) or model\.loadWeights\(source\), but none are given: (.*)$/
      .exec(error.message) ?? [];
  assert(call !== undefined, error.message);
  const names = Object.keys(gatescope);
  const run = new Function(...names, `return ${call}`);
  return { model: await run(...Object.values(gatescope)), words: words!, layers: layers! };
}

const LAYERS: Record<string, string> = {
  words: "[embedding({ inputDim: 11, outputDim: 4 }), conv1D({ filters: 6, kernelSize: 3 }), " +
    "batchNormalization(), gru({ units: 5, returnSequences: true }), layerNormalization(), " +
    "simpleRnn({ units: 3 }), dense({ units: 2 })]",
  before: "[bidirectional(gru({ units: 4, returnSequences: true, resetAfter: false })), " +
    "gru({ units: 3, useBias: false }), dense({ units: 2 })]",
  simple: "[simpleRnn({ units: 4 }), dense({ units: 2 })]",
};

for (const [name, layers] of Object.entries(LAYERS)) {
  for (const suffix of [".weights.h5", ".npz"]) {
    Deno.test(`what is proposed for Keras's ${name}${suffix}, run as it stands, predicts what Keras does`, async () => {
      const found = await proposed(`${name}${suffix}`);
      assertEquals(found.layers, layers);
      assertPredicts(found.model, values(`${name}_x`), values(`${name}_y`), name);
    });
  }
}

Deno.test("shapes that several layers have are said to be so", async () => {
  const { words } = await proposed("simple.npz");
  assertEquals(
    words,
    "arr_0 to arr_2 is a SimpleRNN of 4 units on 3 inputs, arr_3 to arr_4 a Dense of 2; " +
      "or arr_0 is an Embedding of 3 words, arr_1 to arr_2 a Dense of 4, arr_3 to arr_4 a Dense of 2",
  );
  const before = (await proposed("before.npz")).words;
  assert(before.includes("a GRU of 3 units on 8 inputs (resetAfter is not told)"), before);
});
