// ONNX graphs that are no row of layers, node by node: what each operator makes of its inputs, by
// ONNX Runtime, with the file's own axes (tests/fixtures/formats/onnx_nodes.py, torch_idioms.py).
// Tolerance: 1e-6, relative where values are above 1.

import {
  loadModel,
  loadNpy,
  multiply,
  prove,
  saveKeras,
  type Tensor,
  tensor,
  trace,
  UnreadableFileError,
} from "@gatescope/lstm";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { writeOnnx } from "../../lib/files/onnx.ts";
import type { OnnxNode, OnnxTensor } from "../../lib/files/onnx_schema.ts";
import { outcome } from "../files/arrays.ts";
import { chance } from "../files/mutations.ts";
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
    if (y.length > 1) return; // of one output, rounding explains the difference, and each step's own
    const given = x.length === 1 ? x[0]! : x;
    for (
      const { verdict, sentence } of [prove(model, given, { expected: y[0]! }), prove(model, given)]
    ) {
      assert(verdict === "equal" || verdict === "rounding", sentence);
    }
  });
}

// Recorded on 2026-11-27: of 46 idioms by two exporters all that PyTorch exports, of LSTM with fixed
// and open axes, of GRU and RNN with open ones; the default exporter refuses packed sequences.
const FOLDERS = { LSTM: "torch_idioms", GRU: "torch_idioms_gru", RNN: "torch_idioms_rnn" };
const idioms = await casesOf(FOLDERS.LSTM);
const damaged = [...await casesOf("onnx_nodes"), ...idioms];

for (const [kind, folder] of Object.entries(FOLDERS)) {
  const cases = kind === "LSTM" ? idioms : await casesOf(folder);
  if (cases !== idioms) damaged.push(...cases);
  const other = await arraysOf(formatFile(`${folder}/expected.npz`));
  for (const name of [...new Set(cases.map(({ name }) => name.split(".")[0]!))]) {
    Deno.test(`loadModel() predicts what ONNX Runtime makes of PyTorch's ${kind} idiom ${name}, within 1e-6`, async () => {
      for (const { name: file, path, x, y } of cases) {
        if (file.split(".")[0] !== name) continue;
        const model = await loadModel(path);
        const check = (x: Tensor[], y: Tensor[], what: string) => {
          const found = model.predictAll(x.length === 1 ? x[0]! : x);
          assertEquals(found.length, y.length, what);
          found.forEach((one, k) => {
            const off = difference(one, y[k]!);
            assert(off <= 1e-6, `${what}: result ${k} [${one.shape}] is off by ${off}`);
          });
        };
        check(x, y, file);
        const again = x.map((_, k) => maybe(() => other(`${file}.other/x${k}`)));
        const results = y.map((_, k) => maybe(() => other(`${file}.other/y${k}`)));
        if (again.every((one) => one !== undefined) && results.every((one) => one !== undefined)) {
          check(again, results, `${file}, another batch and other steps`);
        }
      }
    });
  }
}

function maybe<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** `[steps, batch, …]` and `[batch, steps, …]`. */
function turned({ data, shape: [a, b, ...rest] }: Tensor): Tensor {
  const size = rest.reduce((product, length) => product * length, 1);
  const result = new Float32Array(data.length);
  for (let k = 0; k < data.length; k++) {
    const [i, j] = [Math.floor(k / size / b!), Math.floor(k / size) % b!];
    result[(j * a! + i) * size + k % size] = data[k]!;
  }
  return tensor(result).reshape([b!, a!, ...rest]);
}

Deno.test("a result that is taken twice is of one layer, with its arrays once", async () => {
  const weights = async (name: string) =>
    (await loadModel(formatFile(`onnx_nodes/${name}.onnx`))).getWeights().map(({ shape }) => shape);
  assertEquals(await weights("matmul_taken_twice"), [[3, 5], [5]]);
  assertEquals(await weights("matmul_taken_turned"), [[3, 5], [5]]);
  assertEquals(await weights("silu_and_its_input"), [[3, 5]]);
  assertEquals(await weights("lstm_sequence_and_last"), [[3, 20], [5, 20], [20]]);
  assertEquals(await weights("silu_of_dense"), [[3, 5], [5]]);
});

