// Tolerance: 1e-6, relative where values are above 1; Keras computes in float32, and so do the files.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadModel, UnreadableFileError } from "@gatescope/lstm";
import { unzip, zip } from "../../lib/files/zip.ts";
import { arraysOf, assertPredicts, difference, formatFile } from "./loaded.ts";
import { LAYER_KINDS } from "../../lib/layers/table.ts";

const filesOf = (folder: string, ...ends: string[]) =>
  [...Deno.readDirSync(formatFile(folder))].map(({ name }) => name)
    .filter((name) => ends.some((end) => name.endsWith(end)))
    .filter((name) => !name.startsWith("refused") && !name.endsWith(".weights.h5"))
    .filter((name) => name !== "bidirectional_none.keras").toSorted();

/** A file's input and prediction: beside it, or among the layers' fixtures that it was made from. */
async function expectedOf(folder: string, file: string) {
  const stem = file.replace(/\.[^.]+$/, "");
  const beside = formatFile(`${folder}/${stem}.npz`);
  const isBeside = await Deno.stat(beside).then(() => true, () => false);
  return await arraysOf(isBeside ? beside : formatFile(`../layers/${stem}.npz`));
}

for (
  const [folder, writer, least] of [["keras", "Keras 3.15.1", 60], ["keras2", "Keras 2.21", 20], [
    "keras212",
    "TensorFlow 2.12's Keras",
    8,
  ]] as const
) {
  Deno.test(`loadModel() predicts what ${writer} predicts, every layer within 1e-6`, async (t) => {
    const files = filesOf(folder, ".keras", ".h5");
    assert(files.length >= least, `only ${files.length} files`);
    for (const file of files) {
      await t.step(file, async () => {
        const arrays = await expectedOf(folder, file);
        const model = await loadModel(formatFile(`${folder}/${file}`));
        if (file.startsWith("trained")) return;
        assertPredicts(model, arrays("x"), arrays("prediction"), file);
        assertEquals(model.provenance?.framework, "Keras");
        assertEquals(model.provenance?.notes, []);
      });
    }
  });
}

Deno.test("loadModel() keeps Keras's names, weights and their order", async () => {
  const model = await loadModel(formatFile("keras/functional_plain.keras"));
  assertEquals(model.layers.map(({ name }) => name), ["reader", "dense"]);
  const stacked = await loadModel(formatFile("keras/stacked.h5"));
  const arrays = await arraysOf(formatFile("../layers/stacked.npz"));
  stacked.getWeights().forEach((weight, k) => assertEquals(weight, arrays(`weights_${k}`)));
});

Deno.test("loadModel() logs where each array was and what was done to it", async () => {
  const { provenance } = await loadModel(formatFile("keras/stacked.keras"));
  assertEquals(provenance?.format, ".keras");
  assertEquals(provenance?.version, "3.15.1");
  assertEquals(provenance?.gateOrder, "i f c o");
  assertEquals(provenance?.arrays[4], {
    weight: "lstm_1/recurrent_kernel",
    from: "layers/lstm_1/cell/vars/1",
    shapeInFile: [7, 28],
    shape: [7, 28],
    steps: [],
  });
  const shown = Deno.inspect(provenance);
  assert(shown.includes("layers/lstm_1/cell/vars/1") && shown.includes("gates i f c o"), shown);
});

Deno.test("loadModel() reads Keras 2's hard_sigmoid as Keras 2 computes it", async () => {
  const two = await loadModel(formatFile("keras2/hard_sigmoid.h5"));
  assertEquals(two.layers[0]!.layer.config.recurrent_activation, "hard_sigmoid_keras2");
  const three = await loadModel(formatFile("keras/stacked_three.keras"));
  assertEquals(three.layers[1]!.layer.config.recurrent_activation, "hard_sigmoid");
});

