// Damaged and hostile files: loadModel() gives a model, or one UnreadableFileError; in bounded time.
//
// What it gives was compared with the formats' own readers (h5py, safetensors, onnx) on the same
// mutated bytes; see tests/fixtures/formats/README.md.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadModel, type Model, saveOnnx, UnreadableFileError } from "@gatescope/lstm";
import { readHdf5 } from "../../lib/files/hdf5.ts";
import { outcome } from "../files/arrays.ts";
import { mutated } from "../files/mutations.ts";
import { formatFile } from "./loaded.ts";

const FILES = {
  ".keras": "keras/no_bias.keras",
  ".h5": "keras/no_bias.h5",
  ".safetensors": "pytorch/plain.safetensors",
  ".pth": "torch/plain.pth", // its pickle is damaged in tests/files/torch_test.ts
  ".onnx": "pytorch/classifier.onnx",
} as const;

/** HDF5's are slow: a damaged file can keep it busy until it is ended. */
const MUTATIONS = {
  ".keras": 10_000,
  ".h5": Number(Deno.env.get("GATESCOPE_HDF5_MUTATIONS") ?? 250),
  ".safetensors": 10_000,
  ".pth": 2_000,
  ".onnx": 10_000,
} as const;

function assertOneError(result: Model | Error, what: string): void {
  if (!(result instanceof Error)) return;
  if (!(result instanceof UnreadableFileError)) throw new Error(what, { cause: result });
  assert(result.message.startsWith("Cannot read "), `${what}: ${result.message}`);
}

/** Opened as loadModel() does it, HDF5 with less patience. */
async function opened(bytes: Uint8Array, format: string): Promise<Model | Error> {
  if (format !== ".h5") return await outcome(() => loadModel(bytes));
  const read = await outcome(() => readHdf5(bytes, { timeLimit: 300 }));
  return read instanceof Error ? read : await outcome(() => loadModel(bytes));
}

for (const [format, file] of Object.entries(FILES)) {
  const whole = Deno.readFileSync(formatFile(file));

  Deno.test(`loadModel() refuses a ${format} cut at any sixteenth`, async () => {
    for (let part = 0; part < 16; part++) {
      const cut = whole.subarray(0, Math.floor(whole.length * part / 16));
      const result = await outcome(() => loadModel(cut));
      assert(result instanceof UnreadableFileError, `${format} at ${part}/16: ${result}`);
    }
  });

  Deno.test(`loadModel() gives a model or one clear error for each byte flipped in a ${format}'s header`, async () => {
    const bytes = whole.slice();
    const end = format === ".h5" ? 96 : Math.min(bytes.length, 512); // HDF5's superblock
    for (let at = 0; at < end; at++) {
      bytes[at]! ^= 0xff;
      assertOneError(await opened(bytes, format), `${format}, byte ${at}`);
      bytes[at]! ^= 0xff;
    }
  });

  const count = MUTATIONS[format as keyof typeof MUTATIONS];
  Deno.test(`loadModel() gives a model or one clear error for ${count} mutations of a ${format}`, async () => {
    let refused = 0;
    for (let seed = 0; seed < count; seed++) {
      const result = await opened(mutated(whole, seed), format);
      assertOneError(result, `${format}, seed ${seed}`);
      if (result instanceof Error) refused += 1;
    }
    assert(refused > count / 20, `only ${refused} of ${count} refused`);
  });
}