Deno.test("convolutions, pooling and normalization over time are Keras's layers where those do the same", async () => {
  const classNames = async (name: string) => {
    const { layers } = await loadModel(formatFile(`${name}.onnx`));
    return layers.map(({ layer }) => layer.className);
  };
  const between = (name: string) => ["Permute", name, "Permute"];
  for (const name of ["valid", "same", "same_dilated", "causal", "same_upper", "groups"]) {
    assertEquals(await classNames(`onnx_nodes/conv1d_${name}`), between("Conv1D"));
  }
  assertEquals(await classNames("onnx_nodes/conv1d_padded"), ["OnnxConv"]);
  assertEquals(await classNames("onnx_nodes/conv1d_padded_strides"), ["OnnxConv"]);
  assertEquals(await classNames("onnx_nodes/maxpool1d"), between("MaxPooling1D"));
  assertEquals(await classNames("onnx_nodes/averagepool1d_padded"), ["OnnxAveragePool"]);
  assertEquals(await classNames("onnx_nodes/batch_norm1d"), between("BatchNormalization"));
  assertEquals(await classNames("onnx_nodes/batch_norm_of_last"), ["BatchNormalization"]);
  for (
    const [idiom, ...own] of [
      ["convolution_pooled", "Conv1D", "MaxPooling1D", "LSTM", "Dense"],
      ["batch_norm_of_steps", "LSTM", "BatchNormalization", "Dense"],
    ]
  ) {
    const file = `torch_idioms/${idiom}.dynamo.open`;
    assertEquals(await classNames(file), own);
    const model = await loadModel(formatFile(`${file}.onnx`));
    const keras = await Deno.makeTempFile({ suffix: ".keras" });
    await saveKeras(keras, model);
    const [x] = idioms.find(({ name }) => name === `${idiom}.dynamo.open`)!.x;
    assert(difference((await loadModel(keras)).predict(x!), model.predict(x!)) <= 1e-7);
    await Deno.remove(keras);
  }
});

Deno.test("a graph of one sample predicts others alike, or says that it cannot", async () => {
  for (const name of ["sample_of_one", "sample_of_one_joined"]) {
    const model = await loadModel(formatFile(`onnx_nodes/${name}.onnx`));
    const samples = [0, 1].map((n) =>
      tensor(Array.from({ length: 18 }, (_, k) => Math.sin(9 * n + k)))
    );
    const each = samples.map((one) => model.predict(one.reshape([1, 6, 3])));
    const both = tensor(samples.flatMap(({ data }) => [...data])).reshape([2, 6, 3]);
    const found = maybe(() => model.predict(both));
    if (found === undefined) continue;
    const expected = tensor(each.flatMap(({ data }) => [...data])).reshape([
      2,
      ...each[0]!.shape.slice(1),
    ]);
    assert(difference(found, expected) <= 1e-6, name);
  }
});

Deno.test("a model of nodes is traced, proved and trained, and its rounding explained", async () => {
  for (
    const name of [
      "attention",
      "time_first_tagger",
      "both_hidden",
      "layer_norm",
      "flipped",
      "packed",
    ]
  ) {
    const file = name === "packed" ? "packed.script.fixed" : `${name}.dynamo.open`;
    const { path, x, y } = idioms.find((one) => one.name === file)!;
    const model = await loadModel(path);
    const { verdict } = prove(model, x[0]!, { expected: y[0]! });
    assert(verdict === "rounding" || verdict === "equal", `${name}: ${verdict}`);
    const { layers, names, prediction } = trace(model, x[0]!);
    assertEquals(layers.length, names.length);
    assert(difference(prediction, y[0]!) <= 1e-6, name);
    model.compile({ optimizer: "adam", loss: "mse" });
    if (name === "time_first_tagger" || name === "packed") {
      await assertRejects(() => model.fit(x[0]!, y[0]!), TypeError, "must be that of samples");
    } else {
      const { loss } = await model.fit(x[0]!, multiply(y[0]!, 0.5), { epochs: 3 });
      assert(loss[2]! < loss[0]!, `${name}: ${loss}`);
    }
  }
});

Deno.test("a graph whose result has another first axis than its input is not trained", async () => {
  const arrays = await arraysOf(formatFile("pytorch/onnxruntime.npz"));
  const model = await loadModel(formatFile("pytorch/plain.onnx")); // h and c are [1, batch, units]
  model.compile({ optimizer: "adam", loss: ["mse", "mse", "mse"] });
  const y = [0, 1, 2].map((k) => arrays(`plain/y${k}`));
  await assertRejects(
    () => model.fit(arrays("plain/x0"), y),
    TypeError,
    "must be that of samples",
  );
});

