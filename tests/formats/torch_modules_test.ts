// State dicts of PyTorch's recurrent modules and of what stands beside them (torch_modules.py), and
// what PyTorch computed. Tolerance: 1e-6, relative where values are above 1.

import { assert, assertEquals, assertRejects } from "@std/assert";
import * as gatescope from "@gatescope/lstm";
import { loadModel, type Model, UnreadableFileError } from "@gatescope/lstm";
import { readTorch } from "../../lib/files/torch.ts";
import { unzip, zip } from "../../lib/files/zip.ts";
import { outcome } from "../files/arrays.ts";
import { mutated } from "../files/mutations.ts";
import { arraysOf, assertPredicts, difference, formatFile } from "./loaded.ts";

interface Case {
  readonly file: string;
  readonly layers: string | null;
  readonly inputShape?: number[];
}

const file = (name: string) => formatFile(`torch_modules/${name}`);
const cases: Record<string, Case> = JSON.parse(Deno.readTextFileSync(file("cases.json")));
const values = await arraysOf(file("values.npz"));

/** What code gives, of calls of this package. */
function evaluated(code: string): unknown {
  const names = Object.keys(gatescope);
  return new Function(...names, `return ${code}`)(...Object.values(gatescope));
}

function open({ file: name, layers, inputShape }: Case, code = layers): Promise<Model> {
  if (code === null) return loadModel(file(name));
  return loadModel(file(name), {
    layers: evaluated(code) as gatescope.Layer[],
    ...(inputShape && { inputShape }),
  });
}

for (const [name, one] of Object.entries(cases)) {
  const how = one.layers === null ? "opens alone" : "opens by its layers";
  Deno.test(`${one.file} ${how} and predicts what PyTorch does, within 1e-6`, async () => {
    assertPredicts(await open(one), values(`${name}_x`), values(`${name}_y`), name);
  });
}

/** What an error of weights alone proposes, as code, and what it says of the arrays. */
async function proposed(name: string): Promise<{ call: string; words: string }> {
  const error = await assertRejects(() => loadModel(file(name)), UnreadableFileError);
  const [, call, words] =
    /: (loadModel\(.*\)) or model\.loadWeights\(source\), but none are given: (.*)$/
      .exec(error.message) ?? [];
  assert(call !== undefined && words !== undefined, error.message);
  return { call, words };
}

// with all activations linear there: what is proposed predicts what PyTorch does, as it stands
const AS_PROPOSED = [
  ...[
    "rnn",
    "rnn_both_stacked",
    "rnn_cell",
    "gru_classifier",
    "rnn_classifier",
    "cells_stacked",
    "cells_mixed",
    "all_kinds",
  ],
  ...["batch_norm", "data_parallel", "compiled", "averaged", "lightning"],
];

for (const name of AS_PROPOSED) {
  Deno.test(`the call that the error of ${cases[name]!.file} proposes, pasted as code, predicts what PyTorch does`, async () => {
    const { call } = await proposed(cases[name]!.file);
    const model = await evaluated(call) as Model;
    assertPredicts(model, values(`${name}_x`), values(`${name}_y`), name);
  });
}

