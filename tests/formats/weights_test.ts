// Files of weights alone. Tolerance: 1e-6, relative where values are above 1.

import { assertEquals, assertRejects } from "@std/assert";
import {
  activation,
  bidirectional,
  dense,
  dropout,
  embedding,
  type Layer,
  loadModel,
  loadNpz,
  lstm,
  saveNpz,
  sequential,
  timeDistributed,
  UnreadableFileError,
} from "@gatescope/lstm";
import { arraysOf, assertPredicts, formatFile } from "./loaded.ts";

const stacked = [
  lstm({ units: 5, returnSequences: true }),
  lstm({ units: 7 }),
  dense({ units: 2, activation: "softmax" }),
];
const arrays = await arraysOf(formatFile("../layers/stacked.npz"));

for (const file of ["stacked.weights.h5", "stacked.h5", "stacked.keras"]) {
  Deno.test(`model.loadWeights() takes the weights of Keras's ${file}`, async () => {
    const model = sequential(stacked, { inputShape: [6, 3] });
    await model.loadWeights(formatFile(`keras/${file}`));
    assertPredicts(model, arrays("x"), arrays("prediction"), file);
    const loaded = await loadModel(formatFile(`keras/${file}`), { layers: stacked });
    assertPredicts(loaded, arrays("x"), arrays("prediction"), file);
    assertEquals(loaded.inputShape, [null, 3]);
  });
}

for (const file of ["stacked.h5", "stacked.keras"]) {
  Deno.test(`loadModel() gives none of ${file}'s arrays to a layer without weights, and leaves none over`, async () => {
    const [first, ...others] = stacked;
    const layers = [first!, timeDistributed(dropout({ rate: 0.5 })), ...others];
    const loaded = await loadModel(formatFile(`keras/${file}`), { layers });
    assertPredicts(loaded, arrays("x"), arrays("prediction"), file);
    await assertRejects(
      () => loadModel(formatFile(`keras/${file}`), { layers: [first!] }),
      UnreadableFileError,
      "each of its arrays must belong to a layer, but 2 more layers have some",
    );
  });
}

for (
  const [name, layers, inputShape] of [
    ["bidirectional_stacked", [
      bidirectional(lstm({ units: 5, returnSequences: true })),
      bidirectional(lstm({ units: 3 }), { mergeMode: "ave" }),
      dense({ units: 2, activation: "softmax" }),
    ], [6, 7]],
    ["activation_layer", [lstm({ units: 5 }), dense({ units: 2 }), activation("softmax")], [6, 3]],
  ] as [string, Layer[], number[]][]
) {
  Deno.test(`model.loadWeights() takes ${name}.weights.h5 by Keras's groups`, async () => {
    const expected = await arraysOf(formatFile(`../layers/${name}.npz`));
    const model = sequential(layers, { inputShape });
    await model.loadWeights(formatFile(`keras/${name}.weights.h5`));
    assertPredicts(model, expected("x"), expected("prediction"), name);
  });
}

Deno.test("model.loadWeights() takes np.savez(f, *model.get_weights())", async () => {
  const file = await Deno.makeTempFile({ suffix: ".npz" });
  await saveNpz(file, Array.from({ length: 8 }, (_, k) => arrays(`weights_${k}`)));
  const model = sequential(stacked, { inputShape: [6, 3] });
  await model.loadWeights(file);
  assertPredicts(model, arrays("x"), arrays("prediction"), file);
  assertEquals(model.provenance?.format, ".npz");
  await saveNpz(file, [...(await loadNpz(file)).values()].slice(1));
  const before = model.getWeights();
  await assertRejects(() => model.loadWeights(file), UnreadableFileError, "must be arr_0 to arr_7");
  assertEquals(model.getWeights(), before);
  await Deno.remove(file);
});