Deno.test("a GRU and an RNN out of PyTorch are traced, proved and trained", async () => {
  for (const [folder, gates] of [["torch_idioms_gru", 3], ["torch_idioms_rnn", 0]] as const) {
    const cases = await casesOf(folder);
    for (const idiom of ["both_hidden_reshaped", "two_layers", "encoder_decoder"]) {
      const { path, x, y } = cases.find(({ name }) => name === `${idiom}.script.open`)!;
      const model = await loadModel(path);
      assertEquals(model.provenance!.gateOrder, gates === 3 ? "z r h" : "none");
      const given = x.length === 1 ? x[0]! : x;
      const { verdict, sentence } = prove(model, given, { expected: y[0]! });
      assert(verdict === "rounding" || verdict === "equal", `${idiom}: ${sentence}`);
      const { layers } = trace(model, given);
      assertEquals(layers.map((layer) => Object.keys(layer.gates).length), [gates, gates]);
      if (idiom === "encoder_decoder") continue;
      model.compile({ optimizer: "adam", loss: "mse" });
      const { loss } = await model.fit(given, multiply(y[0]!, 0.5), { epochs: 3 });
      assert(loss[2]! < loss[0]!, `${idiom}: ${loss}`);
    }
  }
});

Deno.test("inputs whose first axes differ are given as they are in the file", async () => {
  const states = idioms.find((one) => one.name === "states_in_and_out.dynamo.open")!;
  const model = await loadModel(states.path);
  assertEquals(model.inputs.map(({ name }) => name), ["x0", "x1", "x2"]);
  const [x0, x1, x2] = states.x as [Tensor, Tensor, Tensor];
  assertEquals(
    model.predictAll({ x0, x1, x2 }).map(({ shape }) => shape),
    states.y.map((y) => y.shape),
  );
  const wrong = turned(x1);
  assertThrows(() => model.predictAll([x0, wrong, x2]), Error, "initial_h is");
});

Deno.test("what differs in the lengths of a call is said where they do not fit the graph", async () => {
  const { path, x } = idioms.find((one) => one.name === "learned_start.script.fixed")!;
  const model = await loadModel(path);
  const one = tensor(x[0]!.data.slice(0, 20)).reshape([1, 5, 4]);
  assertThrows(() => model.predict(one), RangeError, "of an ONNX graph: its inputs must fit it");
});

/** Files that failed for people, and how far ONNX Runtime's own is off (of 16 bits, far). */
const REPORTED: Readonly<Record<string, number>> = {
  tf2onnx_T1: 1e-6, // one step
  tf2onnx_bi: 1e-6, // tfjs#1220, tfjs#4663, tfjs#3458
  tf2onnx_bi_relu5: 1e-6, // tensorflow-onnx#2211
  tf2onnx_dense3d: 1e-6,
  tf2onnx_gobackwards_last: 1e-6, // tensorflow#40345: ReverseSequence
  onnx_flip_ts: 1e-6, // pytorch#191855
  onnx_fp16_io16: 3e-3, // onnxruntime#15341: its own sums are of 16 bits
};

for (const [name, tolerance] of Object.entries(REPORTED)) {
  Deno.test(`${name} opens and predicts what ONNX Runtime does`, async () => {
    const folder = `reported/${name}`;
    const model = await loadModel(formatFile(`${folder}/model.onnx`));
    const found = model.predict(await loadNpy(formatFile(`${folder}/x.npy`)));
    const off = difference(found, await loadNpy(formatFile(`${folder}/expected.npy`)));
    assert(off <= tolerance, `off by ${off}`);
    const halves = model.provenance!.notes.some((note) => note.includes("computed in float32"));
    assertEquals(halves, name === "onnx_fp16_io16");
  });
}

