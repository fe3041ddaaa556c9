// The equations of models, as text and as LaTeX.

import {
  bidirectional,
  dense,
  dropout,
  equations,
  gru,
  layerNormalization,
  loadModel,
  lstm,
  maxPooling1D,
  sequential,
  type View,
} from "@gatescope/lstm";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import katex from "katex";
import { JUPYTER_DISPLAY } from "../../lib/display/view.ts";
import { formatFile } from "../formats/loaded.ts";
import { kerasFixtures } from "../formats/keras_fixtures.ts";
import { HOSTILE_NAMES } from "./hostile_names.ts";

async function tex(view: View): Promise<string> {
  return String((await view[JUPYTER_DISPLAY]())["text/latex"]);
}

/** KaTeX throws where it does not understand, and writes no links. */
const rendered = (tex: string) =>
  katex.renderToString(tex.replace(/^\$\$|\$\$$/g, ""), { throwOnError: true, strict: "error" });

// Hochreiter and Schmidhuber 1997, Gers et al. 2000; Cho et al. 2014, reset after the product as in Keras
Deno.test("the equations of an LSTM, a GRU and what stands around them are the textbook's", async () => {
  const layers = [
    bidirectional(gru({ units: 2, returnSequences: true })),
    lstm({ units: 8 }),
    layerNormalization(),
    dropout({ rate: 0.5 }),
    dense({ units: 2, activation: "softmax" }),
  ];
  const model = sequential(layers, { inputShape: [null, 3], seed: 1 });
  const { text } = equations(model);
  for (
    const lines of [
      "bidirectional, Bidirectional: [timesteps, 3] to [timesteps, 4]",
      "  h = z ⊙ h + (1 − z) ⊙ h̃\n",
      "  h_2 = bidirectional/backward_layer back along x\n",
      "lstm, LSTM, one timestep: [4] to [8]\n  z = x·W + h·U + b\n  i = σ(z_i)\n  f = σ(z_f)\n",
      "  c = f ⊙ c + i ⊙ c̃\n  h = o ⊙ tanh(c)\n",
      "  z = mean(x)\n  v = x − z\n",
      "dropout, Dropout: [8] to [8]\n  y = x\n",
      "  z = x·W + b\n  y = softmax(z)",
    ]
  ) assertStringIncludes(text, lines);
  const latex = await tex(equations(model));
  assertStringIncludes(latex, "c_{t} &= f_{t} \\odot c_{t-1} + i_{t} \\odot \\tilde{c}_{t} \\\\\n");
  assertStringIncludes(latex, "z_{t} &= x_{t} \\, W + h_{t-1} \\, U + b \\\\\n");
  rendered(latex);
});

Deno.test("every layer of the fixtures has its equations, or says why it has none", async () => {
  const without = new Set<string>();
  for await (const { file } of kerasFixtures()) {
    const model = await loadModel(formatFile(file));
    const view = equations(model);
    rendered(await tex(view));
    for (const [, title] of view.text.matchAll(/^(.*)\n {2}no equation: .*$/gm)) {
      without.add(title!.split(", ")[1]!);
    }
  }
  // a mask by the numbers; directions that start from states of another layer, or hand theirs on
  assertEquals([...without].sort(), ["Bidirectional", "Masking"]);
});

Deno.test("a layer's name is a text in LaTeX, whatever it is", async () => {
  for (const name of [...HOSTILE_NAMES, "\\href{javascript:alert(1)}{x}", "$x$", "}\\input{a}"]) {
    if (name === "") continue;
    const model = sequential([dense({ units: 1, name })], { inputShape: [1], seed: 1 });
    const latex = await tex(equations(model));
    assert(!/\\(href|input)|[$].*[$].*[$]/s.test(latex.replace(/^\$\$/, "")), latex);
    rendered(latex);
  }
});

Deno.test("pooling without padding names its input alone, and −∞ is written as such", async () => {
  const valid = sequential([maxPooling1D({ poolSize: 2 })], { inputShape: [6, 3] });
  assertStringIncludes(equations(valid).text, "w = x rearranged");
  const same = sequential([maxPooling1D({ poolSize: 2, padding: "same" })], { inputShape: [5, 3] });
  assertStringIncludes(equations(same).text, "w = x and −∞");
  assertStringIncludes(await tex(equations(same)), "-\\infty");
  rendered(await tex(equations(same)));
});
