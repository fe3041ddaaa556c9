// What a file tells besides its arrays' numbers: their names, the writer's version, the batch, and
// whose classes and options they are. Tolerance: 1e-6, relative where values are above 1.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  bidirectional,
  dense,
  embedding,
  type Layer,
  loadModel,
  lstm,
  prove,
  saveKeras,
  sequential,
  tensor,
  trace,
  UnreadableFileError,
} from "@gatescope/lstm";
import { isRecord } from "../../lib/files/json.ts";
import { unzip, zip } from "../../lib/files/zip.ts";
import { arraysOf, assertPredicts, difference, formatFile } from "./loaded.ts";

const told = (file: string) => formatFile(`told/${file}`);

const RIGHT = [
  ["frozen_forward.h5", "Keras's .h5, which lists the trainable half of a Bidirectional first"],
  ["frozen_forward.keras", "the same model's .keras"],
  ["frozen_backward.h5", "a Bidirectional's .h5 with the other half frozen"],
  ["not_ascii.h5", "a .h5 whose layers have names beyond ASCII"],
  ["masked_keras224.h5", "Keras 2.2.4's Bidirectional, which repeats its result at masked steps"],
  ["converted_h5.json", "a converted Keras 3 .h5, whose Bidirectional gives zeros at masked steps"],
  ["converted_keras.json", "a converted Keras 3 .keras, whose arrays have numbers for names"],
  ["converted_cudnn.json", "a converted .h5 of CuDNNLSTM and CuDNNGRU, whose gates lie turned"],
  ["slash_name.json", "a converted model whose layers have slashes in their names"],
  ["windows.keras", "a .keras of Keras 2 on Windows, whose groups have backslashes"],
  ["words_keras20.h5", "Keras 2.0's Embedding, whose dtype is that of its words"],
] as const;

for (const [file, what] of RIGHT) {
  Deno.test(`loadModel() predicts what Keras does: ${what}`, async () => {
    const arrays = await arraysOf(told(file.replace(/\.[^.]+$/, ".npz")));
    const model = await loadModel(told(file));
    assertPredicts(model, arrays("x"), arrays("prediction"), file);
    assertEquals(model.provenance?.notes, []);
  });
}

Deno.test("loadModel() opens a .keras that Keras 2 fitted, whose metrics have arrays of their own", async () => {
  const arrays = await arraysOf(told("fitted_keras2.npz"));
  assertPredicts(
    await loadModel(told("fitted_keras2.keras")),
    arrays("x"),
    arrays("prediction"),
    "",
  );
});

Deno.test("loadWeights() finds a half's arrays by their names, in any of Keras's files", async () => {
  const arrays = await arraysOf(told("frozen_forward.npz"));
  const layers = [
    bidirectional(lstm({ units: 3, returnSequences: true })),
    bidirectional(lstm({ units: 3 }), { backwardLayer: lstm({ units: 3, goBackwards: true }) }),
    dense({ units: 2 }),
  ];
  for (const file of ["frozen_forward.h5", "frozen_forward.weights.h5", "frozen_forward.keras"]) {
    const model = sequential(layers, { inputShape: [5, 2] });
    await model.loadWeights(told(file));
    assertPredicts(model, arrays("x"), arrays("prediction"), file);
  }
});

Deno.test("loadWeights() says which groups there are where a layer's is not", async () => {
  const model = sequential([lstm({ units: 2 })], { inputShape: [5, 2] });
  await assertRejects(
    () => model.loadWeights(told("frozen_forward.weights.h5")),
    UnreadableFileError,
    "there are layers/bidirectional, layers/bidirectional_1, layers/dense, and the layers are " +
      '"lstm" (LSTM): they do not fit',
  );
});

Deno.test("loadModel() gives groups of classes of one's own to the layers by their arrays, where one way fits", async () => {
  const first = { units: 3, returnSequences: true };
  const two = [lstm(first), lstm({ units: 3 }), dense({ units: 2 })];
  const rows = {
    own_lstm: [lstm({ units: 3 }), dense({ units: 2 })],
    own_lstm_twice: two, // my_lstm, my_lstm_1: numbered in the layers' order
    own_lstm_by_shape: [lstm(first), lstm({ units: 4 }), dense({ units: 2 })],
  };
  for (const [name, layers] of Object.entries(rows)) {
    const arrays = await arraysOf(told(`${name}.npz`));
    const model = await loadModel(told(`${name}.weights.h5`), { layers });
    assertPredicts(model, arrays("x"), arrays("prediction"), name);
  }
  const error = await assertRejects(
    () => loadModel(told("own_lstm_or_not.weights.h5"), { layers: two }),
    UnreadableFileError,
  );
  assertEquals(
    error.message.slice(error.message.indexOf("but there")),
    "but there are layers/dense, layers/lstm, layers/my_lstm, and the layers are " +
      '"lstm" (LSTM), "lstm_1" (LSTM), "dense" (Dense): more than one way fits',
  );
});

