// Recurrent layers alone, out of models in which they stand among what is not read (alone.py): what
// each takes and gives there, by Keras 3.15.1, ONNX Runtime and PyTorch. Tolerance: 1e-6.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  denseForward,
  loadModel,
  loadRecurrent,
  type Model,
  prove,
  type Tensor,
  tensor,
  trace,
  UnreadableFileError,
} from "@gatescope/lstm";
import { unzip, zip } from "../../lib/files/zip.ts";
import { outcome } from "../files/arrays.ts";
import { mutated } from "../files/mutations.ts";
import { arraysOf, assertPredicts, difference, formatFile } from "./loaded.ts";

const file = (name: string) => formatFile(`alone/${name}`);
const values = await arraysOf(file("values.npz"));
const lines: Record<string, string> = JSON.parse(Deno.readTextFileSync(file("lines.json")));

/** The names, with what goes in besides x. */
type Cases = readonly (readonly [name: string, more?: readonly string[], known?: string])[];

function assertAlone(models: Map<string, Model>, stem: string, cases: Cases): void {
  assertEquals([...models.keys()], cases.map(([name]) => name));
  for (const [name, more = [], known = name] of cases) {
    const model = models.get(name)!;
    const [x, y] = [values(`${stem} ${known} x`), values(`${stem} ${known} y`)];
    const given = [x, ...more.map((what) => values(`${stem} ${known} ${what}`))];
    assertEquals(model.inputs.length, given.length, name);
    const off = difference(model.predict(given.length === 1 ? x : given), y);
    assert(off <= 1e-6, `${stem} ${name} is off by ${off}`);
    const isPair = model.layers.some(({ layer }) => layer.className === "Bidirectional");
    const { layers } = trace(model, given.length === 1 ? x : given);
    assertEquals(layers.length, isPair ? 2 : 1);
  }
}

const TOLD: Cases = [["first"], ["second", ["mask"]], ["encoder/deep"], ["both"], ["back"]];

Deno.test("loadRecurrent() opens each layer of a .keras among a Lambda, classes of the author's own and models within models", async () => {
  const models = await loadRecurrent(file("whole.keras"));
  const own = ["block/both", "block/inner", "block/more/gru", "block/more/gru_1"];
  assertAlone(models, "whole", [...TOLD, ...own.map((name) => [name] as const)]);
  assertEquals(models.get("first")!.inputs.map(({ shape }) => shape), [[5, 3]]);
  assertEquals(models.get("second")!.inputs.map(({ name }) => name), ["x", "mask"]);
  const notes = models.get("block/inner")!.provenance!.notes;
  assert(notes.some((note) => note.startsWith("Its activations do not stand in the file")));
});

Deno.test("loadRecurrent() opens each layer of a .h5 of Keras 3, those of its own class by their names", async () => {
  const models = await loadRecurrent(file("whole.h5"));
  const told = TOLD.map(([name]) => name);
  const own = [...models.keys()].filter((name) => !told.includes(name));
  const kinds = own.map((name) => models.get(name)!.layers[0]!.layer.className);
  assertEquals(kinds.toSorted(), ["Bidirectional", "GRU", "GRU", "LSTM"]);
  assertEquals(own.toSorted(), ["block/bidirectional", "block/gru", "block/gru_1", "block/lstm"]);
  const known = new Map([["LSTM", "block/inner"], ["Bidirectional", "block/both"]]);
  const grus = ["block/more/gru", "block/more/gru_1"];
  assertAlone(models, "whole", [
    ...TOLD,
    ...own.map((name, k) => [name, [], known.get(kinds[k]!) ?? grus.shift()!] as const),
  ]);
});

Deno.test("loadRecurrent() opens each layer of a .weights.h5 by its shapes, the activations as they are given", async () => {
  const models = await loadRecurrent(file("whole.weights.h5"));
  const { provenance } = models.get("encoder/deep")!;
  assertEquals(provenance?.format, ".weights.h5");
  const plain = ["encoder/deep", "both", "block/both", "block/inner", "block/more/gru"];
  for (const name of plain) {
    const off = difference(
      models.get(name)!.predict(values(`whole ${name} x`)),
      values(`whole ${name} y`),
    );
    assert(off <= 1e-6, `${name} is off by ${off}`);
  }
  const given = { activation: "relu", recurrentActivation: "hard_sigmoid" } as const;
  const second = (await loadRecurrent(file("whole.weights.h5"), given)).get("second")!;
  const x = values("whole second x").select(0, 0).reshape([1, 5, 4]); // of which each step counts
  const y = values("whole second y").select(0, 0).reshape([1, 5, 4]);
  assertPredicts(second, x, y, "second");
});