Deno.test("weights alone say what they are: GRU, RNN, cells, Conv1d, BatchNorm, LayerNorm, Embedding", async () => {
  const said: Record<string, [words: string, layers: string]> = {
    gru_classifier: [
      "gru.* is a GRU of 5 units on 3 inputs, fc.* a Dense of 2",
      "[gru({ units: 5 }), dense({ units: 2 })]",
    ],
    rnn: [
      "* is a SimpleRNN of 5 units on 3 inputs (tanh or relu, which the file does not tell)",
      "[simpleRnn({ units: 5, returnSequences: true })]",
    ],
    cells_stacked: [
      "cell1.* is an LSTM of 5 units on 3 inputs (nn.LSTMCell, one step of it), cell2.* an LSTM of " +
      "4 units on 5 inputs (nn.LSTMCell, one step of it), head.* a Dense of 2",
      "[lstm({ units: 5, returnSequences: true }), lstm({ units: 4 }), dense({ units: 2 })]",
    ],
    conv_pooled: [
      "conv.* is a Conv1D of 8 filters over 2 steps of 3 channels (its padding and strides do not " +
      "stand there), norm.* a BatchNormalization of 8, gru.* a GRU of 5 units on 8 inputs",
      "[conv1D({ filters: 8, kernelSize: 2, useBias: false }), " +
      "batchNormalization({ epsilon: 0.00001 }), gru({ units: 5 })]",
    ],
    layer_norm: [
      "gru.* is a GRU of 5 units on 3 inputs, norm.* a LayerNormalization of 5 (an nn.GroupNorm's " +
      "arrays look alike), fc.* a Dense of 2",
      "[gru({ units: 5 }), layerNormalization({ epsilon: 0.00001 }), dense({ units: 2 })]",
    ],
    batch_norm_plain: [
      "gru.* is a GRU of 5 units on 3 inputs, norm.* a BatchNormalization of 5",
      "[gru({ units: 5 }), batchNormalization({ epsilon: 0.00001, center: false, scale: false })]",
    ],
    words_gru: [
      "words.* is an Embedding of 11 words, gru.* a GRU of 5 units on 3 inputs, tags.* a Dense of 4",
      "[embedding({ inputDim: 11, outputDim: 3 }), gru({ units: 5 }), dense({ units: 4 })]",
    ],
  };
  for (const [name, [words, layers]] of Object.entries(said)) {
    const path = file(cases[name]!.file);
    assertEquals(await proposed(cases[name]!.file), {
      call: `loadModel(${JSON.stringify(path)}, { layers: ${layers} })`,
      words,
    });
  }
});

Deno.test("what is proposed opens, whatever stands beside the recurrent module", async () => {
  for (
    const name of ["words_gru", "conv_same", "conv_pooled", "deep", "layer_norm", "sequential"]
  ) {
    const { call } = await proposed(cases[name]!.file);
    assert((await evaluated(call) as Model).layers.length > 1, call);
  }
  const { words } = await proposed(cases.sequential_safetensors!.file);
  assertEquals(words, "0.* is a GRU of 5 units on 3 inputs, 2.* a Dense of 5, 4.* a Dense of 5");
});

Deno.test("a name decides between modules of the same shapes, with or without what a wrapper put before it", async () => {
  const { layers } = cases.by_name!;
  const swapped = layers!.replace("second", "swap").replace("first", "second").replace(
    "swap",
    "first",
  );
  const other = await open(cases.by_name!, swapped);
  assert(difference(other.predict(values("by_name_x")), values("by_name_y")) > 1e-3);
  const unnamed = layers!.replaceAll(/, name: "\w+"| name: "\w+",/g, "");
  const error = await assertRejects(() => open(cases.by_name!, unnamed), UnreadableFileError);
  assert(
    error.message.includes(`each layer must have its module's name (as in { name: "first" })`),
  );
  const model = await open(cases.lightning!);
  assertEquals(model.provenance?.arrays.map(({ from }) => from), [
    ...["model.gru.weight_ih_l0", "model.gru.weight_hh_l0"],
    ...["model.gru.bias_ih_l0, model.gru.bias_hh_l0", "model.norm.weight", "model.norm.bias"],
    ...["model.norm.running_mean", "model.norm.running_var", "model.fc.weight", "model.fc.bias"],
  ]);
});

Deno.test("the log of a GRU's arrays says how its gates were exchanged, and its two biases kept", async () => {
  const { provenance } = await open(cases.gru!);
  assertEquals(provenance?.gateOrder, "r z n");
  assertEquals(provenance?.arrays.map(({ steps }) => steps), [
    ["transposed", "gates r z n → z r h"],
    ["transposed", "gates r z n → z r h"],
    ["gates r z n → z r h", "both as rows of one"],
  ]);
  assertEquals((await open(cases.all_kinds!)).provenance?.gateOrder, "i f g o, r z n");
});

