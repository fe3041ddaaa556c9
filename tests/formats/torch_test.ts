// Files by torch.save, and what PyTorch computed. Tolerance: 1e-6, relative where values are above 1.

import { assert, assertEquals, assertRejects } from "@std/assert";
import * as gatescope from "@gatescope/lstm";
import {
  activation,
  bidirectional,
  dense,
  embedding,
  type Layer,
  loadModel,
  lstm,
  type Model,
  saveNpz,
  sequential,
  UnreadableFileError,
} from "@gatescope/lstm";
import { arraysOf, assertPredicts, difference, formatFile } from "./loaded.ts";

const file = (name: string) => formatFile(`torch/${name}`);

async function assertRight(model: Model, stem: string): Promise<void> {
  const expected = await arraysOf(file(`${stem}.npz`));
  assertPredicts(model, expected("x"), expected("prediction"), stem);
}

for (const name of ["plain.pth", "plain_legacy.pt", "plain_big_endian.pth"]) {
  Deno.test(`loadModel() predicts what PyTorch's nn.LSTM gives: ${name}, within 1e-6`, async () => {
    const model = await loadModel(file(name));
    await assertRight(model, "plain");
    assertEquals(model.provenance?.format, ".pth");
    assertEquals(model.provenance?.gateOrder, "i f g o");
  });
}

Deno.test("loadModel() opens a stacked nn.LSTM of both directions alone", async () => {
  await assertRight(await loadModel(file("bidirectional_stacked.pth")), "bidirectional_stacked");
});

const classifier = [lstm({ units: 5 }), dense({ units: 2, activation: "softmax" })];

for (const name of ["classifier.pth", "classifier_legacy.pt", "parameters.pth", "checkpoint.pth"]) {
  Deno.test(`loadModel() and model.loadWeights() take the arrays of ${name} for their layers`, async () => {
    await assertRight(await loadModel(file(name), { layers: classifier }), "classifier");
    const model = sequential(classifier, { inputShape: [6, 3] });
    await model.loadWeights(file(name));
    await assertRight(model, "classifier");
  });
}

Deno.test("loadModel() gives modules of the same shapes to layers in the order of the state_dict", async () => {
  const layers = [
    lstm({ units: 3, returnSequences: true }),
    lstm({ units: 3, returnSequences: true }),
    dense({ units: 3, activation: "tanh" }),
    dense({ units: 3 }),
  ];
  for (const name of ["translator.pth", "translator_parallel.pth"]) {
    await assertRight(await loadModel(file(name), { layers }), "translator");
  }
  const named = layers.with(1, lstm({ units: 3, name: "inner", returnSequences: true }));
  await assertRight(await loadModel(file("translator.pth"), { layers: named }), "translator");
  const swapped = layers.with(0, lstm({ units: 3, name: "inner", returnSequences: true }));
  const other = await loadModel(file("translator.pth"), { layers: swapped });
  const expected = await arraysOf(file("translator.npz"));
  assert(difference(other.predict(expected("x")), expected("prediction")) > 1e-3);
});

Deno.test("loadModel() opens words, two LSTMs of both directions and no bias", async () => {
  const layers = [
    embedding({ inputDim: 11, outputDim: 4 }),
    bidirectional(lstm({ units: 5, useBias: false, returnSequences: true })),
    bidirectional(lstm({ units: 5, useBias: false, returnSequences: true })),
    dense({ units: 3, useBias: false }),
  ];
  await assertRight(await loadModel(file("tagger.pth"), { layers }), "tagger");
});

Deno.test("loadModel() chooses a checkpoint's state_dict by its key, and lists the keys where none is given", async () => {
  const open = (name: string, key?: string) =>
    loadModel(file(name), { layers: classifier, ...(key === undefined ? {} : { key }) });
  await assertRight(await open("several.pth", "model"), "classifier");
  await assertRight(await open("several.pth", "ema.model"), "classifier_ema");
  await assertRight(await open("several_legacy.pt", "1"), "classifier_ema");
  await assertRight(await open("checkpoint.pth", "model_state_dict"), "classifier");
  const refuses = (work: () => Promise<unknown>, message: string) =>
    assertRejects(work, UnreadableFileError, message);
  const listed =
    `loadModel(source, { key: "model" }), but the checkpoint holds some under "model", ` +
    `"ema.model"`;
  await refuses(() => open("several.pth"), listed);
  await refuses(() => loadModel(file("several.pth")), listed);
  const model = sequential(classifier, { inputShape: [6, 3] });
  await refuses(() => model.loadWeights(file("several.pth")), listed);
  await refuses(
    () => open("several.pth", "ema.modle"),
    `none under "ema.modle"; did you mean ema.model?`,
  );
  await refuses(
    () => loadModel(formatFile("pytorch/plain.safetensors"), { key: "model" }),
    "a key chooses among the state dicts of a PyTorch checkpoint, but the file is a .safetensors",
  );
  await refuses(
    () => open("classifier.pth", "model"),
    `the file is one state_dict, and "model" was asked for`,
  );
  await assertRejects(
    () => loadModel(file("several.pth"), { key: 1 as never }),
    TypeError,
    "Cannot load a model: key must be a text, but the number 1 was given",
  );
});