for (const name of ["adam", "sgd", "rmsprop", "clipnorm", "global_clipnorm", "clipvalue"]) {
  Deno.test(`loadModel() goes on training with ${name} where Keras stopped, within 1e-6`, async () => {
    const arrays = await arraysOf(formatFile(`keras/trained_${name}.npz`));
    const files = name === "adam"
      ? ["trained_adam.keras", "trained_adam.h5"]
      : [`trained_${name}.keras`];
    for (const file of files) {
      const model = await loadModel(formatFile(`keras/${file}`));
      const options = { epochs: 2, batchSize: 4, shuffle: false, verbose: false };
      const { loss } = await model.fit(arrays("x"), arrays("y"), options);
      loss.forEach((value, k) => assert(Math.abs(value - arrays("losses").item(k)) < 1e-6, file));
      model.getWeights().forEach((weight, k) =>
        assert(difference(weight, arrays(`weights_${k}`)) < 1e-6, `${file}, weight ${k}`)
      );
    }
  });
}

const ELSEWISE = [
  [`"trainable": true`, `"trainable": false`, `has trainable false`],
  [`"kernel_regularizer": null`, `"kernel_regularizer": {"l2": 0.01}`, "has kernel_regularizer"],
  [`"bias_constraint": null`, `"bias_constraint": {"value": 1}`, "has bias_constraint"],
  [`"loss_weights": null`, `"loss_weights": [2.0, 1.0]`, "its loss_weights are [2,1]"],
  [
    `"loss": "categorical_crossentropy"`,
    `"loss": {"class_name": "CategoricalCrossentropy", "config": {"reduction": "sum"}}`,
    "the loss is",
  ],
  [`"weight_decay": null`, `"decay": 0.01`, "Adam has decay 0.01"], // Keras before 2.11
  [`"weight_decay": null`, `"weight_decay": 0.1`, "Adam has weight_decay 0.1"],
  [`"use_ema": false`, `"use_ema": true`, "Adam has use_ema true"],
  [`"amsgrad": false`, `"amsgrad": true`, "Adam has amsgrad true"],
  [`"loss_scale_factor": null`, `"loss_scale_factor": 2.0`, "Adam has loss_scale_factor 2"],
  [
    `"gradient_accumulation_steps": null`,
    `"gradient_accumulation_steps": 4`,
    "Adam has gradient_accumulation_steps 4",
  ],
] as const;

Deno.test("loadModel() does not compile what would learn otherwise than in Keras, and says why", async () => {
  const bytes = Deno.readFileSync(formatFile("keras/trained_adam.keras"));
  const entries = await unzip(bytes);
  const config = new TextDecoder().decode(entries.get("config.json"));
  const arrays = await arraysOf(formatFile("keras/trained_adam.npz"));
  const whole = await loadModel(bytes);
  for (const [from, to, reason] of ELSEWISE) {
    const at = config.indexOf(from, config.indexOf(`"LSTM"`));
    assert(at > 0, from);
    const changed = config.slice(0, at) + to + config.slice(at + from.length);
    entries.set("config.json", new TextEncoder().encode(changed));
    const model = await loadModel(await zip(entries));
    const [note = ""] = model.provenance!.notes;
    assert(note.startsWith("Not compiled: ") && note.includes(reason), note);
    assertEquals(model.predict(arrays("x")), whole.predict(arrays("x")));
    await assertRejects(() => model.fit(arrays("x"), arrays("y")), TypeError, "must be compiled");
  }
});

Deno.test("loadModel() says which layers are read where one is not", async () => {
  const entries = await unzip(await Deno.readFile(formatFile("keras/refused_gru.keras")));
  const config = new TextDecoder().decode(entries.get("config.json")!);
  const other = config.replace(`"class_name": "GRU"`, `"class_name": "ConvLSTM2D"`);
  assert(other !== config);
  entries.set("config.json", new TextEncoder().encode(other));
  const bytes = await zip(entries);
  await assertRejects(
    () => loadModel(bytes),
    UnreadableFileError,
    `: its layers must be of ${LAYER_KINDS.map(({ className }) => className).join(", ")}, ` +
      "but the layer",
  );
  await assertRejects(
    () => loadModel(formatFile("keras/bidirectional_none.keras")),
    UnreadableFileError,
    "merge_mode is None, which gives two results",
  );
});
