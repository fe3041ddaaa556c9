// PyTorch, ONNX and TF.js. Tolerance: 1e-6, relative where values are above 1.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { add, loadModel, tensor, UnreadableFileError } from "@gatescope/lstm";
import { arraysOf, assertPredicts, difference, formatFile } from "./loaded.ts";

const stemsOf = (folder: string, end: string) =>
  [...Deno.readDirSync(formatFile(folder))].map(({ name }) => name)
    .filter((name) => name.endsWith(end) && !name.startsWith("refused"))
    .map((name) => name.slice(0, -end.length)).toSorted();

const TORCH = [
  ...["plain", "no_bias", "stacked", "bidirectional"],
  ...["bidirectional_stacked", "double"],
];

for (const name of TORCH) {
  Deno.test(`loadModel() predicts what PyTorch's nn.LSTM gives: ${name}, within 1e-6`, async () => {
    const arrays = await arraysOf(formatFile(`pytorch/${name}.npz`));
    const model = await loadModel(formatFile(`pytorch/${name}.safetensors`));
    assertPredicts(model, arrays("x"), arrays("prediction"), name);
    assertEquals(model.precision, name === "double" ? "float64" : "float32");
  });
}

Deno.test("loadModel() logs PyTorch's transposed kernels and added biases", async () => {
  const { provenance } = await loadModel(formatFile("pytorch/bidirectional.safetensors"));
  assertEquals(provenance?.gateOrder, "i f g o");
  const [kernel, , bias, backward] = provenance!.arrays;
  assertEquals(kernel!.from, "weight_ih_l0");
  assertEquals([kernel!.shapeInFile, kernel!.shape], [[20, 3], [3, 20]]);
  assertEquals(kernel!.steps, ["transposed"]);
  assertEquals(bias!.from, "bias_ih_l0, bias_hh_l0");
  assertEquals(bias!.steps, ["both added"]);
  assertEquals(backward!.weight, "bidirectional/backward_layer/kernel");
  assertEquals(backward!.from, "weight_ih_l0_reverse");
});

Deno.test("loadModel() reads bfloat16 as PyTorch widens it", async () => {
  const arrays = await arraysOf(formatFile("pytorch/bfloat16.npz"));
  const model = await loadModel(formatFile("pytorch/bfloat16.safetensors"));
  const [kernel, recurrentKernel, bias] = model.getWeights();
  assertEquals(kernel!.transpose().data, arrays("weight_ih_l0").data);
  assertEquals(recurrentKernel!.transpose().data, arrays("weight_hh_l0").data);
  const sum = add(arrays("bias_ih_l0"), arrays("bias_hh_l0"));
  assertEquals(bias!.data, Float32Array.from(sum.data));
  assertEquals(
    model.provenance!.arrays[2]!.summands!.map(({ data }) => data),
    ["bias_ih_l0", "bias_hh_l0"].map((name) => arrays(name).data),
  );
});