Deno.test("loadModel() gives a model or one clear error for 10000 mutations of a model.json", async () => {
  const folder = await Deno.makeTempDir();
  for (const name of ["plain.shard1.bin", "plain.shard2.bin"]) {
    await Deno.copyFile(formatFile(`tfjs/${name}`), `${folder}/${name}`);
  }
  const path = `${folder}/model.json`;
  const whole = Deno.readFileSync(formatFile("tfjs/plain.json"));
  for (let seed = 0; seed < 10_000; seed++) {
    Deno.writeFileSync(path, mutated(whole, seed));
    assertOneError(await outcome(() => loadModel(path)), `model.json, seed ${seed}`);
    Deno.removeSync(path); // to write over a file takes ten times as long
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an HDF5 file that HDF5 never finishes is ended in time, and the next one is read", async () => {
  const whole = Deno.readFileSync(formatFile("keras/no_bias.h5"));
  const endless = mutated(whole, 405); // found by mutation; h5py does not finish it either
  const start = performance.now();
  await assertRejects(
    () => readHdf5(endless, { timeLimit: 500 }),
    UnreadableFileError,
    "Cannot read the file: HDF5 must be able to read it, but reading it failed: took more than 0.5 s",
  );
  assert(performance.now() - start < 20_000);
  assertEquals((await readHdf5(whole)).arrays.size, 3);
});

Deno.test("hostile .safetensors are refused before anything is allocated", async () => {
  const file = (header: string, data = 0) => {
    const text = new TextEncoder().encode(header);
    const bytes = new Uint8Array(8 + text.length + data);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    return bytes;
  };
  const refuses = (bytes: Uint8Array, message: string) =>
    assertRejects(() => loadModel(bytes), UnreadableFileError, message);
  const entry = (shape: string, offsets: string, dtype = "F32") =>
    `{"weight_ih_l0": {"dtype": "${dtype}", "shape": ${shape}, "data_offsets": ${offsets}}}`;
  await refuses(file(entry("[4294967296, 4294967296, 0]", "[0, 0]")), "must be countable");
  await refuses(file(entry("[2]", "[0, 4]"), 8), "takes 8 bytes, but the offsets are 0 and 4");
  await refuses(file(entry("[2]", "[0, 8]"), 4), "so it is cut short");
  await refuses(file(entry("[2]", "[0, 8]"), 12), "followed by something else");
  await refuses(file(entry("[2]", "[4, 12]"), 12), "must lie one after the other");
  await refuses(file(entry("[-1]", "[0, 8]"), 8), "a dtype, a shape and data_offsets");
  await refuses(file(entry("[2]", "[0, 8]", "F4"), 8), `the dtype is "F4"`);
  const twice = `{"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}, ` +
    `"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}`;
  await refuses(file(twice, 1), `key "a" occurs twice`);
  const long = file("{}");
  new DataView(long.buffer).setBigUint64(0, 90_000_000n, true);
  await refuses(long, "so it is cut short");
  await refuses(file("{".repeat(100_000)), "it must be JSON");
});

Deno.test("whatever a file calls its parts, the error is short and moves no terminal", async () => {
  const file = (header: string) => {
    const text = new TextEncoder().encode(header);
    const bytes = new Uint8Array(8 + text.length + 4);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    return bytes;
  };
  const entry = (name: string, dtype = "F32", shape: unknown = [1]) =>
    file(JSON.stringify({ [name]: { dtype, shape, data_offsets: [0, 4] } }));
  const escapes = "\x1b]0;title\x07\x1b[2J\x9b31m\u202eX\r\nY";
  const long = "n".repeat(3_000_000);
  const ones = Array(3_000_000).fill(1);
  for (
    const bytes of [
      entry(escapes),
      entry("a", escapes),
      entry(escapes, "F32", [2]),
      entry(long),
      entry("a", long),
      entry("a", "F32", ones),
      file(`{"a": ${escapes}`),
      file(`{"a": 1, "a": 2, "${long}": 3}`),
    ]
  ) {
    const error = await assertRejects(() => loadModel(bytes), UnreadableFileError);
    // deno-lint-ignore no-control-regex
    const obeyed = /[\x00-\x1f\x7f-\x9f\u202a-\u202e]/;
    const cause = error.cause instanceof Error ? error.cause.message : "";
    assert(!obeyed.test(error.message + cause), JSON.stringify(error.message).slice(0, 200));
    assert(error.message.length < 3_500, String(error.message.length));
  }
});

Deno.test("a model.json with a text of 10 MiB is read to its end, backslashes and quotes in it too", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  const text = JSON.stringify('{\\"['.repeat(2 ** 21)).slice(1, -1);
  await Deno.writeTextFile(
    path,
    `{"modelTopology": {"class_name": "${text}"}, "weightsManifest": []}`,
  );
  await assertRejects(() => loadModel(path), UnreadableFileError, "must be a Sequential");
  await Deno.writeTextFile(path, `{"modelTopology": {"a": "${text}", "a": 1}}`);
  await assertRejects(() => loadModel(path), UnreadableFileError, `key "a" occurs twice`);
  await Deno.remove(path);
});