/** What an error of weights alone proposes, as it is written there. */
async function proposed(source: string, key?: string): Promise<{ call: string; words: string }> {
  const options = key === undefined ? {} : { key };
  const error = await assertRejects(() => loadModel(source, options), UnreadableFileError);
  const [, call, words] = /: (loadModel\(.*\)) or model\.loadWeights\(source\), but (.*)$/
    .exec(error.message) ?? [];
  assert(call !== undefined && words !== undefined, error.message);
  return { call, words };
}

Deno.test("the error of weights alone says which layers they are, as a call", async () => {
  const path = file("classifier.pth");
  assertEquals(await proposed(path), {
    call: `loadModel(${JSON.stringify(path)}, ` +
      "{ layers: [lstm({ units: 5 }), dense({ units: 2 })] })",
    words: "none are given: lstm.* is an LSTM of 5 units on 3 inputs, fc.* a Dense of 2",
  });
  const apart = await proposed(file("apart.pth"));
  assert(apart.call.endsWith(", { layers })"), apart.call);
  assertEquals(
    apart.words,
    "none are given: words.* is an Embedding of 7 words, lstm.* an LSTM of 2 units on 1 input, " +
      "fc.* a Dense of 1, which do not fit in a row; " +
      `loadRecurrent(${JSON.stringify(file("apart.pth"))}) opens its LSTMs alone`,
  );
  const both = await proposed(formatFile("pytorch/encoder_decoder.safetensors"));
  assert(both.words.endsWith("in an order that the file does not tell"), both.words);
});

const WEIGHTS_ALONE: [file: string, layers: number, key?: string][] = [
  ["torch/classifier.pth", 2],
  ["torch/classifier_legacy.pt", 2],
  ["torch/several.pth", 2, "ema.model"],
  ["torch/translator.pth", 4],
  ["torch/tagger.pth", 4],
  ["pytorch/classifier_bidirectional.safetensors", 2],
  ["pytorch/encoder_decoder.safetensors", 3],
  ["pytorch/encoder_decoder_sizes.safetensors", 3],
  ["pytorch/last_state.safetensors", 3],
  ["pytorch/tagger.safetensors", 3],
  ["pytorch/state_dict.npz", 3],
  ["keras/embedding_mask_zero.weights.h5", 3],
  ["keras/masking_stacked.weights.h5", 3],
  ["keras/no_bias.weights.h5", 2],
  ["keras/time_distributed.weights.h5", 2],
  ["told/frozen_forward.weights.h5", 3],
];

for (const [name, count, key] of WEIGHTS_ALONE) {
  Deno.test(`the call that the error of ${name} proposes opens it`, async () => {
    const { call } = await proposed(formatFile(name), key);
    const makers = { ...gatescope } as Record<string, unknown>;
    const names = ["loadModel", "lstm", "dense", "bidirectional", "embedding", "timeDistributed"];
    const run = new Function(...names, `return ${call}`);
    const model: Model = await run(...names.map((maker) => makers[maker]));
    assertEquals(model.layers.length, count);
  });
}

Deno.test("the error of np.savez(f, *model.get_weights()) says which layers fit its shapes", async () => {
  const kinds: [layers: Layer[], inputShape: number[]][] = [
    [[lstm({ units: 5, returnSequences: true }), lstm({ units: 7 }), dense({ units: 2 })], [6, 3]],
    [[bidirectional(lstm({ units: 4 })), dense({ units: 2 }), dense({ units: 1 })], [6, 4]],
    [[embedding({ inputDim: 9, outputDim: 3 }), lstm({ units: 2, useBias: false })], [6]],
    [[bidirectional(lstm({ units: 4, useBias: false })), dense({ units: 2, useBias: false })], [
      6,
      3,
    ]],
  ];
  const path = await Deno.makeTempFile({ suffix: ".npz" });
  for (const [layers, inputShape] of kinds) {
    const model = sequential(layers, { inputShape, seed: 3 });
    await saveNpz(path, model.getWeights());
    const { call } = await proposed(path);
    const said = /layers: \[(.*)\] \}\)$/.exec(call)![1];
    const written = layers.map(({ className }) => className.toLowerCase());
    assertEquals(said!.match(/(?<![a-z(])[a-z]+(?=\()/g), written);
  }
  await saveNpz(path, [[[1, 2, 3]], [4]]); // no layer has these
  await assertRejects(() => loadModel(path), UnreadableFileError, "give them in loadModel(source,");
  await Deno.remove(path);
});

Deno.test("what is proposed predicts what PyTorch does, once the activations are right", async () => {
  const layers: Layer[] = [lstm({ units: 5 }), dense({ units: 2 }), activation("softmax")];
  await assertRight(await loadModel(file("classifier.pth"), { layers }), "classifier");
});