Deno.test("loadRecurrent() takes a mask that an Embedding makes, first states, and the batch of a stateful layer", async () => {
  assertAlone(await loadRecurrent(file("row.keras")), "row", [["masked", ["mask"]]]);
  const pair = await loadRecurrent(file("pair.keras"));
  assertAlone(pair, "pair", [["encoder"], ["decoder", ["state0", "state1"]]]);
  const kept = (await loadRecurrent(file("stateful.keras"))).get("kept")!;
  const x = values("stateful kept x");
  assertPredicts(kept, x, values("stateful kept y"), "the first call");
  assertPredicts(kept, x, values("stateful kept y2"), "the second call");
  assertThrows(() => kept.predict(x.select(0, 0).reshape([1, 4, 3])), TypeError, "of 2");
});

Deno.test("loadRecurrent() asks for the mask where a class of the author's own stands before a layer, which may hand one on", async () => {
  const entries = await unzip(Deno.readFileSync(file("row.keras")));
  const config = JSON.parse(new TextDecoder().decode(entries.get("config.json")));
  const own = {
    class_name: "Own",
    module: null,
    registered_name: "a>Own",
    config: { name: "own" },
  };
  config.config.layers.splice(2, 0, own); // between the words and the LSTM
  const text = new TextEncoder().encode(JSON.stringify(config));
  const models = await loadRecurrent(await zip(new Map(entries).set("config.json", text)));
  assertAlone(models, "row", [["masked", ["mask"]]]);
  const notes = models.get("masked")!.provenance!.notes.join(" ");
  assert(notes.includes(`Whether "own" (Own) hands a mask on does not stand in the file`), notes);
});

Deno.test("loadRecurrent() opens a model of the author's own class, by its attributes", async () => {
  assertAlone(await loadRecurrent(file("own_model.keras")), "own_model", [["encoder"], [
    "heads/gru",
  ]]);
});

Deno.test("loadRecurrent() opens the nodes of an ONNX graph among operators of nobody's domain", async () => {
  const models = await loadRecurrent(file("strange.onnx"));
  assertAlone(models, "strange", [["the_lstm"], ["the_gru"], ["the_rnn"], [
    "y",
    ["state0", "state1"],
  ]]);
  assertEquals(models.get("the_lstm")!.inputShape, [5, 3]);
  assert(
    models.get("the_lstm")!.provenance?.input?.includes(
      `.run(["a"], inputs)[0].transpose(1, 0, 2)`,
    ),
  );
});

Deno.test("loadRecurrent() opens the modules of a PyTorch module of one's own, layer by layer", async () => {
  const models = await loadRecurrent(file("odd.pth"));
  assertEquals([...models.keys()], ["read_l0", "read_l1", "gru", "rnn", "cell"]);
  for (const name of ["gru", "rnn", "cell"]) {
    assertPredicts(
      models.get(name)!,
      values(`odd.pth ${name} x`),
      values(`odd.pth ${name} y`),
      name,
    );
  }
  const [first, second] = [models.get("read_l0")!, models.get("read_l1")!];
  const y = second.predict(first.predict(values("odd.pth read x")));
  assert(difference(y, values("odd.pth read y")) <= 1e-6);
  const relu = (await loadRecurrent(file("odd.pth"), { activation: "relu" })).get("rnn")!;
  assertEquals(relu.layers[0]!.layer.config.activation, "relu");
  const notes = models.get("rnn")!.provenance!.notes.join(" ");
  assert(notes.includes("tanh or relu does not stand in the file"), notes);
});

Deno.test("each model says the line of Python that gives its input, as Keras and PyTorch ran it", async () => {
  const open = new Map<string, Map<string, Model>>();
  for (const [key, line] of Object.entries(lines)) {
    const [stem, name] = key.split(" ") as [string, string];
    if (stem === "held") continue; // below
    const source = file(stem.includes(".") ? stem : `${stem}.keras`);
    const models = open.get(stem) ?? await loadRecurrent(source);
    open.set(stem, models);
    assertEquals(models.get(name)!.provenance?.input, line, key);
    assert(String(Deno.inspect(models.get(name)!.provenance)).includes(`Its input: ${line}`));
  }
});

Deno.test("a layer alone is proved, whatever stood around it", async () => {
  const both = (await loadRecurrent(file("whole.keras"))).get("both")!;
  const proof = prove(both, values("whole both x"), { expected: values("whole both y") });
  assert(proof.verdict !== "mismatch", proof.verdict);
});

Deno.test("loadRecurrent() leaves out a layer whose own activation is not Keras's, and says so in the others' notes", async () => {
  const models = await loadRecurrent(file("odd.keras"));
  assertAlone(models, "odd", [["even"]]);
  const [note] = models.get("even")!.provenance!.notes.slice(-1);
  assert(note!.startsWith(`Not opened: "odd" (LSTM): `) && note!.includes("doubled"), note);
  const refuses = (name: string, message: string) =>
    assertRejects(() => loadRecurrent(file(name)), UnreadableFileError, message);
  await refuses("refused_odd.keras", `an LSTM, a GRU or a SimpleRNN, but "odd" (LSTM): `);
  await refuses("refused_none.keras", "an LSTM, a GRU or a SimpleRNN, but there is none");
  await assertRejects(() => loadRecurrent(formatFile("keras/stacked.npz")), UnreadableFileError);
});