Deno.test("a model.json names no empty shards, and not endlessly many", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeFile(`${folder}/empty.bin`, new Uint8Array());
  await Deno.writeFile(`${folder}/byte.bin`, new Uint8Array(1));
  const refuses = async (shard: string, length: number, message: string) => {
    const weights = [{ name: "w", shape: [length], dtype: "uint8" }];
    const manifest = [{ paths: Array(20_000).fill(shard), weights }];
    const text = JSON.stringify({ modelTopology: {}, weightsManifest: manifest });
    await Deno.writeTextFile(`${folder}/model.json`, text);
    await assertRejects(() => loadModel(`${folder}/model.json`), UnreadableFileError, message);
  };
  await refuses("empty.bin", 2, `shard "empty.bin" is empty`);
  await refuses("empty.bin", 0, `shard "empty.bin" is empty`);
  await refuses("byte.bin", 20_000, "a group has at most 10000 shards");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an .onnx whose output has no name, or a state that is not there, is refused", async () => {
  const classifier = Deno.readFileSync(formatFile("onnx/classifier.onnx"));
  classifier[2348]! ^= 1 << 3; // the output's field becomes one that nobody knows
  await assertRejects(() => loadModel(classifier), UnreadableFileError, "must have an output");
  const lastState = Deno.readFileSync(formatFile("pytorch/last_state.onnx"));
  lastState[3327]! ^= 1 << 4; // h_n[-1] becomes h_n[-17]
  await assertRejects(() => loadModel(lastState), UnreadableFileError, "-17 is none of 2");
});

Deno.test("a model.json reaches no file outside of its folder", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/model`);
  await Deno.writeFile(`${folder}/secret.bin`, new Uint8Array(8));
  const path = `${folder}/model/model.json`;
  for (
    const shard of [
      "../secret.bin",
      "/etc/hostname",
      "..\\secret.bin",
      "a/../../secret.bin",
      "C:\\secret.bin",
      "file:///etc/hostname",
      "https://example.com/secret.bin",
      "",
    ]
  ) {
    const weights = [{ name: "w", shape: [2], dtype: "float32" }];
    const model = { modelTopology: {}, weightsManifest: [{ paths: [shard], weights }] };
    await Deno.writeTextFile(path, JSON.stringify(model));
    for (const source of [path, new URL(`file://${path}`)]) {
      await assertRejects(
        () => loadModel(source),
        UnreadableFileError,
        "the files that it names must lie in its folder",
      );
    }
  }
  const bytes = await Deno.readFile(formatFile("tfjs/plain.json"));
  await assertRejects(() => loadModel(bytes), UnreadableFileError, "bytes, which have no folder");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an .onnx reaches no external data outside of its folder, nor beyond its end", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/model`);
  const whole = await Deno.readFile(formatFile("onnx/external.onnx"));
  const text = String.fromCharCode(...whole);
  const at = text.indexOf("external.bin");
  const changed = (place: string) => {
    const bytes = whole.slice();
    bytes.set(new TextEncoder().encode(place), at); // 12 letters
    return bytes;
  };
  const path = `${folder}/model/model.onnx`;
  await Deno.writeFile(`${folder}/xternal.bin`, new Uint8Array(10_000));
  await Deno.writeFile(path, changed("../xternalbi"));
  await assertRejects(() => loadModel(path), UnreadableFileError, "must lie in its folder");
  await Deno.writeFile(path, whole);
  await Deno.writeFile(`${folder}/model/external.bin`, new Uint8Array(100));
  await assertRejects(() => loadModel(path), UnreadableFileError, "which has 100");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a .keras that asks for more memory than there is gets none", async () => {
  const { unzip, zip } = await import("../../lib/files/zip.ts");
  const entries = await unzip(Deno.readFileSync(formatFile("keras/no_bias.keras")));
  const config = new TextDecoder().decode(entries.get("config.json"));
  for (const units of ["1000000000", "9007199254740993", "-1", "1e99", `"five"`, "null"]) {
    const text = config.replace(`"units": 5`, `"units": ${units}`);
    assert(text !== config);
    const bytes = await zip(new Map([...entries, ["config.json", new TextEncoder().encode(text)]]));
    await assertRejects(() => loadModel(bytes), UnreadableFileError);
  }
  const nested = "[".repeat(200_000);
  const bytes = await zip(new Map([...entries, ["config.json", new TextEncoder().encode(nested)]]));
  await assertRejects(() => loadModel(bytes), UnreadableFileError, "it must be JSON");
});

