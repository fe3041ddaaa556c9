// Files of Keras from 1.2.2 to 3.15, each saved by that version itself, and what it predicts
// (tests/fixtures/formats/keras1.py, keras_versions.py). Tolerance: 1e-6, relative above 1.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { loadModel, loadNpz, type Model, type Tensor, UnreadableFileError } from "@gatescope/lstm";
import { difference, formatFile } from "./loaded.ts";

/** Every folder, what its files are of, and what is refused there, with a part of the reason. */
const FOLDERS: Readonly<Record<string, readonly [what: string, refused: Record<string, string>]>> =
  {
    "keras1": ["Keras 1.2.2", {
      "refused_cos.h5": "mode must be one of sum, mul",
      "refused_highway.h5": "it is a Highway",
      "refused_lambda.h5": "it is a Lambda",
      "refused_mode.h5": "mode must be 0, but it is 2",
      "refused_mode_1.h5": "mode must be 0, but it is 1",
      "refused_same.h5": "Theano's is another, but the window is [2], the strides [1]",
    }],
    "keras_versions/keras20": ["Keras 2.0.8 on Theano", {
      "refused_same.h5": "Theano's is another, but the window is [2], the strides [2]",
    }],
    "keras_versions/keras22": ["Keras 2.2.4", {}],
    "keras_versions/keras23": ["Keras 2.3.1", {}],
    "keras_versions/tf20": ["TensorFlow 2.0.4", {
      "masked.h5": "the version is 2.2.4-tf, under which both exist",
    }],
    "keras_versions/tf215": ["TensorFlow 2.15.1", {}],
    "keras_versions/keras30": ["Keras 3.0.5", {}],
    "keras_versions/keras35": ["Keras 3.5.0", {
      "maximum_masked_one.keras": "3.5.0, in which Keras's backends differ",
      "multiply_masked.keras": "3.5.0, in which Keras's backends differ",
    }],
    "keras_versions/keras315": ["Keras 3.15.1", {}],
  };

/** What of training is not taken over. */
function trainingNotes(version: string): string[] {
  if (version.startsWith("3")) return [];
  return [
    version.startsWith("1")
      ? "Not compiled: what Keras 1 keeps of training is not read"
      : "The optimizer starts anew: its arrays are not in Keras 3's order",
  ];
}

/** Fewer files than that are no test of a version. */
const LEAST = 15;

/** What a file's model is given, and what it predicts: twice where it is stateful. */
function predictions(values: ReadonlyMap<string, Tensor>, name: string) {
  const under = (kind: string) =>
    [...values.keys()].filter((key) => key.startsWith(`${name}/${kind}`)).sort()
      .map((key) => values.get(key)!);
  return { inputs: under("x"), expected: under("y") };
}

function assertPredictsAll(model: Model, values: ReadonlyMap<string, Tensor>, name: string) {
  const { inputs, expected } = predictions(values, name);
  assert(expected.length > 0, `${name} has no values`);
  const given = inputs.length === 1 ? inputs[0]! : inputs;
  const found = model.predictAll(given);
  while (found.length < expected.length) found.push(...model.predictAll(given));
  expected.forEach((one, k) => {
    const off = difference(found[k]!, one);
    assert(off <= 1e-6, `${name}, result ${k}, is off by ${off}`);
  });
}

for (const [folder, [what, refused]] of Object.entries(FOLDERS)) {
  const path = formatFile(folder);
  const files = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  const whole = files.filter((file) => /\.(keras|h5)$/.test(file) && !/alone|weights/.test(file));
  const opened = whole.filter((file) => !Object.hasOwn(refused, file));

  Deno.test(`loadModel() predicts what ${what} does, in ${opened.length} files`, async (t) => {
    assert(opened.length >= LEAST, `there are ${opened.length}`);
    const values = await loadNpz(`${path}/values.npz`);
    for (const file of opened) {
      await t.step(file, async () => {
        const model = await loadModel(`${path}/${file}`);
        const { notes, version = "" } = model.provenance!;
        assertEquals(notes, !file.startsWith("fitted") ? [] : trainingNotes(version));
        assertPredictsAll(model, values, file.replace(/\.\w+$/, ""));
      });
    }
  });

  for (const [file, reason] of Object.entries(refused)) {
    Deno.test(`loadModel() refuses ${file} of ${what}, and says why`, async () => {
      const error = await assertRejects(() => loadModel(`${path}/${file}`), UnreadableFileError);
      assertStringIncludes(error.message, reason);
    });
  }
}

Deno.test("Keras 1's gates are told by their names: its log says which arrays became one", async () => {
  const model = await loadModel(formatFile("keras1/lstm.h5"));
  const { arrays, version } = model.provenance!;
  assertEquals(version, "1.2.2");
  assertEquals(arrays[0]!.from.match(/lstm_1_W_\w/g), [
    "lstm_1_W_i",
    "lstm_1_W_f",
    "lstm_1_W_c",
    "lstm_1_W_o",
  ]);
  assertEquals(arrays[0]!.steps, ["gates i f c o joined"]);
});