Deno.test("loadModel() refuses what is not read, and points to loadRecurrent() where that opens something", async () => {
  const said: [name: string, kinds: string][] = [
    ["whole.keras", "LSTMs and GRUs and SimpleRNNs"],
    ["whole.h5", "LSTMs and GRUs and SimpleRNNs"],
    ["own_model.keras", "LSTMs and GRUs"],
    ["odd.keras", "GRUs"],
    ["strange.onnx", "LSTMs and GRUs and SimpleRNNs"],
    ["odd.pth", "LSTMs and GRUs and SimpleRNNs"],
  ];
  for (const [name, kinds] of said) {
    const error = await assertRejects(() => loadModel(file(name)), UnreadableFileError);
    const advice = `; loadRecurrent(${JSON.stringify(file(name))}) opens its ${kinds} alone`;
    assert(error.message.endsWith(advice), error.message);
  }
  for (const name of ["refused_odd.keras", "refused_none.keras"]) {
    const error = await assertRejects(() => loadModel(file(name)), UnreadableFileError);
    assert(!error.message.includes("loadRecurrent"), error.message);
  }
});

Deno.test("loadRecurrent() opens the layer inside of TimeDistributed, and each cell of an RNN that has several", async () => {
  const models = await loadRecurrent(file("held.keras"));
  assertEquals([...models.keys()], ["each/inner", "cells/0", "cells/1"]);
  const x = values("held each x");
  const y = models.get("each/inner")!.predict(x.reshape([8, 5, 3]));
  assert(difference(y.reshape([2, 4, 4]), values("held each y")) <= 1e-6);
  const first = models.get("cells/0")!.predict(values("held cells x"));
  assertPredicts(models.get("cells/1")!, first, values("held cells y"), "both cells");
  assertEquals(models.get("each/inner")!.provenance?.input, lines["held each"]);
  assertEquals(models.get("cells/0")!.provenance?.input, lines["held cells"]);
});

/** What the last layer of a model, a Dense, makes of what is given to it. */
function headOf(model: Model, x: Tensor): Tensor {
  const [kernel, bias] = model.getWeights().slice(-2) as [Tensor, Tensor];
  const { activation } = model.layers.at(-1)!.layer.config;
  return denseForward(x, { kernel, bias }, { activation: activation as "tanh" });
}

Deno.test("loadRecurrent() opens the layers of Keras 2's .h5, as Keras 2 computes them", async () => {
  for (const stem of ["stacked", "hard_sigmoid"]) {
    const path = formatFile(`keras2/${stem}.h5`);
    const expected = await arraysOf(formatFile(`keras2/${stem}.npz`));
    const models = [...(await loadRecurrent(path)).values()];
    const y = models.reduce((x, model) => model.predict(x), expected("x"));
    const off = difference(headOf(await loadModel(path), y), expected("prediction"));
    assert(off <= 1e-6, `${stem} is off by ${off}`);
  }
});

Deno.test("loadRecurrent() opens the layers of TF.js's model.json around a class that is not read", async () => {
  const folder = await Deno.makeTempDir();
  const read = (name: string) => Deno.readTextFileSync(formatFile(`tfjs/${name}`));
  const { x, prediction } = JSON.parse(read("plain.expected.json"));
  const path = `${folder}/model.json`;
  await Deno.writeTextFile(
    path,
    read("plain.json").replace(`"class_name":"Dense"`, `"class_name":"Odd"`),
  );
  for (const { paths } of JSON.parse(read("plain.json")).weightsManifest) {
    for (const shard of paths) {
      await Deno.copyFile(formatFile(`tfjs/${shard}`), `${folder}/${shard}`);
    }
  }
  await assertRejects(() => loadModel(path), UnreadableFileError, "opens its LSTMs alone");
  const [alone] = [...(await loadRecurrent(path)).values()];
  const y = headOf(await loadModel(formatFile("tfjs/plain.json")), alone!.predict(x));
  assert(difference(y, tensor(prediction)) <= 1e-6);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("damaged configurations and graphs give layers alone or one clear error", async () => {
  const entries = await unzip(Deno.readFileSync(file("whole.keras")));
  const onnx = Deno.readFileSync(file("strange.onnx"));
  let [read, refused] = [0, 0];
  for (let seed = 0; seed < 400; seed++) {
    const bytes = seed % 2 === 0 ? mutated(onnx, seed) : await zip(
      new Map(entries).set("config.json", mutated(entries.get("config.json")!, seed)),
    );
    const models = await outcome(() => loadRecurrent(bytes));
    assert(models instanceof Map || models instanceof UnreadableFileError, `${seed}: ${models}`);
    if (models instanceof Map) read += 1;
    else refused += 1;
  }
  assert(read > 50 && refused > 50, `${read} read, ${refused} refused`);
});