/** A TF.js fixture with its manifest, shards and configuration changed. */
async function tfjs(
  name: string,
  change: (file: {
    // deno-lint-ignore no-explicit-any
    modelTopology: any;
    weightsManifest: { paths: string[]; weights: { name: string; shape: number[] }[] }[];
  }, shard: Uint8Array) => Uint8Array,
) {
  const folder = await Deno.makeTempDir();
  const file = JSON.parse(Deno.readTextFileSync(formatFile(`tfjs/${name}.json`)));
  const shards = file.weightsManifest[0].paths.flatMap((path: string) => [
    ...Deno.readFileSync(formatFile(`tfjs/${path}`)),
  ]);
  const shard = change(file, Uint8Array.from(shards));
  file.weightsManifest[0].paths = ["shard.bin"];
  Deno.writeFileSync(`${folder}/shard.bin`, shard);
  Deno.writeTextFileSync(`${folder}/model.json`, JSON.stringify(file));
  const model = await loadModel(`${folder}/model.json`);
  await Deno.remove(folder, { recursive: true });
  const { x, prediction } = JSON.parse(
    Deno.readTextFileSync(formatFile(`tfjs/${name}.expected.json`)),
  );
  return { off: difference(model.predict(x), tensor(prediction)) };
}

Deno.test("loadModel() gives TF.js's arrays to the layers by name, whatever the manifest's order", async () => {
  const { off } = await tfjs("bidirectional", ({ weightsManifest: [group] }, shard) => {
    let at = 0;
    const parts = group!.weights.map((weight) => {
      const size = 4 * weight.shape.reduce((a, b) => a * b, 1);
      return { weight, bytes: shard.subarray(at, at += size) };
    }).reverse();
    group!.weights = parts.map(({ weight }) => weight);
    return Uint8Array.from(parts.flatMap(({ bytes }) => [...bytes]));
  });
  assert(off <= 1e-6, `off by ${off}`);
});

Deno.test("loadModel() takes TF.js's default, hard_sigmoid, where TF.js leaves out the recurrent activation", async () => {
  const { off } = await tfjs("plain", ({ modelTopology: { config } }, shard) => {
    delete config.layers[0].config.recurrent_activation;
    return shard;
  });
  assert(off <= 1e-6, `off by ${off}`);
});

/** A .keras file with its configuration's text changed. */
async function changed(file: string, from: string | RegExp, to: string, part = "config.json") {
  const entries = await unzip(Deno.readFileSync(formatFile(file)));
  const text = new TextDecoder().decode(entries.get(part));
  const other = text.replace(from, to);
  assert(text !== other, `${file} has no ${from}`);
  return await zip(entries.set(part, new TextEncoder().encode(other)));
}

Deno.test("loadModel() takes the default of the writer's version where the recurrent activation is left out", async () => {
  const option = /"recurrent_activation": "[a-z_]+", /;
  const read = async (version: string) => {
    const bytes = await changed("keras2/plain.keras", option, "");
    const entries = await unzip(bytes);
    const metadata = new TextEncoder().encode(JSON.stringify({ keras_version: version }));
    return await loadModel(await zip(entries.set("metadata.json", metadata)));
  };
  const of = async (version: string) =>
    (await read(version)).layers[0]!.layer.config.recurrent_activation;
  assertEquals(await of("2.15.0"), "sigmoid");
  assertEquals(await of("2.3.1"), "sigmoid"); // Keras 2.3's release notes
  assertEquals(await of("2.2.4"), "hard_sigmoid_keras2");
  await assertRejects(() => read("2.2.4-tf"), UnreadableFileError, "several defaults");
  await assertRejects(() => read("1.2.2"), UnreadableFileError, "options must be those of Keras 1");
  await assertRejects(() => read(""), UnreadableFileError, "keras_version");
});