Deno.test("provenance shows what a file says of itself as text, and not all of a long one", async () => {
  const whole = await Deno.readFile(formatFile("pytorch/plain.safetensors"));
  const length = Number(new DataView(whole.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(whole.subarray(8, 8 + length)));
  const texts = Array.from({ length: 5000 }, (_, k) => [`<script>${k}`, "x".repeat(1000)]);
  header["__metadata__"] = Object.fromEntries(texts);
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array([...new Uint8Array(8), ...text, ...whole.subarray(8 + length)]);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  const { provenance } = await loadModel(bytes);
  const display = Symbol.for("Jupyter.display") as keyof typeof provenance;
  const media = await (provenance![display] as () => Promise<Record<string, string>>)();
  for (const shown of Object.values(media)) assert(shown.length < 20_000, String(shown.length));
  assert(!media["text/html"]!.includes("<script>"));
  assert(media["text/plain"]!.includes("more notes"));
});

for (const name of stemsOf("pytorch", ".onnx")) {
  Deno.test(`loadModel() predicts what ONNX Runtime makes of PyTorch's export ${name}, within 1e-6`, async () => {
    const arrays = await arraysOf(formatFile("pytorch/onnxruntime.npz"));
    const model = await loadModel(formatFile(`pytorch/${name}.onnx`));
    model.predictAll(arrays(`${name}/x0`)).forEach((one, k) => {
      const off = difference(one, arrays(`${name}/y${k}`));
      assert(off <= 1e-6, `result ${k} [${one.shape}] is off by ${off}`);
    });
  });
}

Deno.test("an ONNX graph that is a row is one of Keras's layers, with nothing that turns axes", async () => {
  const classNames = async (file: string) =>
    (await loadModel(formatFile(file))).layers.map(({ layer }) => layer.className);
  assertEquals(await classNames("pytorch/classifier.onnx"), ["LSTM", "Dense"]);
  assertEquals(await classNames("pytorch/tagger.onnx"), ["Embedding", "LSTM", "Dense"]);
  assertEquals(await classNames("onnx/classifier.onnx"), ["LSTM", "LSTM", "Dense"]);
  for (const exporter of ["dynamo", "script"]) {
    for (const axes of ["open", "fixed"]) {
      const idiom = (name: string) => classNames(`torch_idioms/${name}.${exporter}.${axes}.onnx`);
      assertEquals(await idiom("last_step"), ["LSTM", "Dense"]);
      assertEquals(await idiom("last_hidden"), ["LSTM", "Dense"]);
      assertEquals(await idiom("two_layers"), ["LSTM", "LSTM", "Dense"]);
      assertEquals(await idiom("both_tagger"), ["Bidirectional", "Dense"]);
      assertEquals(await idiom("both_hidden_reshaped"), ["Bidirectional", "Dense"]);
      assertEquals(await idiom("both_last_step"), ["Bidirectional", "GetItem", "Dense"]);
    }
  }
});

for (const name of stemsOf("onnx", ".onnx")) {
  Deno.test(`loadModel() predicts what ONNX Runtime makes of ${name}.onnx, within 1e-6`, async () => {
    const arrays = await arraysOf(formatFile(`onnx/${name}.npz`));
    const model = await loadModel(formatFile(`onnx/${name}.onnx`));
    assertPredicts(model, arrays("x"), arrays("prediction"), name);
  });
}

Deno.test("loadModel() logs ONNX's reordered gates and halved biases", async () => {
  const model = await loadModel(formatFile("onnx/bidirectional.onnx"));
  const { provenance } = model;
  assertEquals(provenance?.gateOrder, "i o f c");
  assertEquals(provenance?.version, "opset 17");
  const backward = provenance!.arrays.slice(3);
  assertEquals(backward.map(({ steps }) => steps), [
    ["direction 1 of [2, 20, 3]", "transposed", "gates i o f c → i f c o"],
    ["direction 1 of [2, 20, 5]", "transposed", "gates i o f c → i f c o"],
    ["direction 1 of [2, 40]", "its two halves added", "gates i o f c → i f c o"],
  ]);
  const [a, b] = backward[2]!.summands!;
  assertEquals(Float32Array.from(add(a!, b!).data), model.getWeights()[5]!.data);
});

for (const name of stemsOf("tfjs", ".expected.json")) {
  Deno.test(`loadModel() predicts what TF.js predicts: ${name}, within 1e-6`, async () => {
    const expected = await Deno.readTextFile(formatFile(`tfjs/${name}.expected.json`));
    const { x, prediction } = JSON.parse(expected);
    const model = await loadModel(formatFile(`tfjs/${name}.json`));
    assertPredicts(model, tensor(x), tensor(prediction), name);
    assert(model.provenance?.framework?.includes("tfjs-layers"));
  });
}

Deno.test("loadModel() reads TF.js's own default, hardSigmoid, from the configuration", async () => {
  const plain = await loadModel(formatFile("tfjs/plain.json"));
  assertEquals(plain.layers[0]!.layer.config.recurrent_activation, "hard_sigmoid_keras2");
});

const REFUSED = [
  ["pytorch/refused_proj.safetensors", "weight_hr_l0 [2, 5] is there"],
  ["pytorch/refused_torchscript.pt", "the file is a TorchScript module"],
  ["pytorch/classifier.safetensors", "fc.* a Dense of 2"],
  ["torch/refused_module.pth", `a whole module, of class "torch.nn.modules.rnn.LSTM"`],
  ["torch/refused_module_legacy.pt", `a whole module, of class "torch.nn.modules.linear.Identity"`],
  ["torch/refused_checkpoint_module.pth", `a whole module, of class "__main__.Classifier"`],
  ["torch/refused_numpy.pth", `names "numpy._core.multiarray.scalar"`],
  ["torch/refused_no_state_dict.pth", "must hold a state_dict: tensors by their names"],
  ["onnx/refused_clip.onnx", "an LSTM: it has clip"],
  ["onnx/refused_two_cells.onnx", "its directions must have the same activations"],
  ["onnx/refused_input_forget.onnx", "an LSTM: it has input_forget"],
  ["onnx/refused_unknown_attribute.onnx", `LSTM has no attribute "acthvations" in opset 17`],
  ["onnx/refused_newer_attribute.onnx", `LSTM has no attribute "layout" in opset 13`],
  ["onnx/refused_attribute_kind.onnx", "its attribute hidden_size must be of type 2 (int)"],
  ["onnx/refused_attribute_twice.onnx", "its attribute hidden_size is there twice"],
  ["onnx/refused_uint64.onnx", "the value is 18446744073709551615"],
] as const;

for (const [file, message] of REFUSED) {
  Deno.test(`loadModel() refuses ${file}, and says what it holds`, async () => {
    await assertRejects(() => loadModel(formatFile(file)), UnreadableFileError, message);
  });
}

Deno.test("loadModel() tells a kind of file by its bytes, not by its name", async () => {
  const bytes = await Deno.readFile(formatFile("pytorch/plain.safetensors"));
  assertEquals((await loadModel(bytes)).layers.length, 1);
  const read = (text: string) => loadModel(new TextEncoder().encode(text));
  await assertRejects(() => read("<!DOCTYPE html>"), UnreadableFileError, "<!DOCTYPE html>");
  await assertRejects(() => read(""), UnreadableFileError, "the file is empty");
  await assertRejects(() => read("\x93NUMPY"), UnreadableFileError);
});