/** Folders of Keras's weights alone beside `to_json()`. */
const ALONE = Object.keys(FOLDERS).filter((folder) => folder.startsWith("keras_versions/"));

for (const folder of ALONE) {
  const path = formatFile(folder);
  const files = [...Deno.readDirSync(path)].map(({ name }) => name)
    .filter((file) => /(_alone|\.weights)\.h5$|_weights\.npz$/.test(file)).sort()
    .filter((file) => !(folder.endsWith("keras22") && file === "nested_weights.npz")); // below

  Deno.test(`loadModel() opens weights alone with to_json(), in ${files.length} files of ${folder}`, async (t) => {
    assert(files.length >= 6);
    const values = await loadNpz(`${path}/values.npz`);
    for (const file of files) {
      const name = file.replace(/(_alone|\.weights)\.h5$|_weights\.npz$/, "");
      await t.step(file, async () => {
        const text = Deno.readTextFileSync(`${path}/${name}.json`);
        const model = await loadModel(`${path}/${file}`, { config: text });
        assertPredictsAll(model, values, name);
      });
    }
  });
}

Deno.test("loadModel(weights, { config }) takes the text, what it says, its path, its URL, its bytes", async () => {
  const path = formatFile("keras_versions/keras315");
  const values = await loadNpz(`${path}/values.npz`);
  const text = Deno.readTextFileSync(`${path}/gru.json`);
  const given = [
    text,
    JSON.stringify(text), // json.dump(model.to_json(), file)
    JSON.parse(text),
    `${path}/gru.json`,
    new URL(`file://${path}/gru.json`),
    new TextEncoder().encode(text),
  ];
  for (const config of given) {
    const model = await loadModel(`${path}/gru.weights.h5`, { config });
    assertPredictsAll(model, values, "gru");
  }
});

Deno.test("loadModel(weights, { config }) refuses what is no configuration, or does not fit, by name", async () => {
  const path = formatFile("keras_versions/keras315");
  const text = Deno.readTextFileSync(`${path}/gru.json`);
  const refused = async (file: string, config: unknown, said: string) => {
    const options = { config } as Parameters<typeof loadModel>[1];
    const error = await assertRejects(() => loadModel(`${path}/${file}`, options));
    assertStringIncludes((error as Error).message, said);
  };
  await refused("gru.weights.h5", 3, "config must be the text of Keras's to_json()");
  await refused("gru.weights.h5", "{", "Cannot read config: it must be JSON");
  await refused("gru.weights.h5", { layers: [] }, "its keys are layers");
  await refused("gru.weights.h5", { class_name: "Sequential", config: [] }, "version is not there");
  const unknown = text.replace('"units": 5', '"units": 0');
  await refused(
    "gru.weights.h5",
    unknown,
    'Cannot read "gru" (GRU) in config: its options must be',
  );
  await refused("gru.weights.h5", `${path}/nothing.json`, "nothing.json");
  await refused("lstm.weights.h5", text, `"gru_1" (GRU), "dense" (Dense): they do not fit`);
  await refused("lstm_weights.npz", text, "in the order of get_weights()");
  await refused("gru.keras", text, "config goes with Keras's weights: .npz, .h5");
  const model = { config: text, layers: [] };
  const error = await assertRejects(() => loadModel(`${path}/gru.weights.h5`, model), TypeError);
  assertStringIncludes(error.message, "layers was given too");
});

Deno.test("get_weights() of Keras 2.2 gives the moving averages of a model within last: refused", async () => {
  const path = formatFile("keras_versions/keras22");
  const config = `${path}/nested.json`;
  const error = await assertRejects(
    () => loadModel(`${path}/nested_weights.npz`, { config }),
    UnreadableFileError,
  );
  assertStringIncludes(error.message, "gives those that training does not move last");
});

Deno.test("a Rescaling behind a Masking is refused of Keras 2, which forgets the mask there, and read of Keras 3", async () => {
  const layer = (className: string, config: object) => ({ class_name: className, config });
  const config = {
    layers: [
      layer("Masking", { name: "masking", batch_input_shape: [null, 6, 3] }),
      layer("Rescaling", { name: "rescaling", scale: 2 }),
      layer("LSTM", { name: "lstm", units: 5, return_sequences: true }),
      layer("LSTM", { name: "lstm_1", units: 4, use_bias: false }),
      layer("Dense", { name: "dense", units: 2 }),
    ],
  };
  const weights = formatFile("keras_versions/tf215/lstm.weights.h5");
  const model = { class_name: "Sequential", config };
  const error = await assertRejects(
    () => loadModel(weights, { config: { ...model, keras_version: "2.15.0" } }),
    UnreadableFileError,
  );
  assertStringIncludes(error.message, "no mask may come to a Rescaling");
  await loadModel(weights, { config: { ...model, keras_version: "3.15.0" } });
});