Deno.test("loadModel() refuses masked steps of a Bidirectional where the version does not tell what they give", async () => {
  const file = "keras/embedding_mask_zero_bidirectional.keras";
  const sequences = await changed(file, /"return_sequences": false/g, `"return_sequences": true`);
  const entries = await unzip(sequences);
  const metadata = new TextEncoder().encode(`{"keras_version": "2.2.4-tf"}`);
  const bytes = await zip(entries.set("metadata.json", metadata));
  await assertRejects(() => loadModel(bytes), UnreadableFileError, "masked steps");
});

Deno.test("bidirectional({ zeroOutputForMask: false }) repeats the result at masked steps, and is not written for Keras 3, which gives zeros", async () => {
  const reader = lstm({ units: 3, returnSequences: true });
  const model = (options: { zeroOutputForMask?: boolean }): Layer[] => [
    embedding({ inputDim: 4, outputDim: 2, maskZero: true }),
    bidirectional(reader, options),
  ];
  const repeats = sequential(model({ zeroOutputForMask: false }), { inputShape: [3], seed: 1 });
  const zeros = sequential(model({}), { inputShape: [3], seed: 1 });
  const [a, b] = [repeats, zeros].map((model) =>
    model.predict([[1, 2, 0]]).toArray() as number[][][]
  );
  assertEquals(a![0]![2]!.slice(0, 3), a![0]![1]!.slice(0, 3));
  assertEquals(b![0]![2], [0, 0, 0, 0, 0, 0]);
  await assertRejects(() => saveKeras("/nowhere.keras", repeats), TypeError, "zeroOutputForMask");
});

Deno.test("a stateful model's batch is its file's: predict goes on from batch to batch, as Keras does", async () => {
  const arrays = await arraysOf(told("stateful_batches.npz"));
  const model = await loadModel(told("stateful_batches.keras"));
  const [x, y] = [arrays("x"), arrays("prediction")];
  const samples = x.toArray() as number[][][];
  assertPredicts(model, x, y, "6 samples of batch 3");
  model.resetStates();
  const parts = [samples.slice(0, 3), samples.slice(3)];
  const [first, second] = parts.map((part) => model.predict(part).toArray() as number[][]);
  assertEquals([...first!, ...second!], (model.resetStates(), model.predict(x).toArray()));
  for (const count of [1, 2, 4]) {
    assertThrows(() => model.predict(samples.slice(0, count)), TypeError, "whole batches of 3");
  }
  assertThrows(() => trace(model, x), TypeError, "must be 3");
  assertThrows(() => prove(model, x), TypeError, "must be 3");
  model.compile({ optimizer: "sgd", loss: "mse" });
  const targets = y.toArray() as number[][];
  await assertRejects(
    () => model.fit(x, targets, { batchSize: 6, shuffle: false }),
    RangeError,
    "3",
  );
  await model.fit(x, targets, { batchSize: 3, shuffle: false, verbose: false });

  const path = await Deno.makeTempFile({ suffix: ".keras" });
  await saveKeras(path, model); // with the batch that its file told
  const again = await loadModel(path);
  assertThrows(() => again.predict(samples.slice(0, 2)), TypeError, "of 3");
  await Deno.remove(path);
});

const OWN = [
  ["own_class.keras", `"dense" (Dense) in`, "mine>Dense"],
  ["own_inner_class.keras", `"time_distributed" (TimeDistributed) in`, "mine>Dense"],
  ["own_function.keras", `"dense`, "mine>swish"],
] as const;

for (const [file, layer, own] of OWN) {
  Deno.test(`loadModel() refuses a class or function of the author's own in ${file}, and names it`, async () => {
    const error = await assertRejects(() => loadModel(told(file)), UnreadableFileError);
    assert(error.message.includes(layer) && error.message.includes(own), error.message);
  });
}

Deno.test("loadModel() refuses a Keras class of another module, and a model of one's own", async () => {
  const module = await changed(
    "keras/stacked.keras",
    /"keras\.layers"(?=, "class_name": "LSTM")/,
    `"__main__"`,
  );
  await assertRejects(() => loadModel(module), UnreadableFileError, `"LSTM" of module "__main__"`);
  const model = await changed(
    "keras/functional_plain.keras",
    `"registered_name": "Functional"`,
    `"registered_name": "mine>Functional"`,
  );
  await assertRejects(() => loadModel(model), UnreadableFileError, "mine>Functional");
});