/** Models of the layers around an LSTM: windows, normalizations, attention, merges, states. */
const AROUND = [
  "keras_layers/cnn_lstm",
  "keras_layers/lrcn",
  "keras_layers/batch_normalization",
  "keras_layers/merges",
  "keras_masks/dots",
  "keras_attention/heads_named",
  "keras_recurrent/gru_states",
  "keras_graphs/both_directions",
  "keras_nested/distributed",
];

/** The file with another config.json. */
async function reconfigured(
  whole: Uint8Array,
  change: (config: Uint8Array) => Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const { unzip, zip } = await import("../../lib/files/zip.ts");
  const entries = await unzip(whole);
  entries.set("config.json", change(entries.get("config.json")!));
  return new Uint8Array(await zip(entries));
}

for (const name of AROUND) {
  const whole = Deno.readFileSync(formatFile(`${name}.keras`));

  Deno.test(`loadModel() gives a model or one clear error for 300 mutations of ${name}'s configuration`, async () => {
    let refused = 0;
    for (let seed = 0; seed < 300; seed++) {
      const bytes = await reconfigured(whole, (config) => mutated(config, seed));
      const result = await outcome(() => loadModel(bytes));
      assertOneError(result, `${name}, seed ${seed}`);
      if (result instanceof Error) refused += 1;
    }
    assert(refused > 150, `only ${refused} refused`);
  });

  Deno.test(`loadModel() gives a model or one clear error for 500 mutations of ${name} as .onnx`, async () => {
    const file = await Deno.makeTempFile();
    await saveOnnx(file, await loadModel(whole));
    const graph = await Deno.readFile(file);
    await Deno.remove(file);
    for (let seed = 0; seed < 500; seed++) {
      const result = await outcome(() => loadModel(mutated(graph, seed)));
      assertOneError(result, `${name}.onnx, seed ${seed}`);
    }
  });
}

Deno.test("what a changed option of a layer asks for is refused: too much, or not what it takes", async () => {
  /** @param option of the layer of that class; undefined leaves it out */
  const refuses = async (file: string, option: string, value: unknown, message: string) => {
    const [name, className, key] = [file, ...option.split(".")] as [string, string, string];
    const whole = Deno.readFileSync(formatFile(`${name}.keras`));
    const bytes = await reconfigured(whole, (config) => {
      const model = JSON.parse(new TextDecoder().decode(config));
      const layer = model.config.layers.find((one: { class_name: string }) =>
        one.class_name === className
      );
      layer.config[key] = value;
      return new TextEncoder().encode(JSON.stringify(model));
    });
    const { message: found } = await assertRejects(() => loadModel(bytes), UnreadableFileError);
    assert(found.includes(message), `${name}, ${option} ${value}: ${found}`);
  };
  const many = "a result may have at most 134217728 numbers a sample";
  await refuses("keras_layers/repeat_vector", "RepeatVector.n", 1e9, many);
  await refuses("keras_layers/zero_padding", "ZeroPadding1D.padding", 1e9, many);
  await refuses("keras_layers/up_sampling", "UpSampling1D.size", 1e9, many);
  const places = "a window has at most 65536 places, but pool_size is 1000000000";
  await refuses(
    "keras_layers/average_pooling_same",
    "AveragePooling1D.pool_size",
    1e9,
    places,
  );
  const one = "strides must be one number, but it is [1,2]";
  await refuses("keras_layers/conv_valid", "Conv1D.strides", [1, 2], one);
  await refuses("keras_layers/max_pooling", "MaxPooling1D.strides", [1, 2], one);
  await refuses("keras_layers/separable", "SeparableConv1D.strides", [1, 2], one);
  const number = "epsilon must be a number from 0, but it is null";
  await refuses("keras_layers/layer_normalization", "LayerNormalization.epsilon", null, number);
  const activation = "an Activation has an activation, but the configuration leaves it out";
  await refuses("keras/activation_layer", "Activation.activation", undefined, activation);
});
