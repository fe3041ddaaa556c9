// Models within models against Keras 3.15.1 (tests/fixtures/formats/keras_nested.py): predictions to
// 1e-6, as they are read and as saveKeras writes them anew.

import {
  loadModel,
  loadNpz,
  prove,
  saveKeras,
  type Tensor,
  UnreadableFileError,
} from "@gatescope/lstm";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { kerasModel } from "../../lib/formats/keras/config.ts";
import { kerasWriter } from "../../lib/formats/keras/version.ts";
import { formatFile } from "./loaded.ts";

const arrays = await loadNpz(formatFile("keras_nested/values.npz"));

/** The inputs of a model, and what Keras predicts of them. */
function known(name: string) {
  const inputs: Tensor[] = [];
  for (let k = 0; arrays.has(`${name}_x${k}`); k++) inputs.push(arrays.get(`${name}_x${k}`)!);
  const x = inputs.length === 1 ? inputs[0]! : inputs;
  return { x, y: arrays.get(`${name}_y`)! };
}

function assertClose(actual: Tensor, expected: Tensor) {
  assertEquals(actual.shape, expected.shape);
  const off = Math.max(...Array.from(actual.data, (y, k) => Math.abs(y - expected.data[k]!)));
  assert(off <= 1e-6, `${off} from Keras`);
}

for (const name of ["shared", "row", "unbuilt", "distributed"]) {
  for (const ending of ["keras", "h5"]) {
    Deno.test(`a model within a model, ${name}.${ending}, predicts as in Keras`, async () => {
      const model = await loadModel(formatFile(`keras_nested/${name}.${ending}`));
      const { x, y } = known(name);
      assertClose(model.predict(x), y);
      const { verdict } = prove(model, x, { expected: y });
      assert(["equal", "rounding"].includes(verdict), verdict);
      const file = await Deno.makeTempFile({ suffix: ".keras" });
      await saveKeras(file, model);
      const again = await loadModel(file);
      await Deno.remove(file);
      assertEquals(again.predict(x), model.predict(x));
    });
  }
}

Deno.test("its layers have its name before theirs, and one that is used twice has its weights once", async () => {
  const model = await loadModel(formatFile("keras_nested/shared.keras"));
  assertEquals(model.layers.map(({ name }) => name).slice(0, 3), [
    "encoder_lstm",
    "encoder_batch_normalization",
    "encoder_lstm_1",
  ]);
  assertEquals(model.layers.filter(({ layer }) => layer.className === "LSTM").length, 2);
});

const WRITER = kerasWriter("3.15.1");
const input = {
  class_name: "InputLayer",
  config: { batch_shape: [null, 2, 3], name: "input" },
  name: "input",
  inbound_nodes: [],
};
const called = (name: string, kwargs: object = {}) => ({
  args: [{
    class_name: "__keras_tensor__",
    config: { keras_history: [name, 0, 0] },
  }],
  kwargs,
});

Deno.test("a Functional model that tells no inputs is refused, and not taken for a row", () => {
  const lstm = {
    class_name: "LSTM",
    config: { name: "lstm", units: 2 },
    name: "lstm",
    inbound_nodes: [called("input")],
  };
  const config = { name: "m", layers: [input, lstm], output_layers: [["lstm", 0, 0]] };
  assertThrows(
    () => kerasModel({ class_name: "Functional", config }, WRITER),
    UnreadableFileError,
    "the inputs are undefined",
  );
  const nested = [input, { class_name: "Functional", config: { ...config, name: "inner" } }];
  assertThrows(
    () => kerasModel({ class_name: "Sequential", config: { name: "m", layers: nested } }, WRITER),
    UnreadableFileError,
    "the inputs are undefined",
  );
});

Deno.test("models that call one within them twice, level by level, are refused at once", () => {
  let inner: object = { class_name: "Sequential", config: { name: "none", layers: [input] } };
  for (let level = 0; level < 30; level++) {
    const within = { ...inner, name: "inner", inbound_nodes: [called("input"), called("inner")] };
    const layers = [input, within];
    const ends = { input_layers: [["input", 0, 0]], output_layers: [["inner", 1, 0]] };
    inner = { class_name: "Functional", config: { name: `m${level}`, layers, ...ends } };
  }
  const dense = { class_name: "Dense", config: { name: "dense", units: 1 } };
  const config = { name: "m", layers: [input, inner, dense] };
  assertThrows(
    () => kerasModel({ class_name: "Sequential", config }, WRITER),
    UnreadableFileError,
    "more than 2000 calls of layers",
  );
});

Deno.test("a mask among a call's arguments is refused, but where it is said to be none", () => {
  const layer = (kwargs: object) => ({
    class_name: "Attention",
    config: { name: "attention" },
    name: "attention",
    inbound_nodes: [{ args: [[called("input").args[0], called("input").args[0]]], kwargs }],
  });
  const read = (kwargs: object) => {
    const ends = { input_layers: [["input", 0, 0]], output_layers: [["attention", 0, 0]] };
    const config = { name: "m", layers: [input, layer(kwargs)], ...ends };
    return kerasModel({ class_name: "Functional", config }, WRITER);
  };
  assertEquals(read({ use_causal_mask: false, attention_mask: null }).layers.length, 1);
  assertEquals(read({ use_causal_mask: true }).layers[0]!.config.use_causal_mask, true);
  const kwargs = { query_mask: called("input").args[0] };
  assertThrows(() => read(kwargs), UnreadableFileError, "called with query_mask");
});

Deno.test("a ConvLSTM2D is refused by name", () => {
  const layers = [input, {
    class_name: "ConvLSTM2D",
    config: { name: "conv_lstm2d", filters: 2, kernel_size: [3, 3] },
  }];
  const config = { name: "m", layers };
  assertThrows(
    () => kerasModel({ class_name: "Sequential", config }, WRITER),
    UnreadableFileError,
    "is a ConvLSTM2D",
  );
});