Deno.test("loadModel() does not compile with an optimizer of the author's own, and says so", async () => {
  const { provenance } = await loadModel(told("own_optimizer.keras"));
  assertEquals(provenance?.notes, ["Not compiled: the optimizer SGD is not Keras's own"]);
});

Deno.test("loadModel() refuses a name that no Keras knows in a layer's, a model's or an activation's record", async () => {
  const wrong = [
    ["keras/go_backwards.keras", `"go_backwards"`, `"go_b\`ckwards"`, "did you mean go_backwards?"],
    ["keras/stacked.keras", `"activation"`, `"activatmon"`, "did you mean activation"],
    ["keras/bidirectional_sum.keras", `"merge_mode"`, `"mergd_mode"`, "did you mean merge_mode?"],
    ["keras/time_distributed.keras", `"use_bias"`, `"use_bIas2"`, `name is "use_bIas2"`],
    ["keras/masking.keras", `"mask_value"`, `"mask_valud"`, "did you mean mask_value?"],
    ["keras/embedding_mask_zero.keras", `"mask_zero"`, `"mask_zerO2"`, `name is "mask_zerO2"`],
    [
      "keras/activations.keras",
      `"negative_slope"`,
      `"negative_slopd"`,
      "did you mean negative_slope?",
    ],
    ["keras/stacked.keras", `"build_config"`, `"build_confih"`, "did you mean build_config?"],
    [
      "keras/functional_plain.keras",
      `"input_layers"`,
      `"input_layerz"`,
      "did you mean input_layers",
    ],
  ] as const;
  for (const [file, from, to, said] of wrong) {
    const bytes = await changed(file, from, to);
    const error = await assertRejects(() => loadModel(bytes), UnreadableFileError);
    assert(error.message.includes(said), error.message);
  }
});

Deno.test("loadModel() refuses or reads equally each .keras whose option has one flipped bit in its name", async () => {
  const file = "keras/go_backwards.keras";
  const entries = await unzip(Deno.readFileSync(formatFile(file)));
  const config = entries.get("config.json")!;
  const text = new TextDecoder().decode(config);
  const arrays = await arraysOf(formatFile("../layers/go_backwards.npz"));
  let refused = 0;
  for (const { index, 1: key } of text.matchAll(/"([a-z_]+)":/g)) {
    const flipped = config.slice();
    flipped[index + 1 + key!.length % 3]! ^= 1;
    const bytes = await zip(new Map(entries).set("config.json", flipped));
    const model = await loadModel(bytes).catch((error) => {
      assert(error instanceof UnreadableFileError, String(error));
      refused += 1;
    });
    if (model) assertPredicts(model, arrays("x"), arrays("prediction"), key!);
  }
  assert(refused > 40, `only ${refused} refused`);
});

Deno.test("loadModel() knows every option that Keras 3.15.1 writes", async () => {
  const options: Record<string, string[]> = JSON.parse(
    Deno.readTextFileSync(told("options.json")),
  );
  const { checkLayerRecord } = await import("../../lib/formats/keras/options.ts");
  for (const [className, keys] of Object.entries(options)) {
    const config = Object.fromEntries(keys.map((key) => [key, null]));
    assert(isRecord(config) && keys.length >= 3);
    checkLayerRecord({ class_name: className, config }, className);
  }
});

Deno.test("loadModel() says what else a file is: LFS pointer, TFLite, SavedModel, to_json(), pickle", async () => {
  const text = (value: string) => new TextEncoder().encode(value);
  const others = [
    [
      text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"),
      "git lfs pull",
    ],
    [Uint8Array.of(28, 0, 0, 0, 84, 70, 76, 51, 20, 0), "TFLite"],
    [Uint8Array.of(8, 1, 18, 200, 1, 10), "SavedModel"],
    [text(`{"class_name": "Sequential", "config": {"layers": []}}`), "to_json()"],
    [text(JSON.stringify(`{"class_name": "Sequential"}`)), "to_json()"],
    [told("weights.pkl"), "np.savez(file, *model.get_weights())"],
    [told("quantized.keras"), "dtype is a QuantizedDTypePolicy"],
    [formatFile("keras"), "it is a folder, as TensorFlow's SavedModel is"],
  ] as const;
  for (const [source, said] of others) {
    const error = await assertRejects(() => loadModel(source), UnreadableFileError);
    assert(error.message.includes(said), error.message);
  }
});