Deno.test("loops and quantized operators are refused by name, with what opens instead", async () => {
  for (
    const [name, ...messages] of [
      [
        "tf2onnx_gru",
        `"sequential/gru/while_loop", a Loop: loops are not read (tf2onnx writes masks, GRUs`,
        "the Keras model itself, by model.save() as .keras or .h5, opens",
      ],
      ["../tf2onnx/keras_recurrent__gru_plain", "a Loop: loops are not read"],
      [
        "onnx_last_ts_qdyn",
        `a DynamicQuantizeLSTM of "com.microsoft": numbers of 8 bits are not read`,
        "the model as it was before it was quantized opens",
      ],
    ] as const
  ) {
    const file = formatFile(
      name.startsWith("../") ? `${name.slice(3)}.onnx` : `reported/${name}/model.onnx`,
    );
    for (const message of messages) {
      await assertRejects(() => loadModel(file), UnreadableFileError, message);
    }
  }
});

Deno.test("ONNX's own quantized operators are refused alike", async () => {
  const x = {
    name: "X",
    type: { tensor: { dataType: 1, shape: { axes: [{ length: 2 }, { length: 3 }] } } },
  };
  for (
    const type of ["MatMulInteger", "QLinearMatMul", "DynamicQuantizeLinear", "DequantizeLinear"]
  ) {
    const file = await writeOnnx({
      irVersion: 8,
      opsets: [{ version: 17 }],
      graph: {
        nodes: [{ type, inputs: ["X"], outputs: ["Y"] }],
        inputs: [x],
        outputs: [{ name: "Y" }],
      },
    });
    const message = `a ${type}: numbers of 8 bits are not read`;
    await assertRejects(() => loadModel(file), UnreadableFileError, message);
  }
});

const tensorflow = await casesOf("tf2onnx");

for (const { name, path, x, y } of tensorflow) {
  if (y.length === 0) continue; // one with a loop
  Deno.test(`loadModel() predicts what ONNX Runtime makes of tf2onnx's ${name}, within 1e-6`, async () => {
    const model = await loadModel(path);
    model.predictAll(x.length === 1 ? x[0]! : x).forEach((one, k) => {
      const off = difference(one, y[k]!);
      assert(off <= 1e-6, `result ${k} [${one.shape}] is off [${y[k]!.shape}] by ${off}`);
    });
  });
}

Deno.test("2,000 damaged graphs of nodes give a model or one clear error each, none slowly", async () => {
  const below = chance(29);
  for (let k = 0; k < 2_000; k++) {
    const bytes = Deno.readFileSync(damaged[below(damaged.length)]!.path);
    for (let n = 0; n <= below(3); n++) bytes[below(bytes.length)]! ^= 1 << below(8);
    const start = performance.now();
    const result = await outcome(() => loadModel(bytes));
    const isClear = !(result instanceof Error) || result instanceof UnreadableFileError;
    assert(isClear, `mutation ${k}: ${isClear || (result as Error).stack}`);
    assert(performance.now() - start < 5_000, `mutation ${k} took long`);
  }
});

Deno.test("a graph of nodes that asks for much with little is refused", async () => {
  const x = {
    name: "X",
    type: { tensor: { dataType: 1, shape: { axes: [{ parameter: "n" }, { length: 2 }] } } },
  };
  const ints = (name: string, ...int64s: number[]) => ({
    name,
    dataType: 7,
    shape: [int64s.length],
    int64s,
  });
  const refuses = async (nodes: OnnxNode[], arrays: OnnxTensor[], message: string) => {
    const file = await writeOnnx({
      irVersion: 8,
      opsets: [{ version: 17 }],
      graph: { nodes, initializers: arrays, inputs: [x], outputs: [{ name: "Y" }] },
    });
    await assertRejects(() => loadModel(file), UnreadableFileError, message);
  };
  const node = (type: string, inputs: string[], output = "Y") => ({
    type,
    inputs,
    outputs: [output],
  });
  const wide = ints("s", 1, 2 ** 30, 2);
  await refuses([node("Expand", ["X", "s"])], [wide], "may have at most 134217728 numbers");
  await refuses(
    [node("ConstantOfShape", ["s"], "z"), node("Add", ["X", "z"])],
    [wide],
    "computed of lengths has at most 4194304 numbers",
  );
  const chain = Array.from(
    { length: 600 },
    (_, k) => node("Add", [k === 0 ? "l" : `a${k - 1}`, "s"], `a${k}`),
  );
  await refuses(
    [node("Shape", ["X"], "l"), ...chain, node("Reshape", ["X", "a599"])],
    [ints("s", 0)],
    "more than 500 nodes compute with lengths",
  );
});