Deno.test("the log names what PyTorch has otherwise: an epsilon, the last step of both directions, a cell", async () => {
  const noted = async (name: string, code: string, note: string) => {
    const notes = (await open(cases[name]!, code)).provenance!.notes;
    assert(notes.some((one) => one.includes(note)), notes.join("\n"));
  };
  await noted(
    "batch_norm",
    "[lstm({ units: 5 }), batchNormalization(), dense({ units: 2 })]",
    "batch_normalization has epsilon 0.001; PyTorch's own is 0.00001",
  );
  await noted(
    "both_last_states",
    cases.both_last_states!.layers!,
    "gives the last state of each direction, PyTorch's h_n",
  );
  const relu = cases.gru_classifier!.layers!.replace("units: 5", 'units: 5, activation: "relu"');
  await noted("gru_classifier", relu, "gru computes by relu and sigmoid; PyTorch's own by tanh");
  await noted("rnn_cell", cases.rnn_cell!.layers!, "nn.RNNCell computes one step");
  const notes = (await open(cases.batch_norm!)).provenance!.notes;
  assert(!notes.some((note) => note.includes("epsilon")));
});

Deno.test("what would compute something else is refused by its name", async () => {
  const refuses = async (work: () => Promise<unknown>, message: string) => {
    const error = await assertRejects(work, UnreadableFileError);
    assert(error.message.includes(message), error.message);
  };
  const name = (stem: string) => file(`refused_${stem}.pth`);
  await refuses(() => loadModel(name("proj")), "an nn.LSTM with proj_size is not read");
  await refuses(() => loadModel(name("attention")), `"attention.in_proj_weight" [12, 4]`);
  await refuses(() => loadModel(name("prelu")), `the array "act.weight" [1] is of another layer`);
  await refuses(() => loadModel(name("bias")), "bias_hh_l0 is [1]");
  const before = "[gru({ units: 5, useBias: false, resetAfter: false, returnSequences: true })]";
  await refuses(
    () => open(cases.gru_no_bias!, before),
    "PyTorch's GRU resets after the product with U, but resetAfter is false",
  );
  const flat = cases.conv_flattened!.layers!.replace("permute({ dims: [2, 1] }), ", "");
  await refuses(
    () => open(cases.conv_flattened!, flat),
    "permute({ dims: [2, 1] }) before a Flatten",
  );
  const lstms = "[lstm({ units: 5, returnSequences: true })]";
  await refuses(
    () => open(cases.gru!, lstms),
    "must be [3, 20], but the shape of weight_ih_l0 is [3, 15]",
  );
  const kernel = cases.conv_same!.layers!.replace("kernelSize: 3", "kernelSize: 5");
  await refuses(
    () => open(cases.conv_same!, kernel),
    "needs an nn.Conv1d of kernel [5, …, 8], bias [8]",
  );
  const plain = cases.batch_norm!.layers!.replace("1e-5", "1e-5, scale: false");
  await refuses(() => open(cases.batch_norm!, plain), "needs an nn.BatchNorm1d of beta [5]");
});

Deno.test("1000 mutations of a GRU's pickle give its arrays or one clear error", async () => {
  const entries = await unzip(Deno.readFileSync(file("gru.pth")));
  const [place] = [...entries.keys()].filter((name) => name.endsWith("/data.pkl"));
  const numbers = (arrays: ReadonlyMap<string, gatescope.Tensor>) =>
    new Set([...arrays.values()].flatMap(({ data }) => [...data]));
  const whole = [...(await readTorch(Deno.readFileSync(file("gru.pth")))).values()][0]!();
  const known = numbers(whole);
  let [read, refused] = [0, 0];
  for (let seed = 0; seed < 1000; seed++) {
    const pickle = mutated(entries.get(place!)!, seed);
    const bytes = await zip(new Map(entries).set(place!, pickle));
    const model = await outcome(() => loadModel(bytes));
    if (model instanceof UnreadableFileError) {
      refused += 1;
      continue;
    }
    assert(!(model instanceof Error), `${seed}: ${model}`);
    read += 1;
    const dicts = await readTorch(bytes);
    for (const arrays of dicts.values()) {
      for (const number of numbers(arrays())) assert(known.has(number), `${seed}: ${number}`);
    }
  }
  assert(read > 10 && refused > 500, `${read} read, ${refused} refused`);
});