Deno.test("loadModel() gives PyTorch's modules to layers, by their shape or their name", async () => {
  const softmax = { units: 2, activation: "softmax" } as const;
  const expected = await arraysOf(formatFile("pytorch/classifier.npz"));
  for (const name of [undefined, "fc"]) {
    const layers = [lstm({ units: 5 }), dense({ ...softmax, name })];
    const model = await loadModel(formatFile("pytorch/classifier.safetensors"), { layers });
    assertPredicts(model, expected("x"), expected("prediction"), "classifier");
    assertEquals(model.provenance?.arrays.at(-1)?.from, "fc.bias");
  }
  const tagger = await arraysOf(formatFile("pytorch/tagger.npz"));
  const model = await loadModel(formatFile("pytorch/tagger.safetensors"), {
    layers: [
      embedding({ inputDim: 11, outputDim: 4 }),
      lstm({ units: 5, returnSequences: true }),
      dense({ units: 3 }),
    ],
  });
  assertPredicts(model, tagger("x"), tagger("prediction"), "tagger");
  const lastState = await arraysOf(formatFile("pytorch/last_state.npz"));
  const two = await loadModel(formatFile("pytorch/last_state.safetensors"), {
    layers: [
      lstm({ units: 5, returnSequences: true }),
      lstm({ units: 5 }),
      dense({ units: 2, activation: "sigmoid" }),
    ],
  });
  assertPredicts(two, lastState("x"), lastState("prediction"), "last_state");
});

Deno.test("loadModel() gives encoder and decoder their own weights: by name, by shape, never by the alphabet", async () => {
  const open = async (stem: string, ...layers: Layer[]) => {
    const expected = await arraysOf(formatFile(`pytorch/${stem}.npz`));
    const model = await loadModel(formatFile(`pytorch/${stem}.safetensors`), { layers });
    assertPredicts(model, expected("x"), expected("prediction"), stem);
  };
  const sequence = (units: number, name?: string) => lstm({ units, name, returnSequences: true });
  const out = dense({ units: 2 });
  await open("encoder_decoder", sequence(3, "encoder"), sequence(3, "decoder"), out);
  await open("encoder_decoder", sequence(3, "encoder"), sequence(3), out); // the other remains
  await open("encoder_decoder", sequence(3), sequence(3, "decoder"), out);
  await open("encoder_decoder_sizes", sequence(4), sequence(6), out);
  await assertRejects(
    () => open("encoder_decoder", sequence(3), sequence(3), out),
    UnreadableFileError,
    'each layer must have its module\'s name (as in { name: "decoder" })',
  );
  await open("twelve", ...Array.from({ length: 12 }, () => sequence(2))); // lstms.0, lstms.1, lstms.10
});

Deno.test("loadModel() reads a state_dict that np.savez wrote", async () => {
  const expected = await arraysOf(formatFile("pytorch/encoder_decoder_sizes.npz"));
  const model = await loadModel(formatFile("pytorch/state_dict.npz"), {
    layers: [
      lstm({ units: 4, returnSequences: true }),
      lstm({ units: 6, returnSequences: true }),
      dense({ units: 2 }),
    ],
  });
  assertPredicts(model, expected("x"), expected("prediction"), "state_dict.npz");
  assertEquals(model.provenance?.gateOrder, "i f g o");
});

Deno.test("loadModel() guesses no activation: files of weights alone need layers", async () => {
  const npz = formatFile("../layers/stacked.npz");
  const weights = formatFile("keras/stacked.weights.h5");
  for (const file of [npz, weights]) {
    await assertRejects(
      () => loadModel(file),
      UnreadableFileError,
      "model.loadWeights(source)",
    );
  }
});

Deno.test("model.loadWeights() refuses weights of other layers, and changes nothing", async () => {
  const model = sequential([lstm({ units: 4 }), dense({ units: 2 })], { inputShape: [6, 3] });
  const before = model.getWeights();
  for (
    const file of [
      "keras/stacked.weights.h5",
      "keras/stacked.h5",
      "keras/no_bias.keras",
      "pytorch/plain.safetensors",
      "onnx/forward.onnx",
    ]
  ) {
    await assertRejects(() => model.loadWeights(formatFile(file)), UnreadableFileError);
    assertEquals(model.getWeights(), before);
  }
});
