// What saveNumpy writes, without Python: tests/frameworks runs it.

import {
  bidirectional,
  defineCell,
  dense,
  lstm,
  masking,
  type Model,
  saveNumpy,
  sequential,
} from "@gatescope/lstm";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { HOSTILE_NAMES } from "./hostile_names.ts";

async function saved(model: Model, options: Parameters<typeof saveNumpy>[2] = {}) {
  const folder = await Deno.makeTempDir();
  try {
    const text = await saveNumpy(`${folder}/m.py`, model, options);
    assertEquals(await Deno.readTextFile(`${folder}/m.py`), text);
    return text;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("saveNumpy writes an LSTM as the textbook has it, and the loop over its timesteps", async () => {
  const layers = [lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })];
  const text = await saved(sequential(layers, { inputShape: [null, 2], seed: 1 }));
  for (
    const lines of [
      `def lstm(x, c, h):`,
      `    z = x @ lstm_kernel + h @ lstm_recurrent_kernel + lstm_bias
    i = sigmoid(z[0:8])
    f = sigmoid(z[8:16])`,
      `    c = f * c + i * c_tilde
    h = o * np.tanh(c)
    return c, h`,
      `    for t in range(len(x)):
        now = x[t]
        lstm_c, lstm_h = lstm(now, lstm_c, lstm_h)
    y = dense(lstm_h)
    return y`,
    ]
  ) assertStringIncludes(text, lines);
  assertEquals(text.match(/^ *(import|from) .*$/gm), ["    import m", "import numpy as np"]);
  assert(!text.includes("seen("), "nothing to look inside, where nobody asked for it");
});

Deno.test("with trace, every gate, state and output can be looked at", async () => {
  const layers = [bidirectional(lstm({ units: 1 })), dense({ units: 1 })];
  const text = await saved(sequential(layers, { inputShape: [2, 1], seed: 1 }), { trace: true });
  for (const site of ["gates.input", "gates.forget", "cellState", "hiddenState"]) {
    assertEquals(text.match(new RegExp(`seen\\(.*"${site}"`, "g"))?.length, 2, site);
  }
  assertEquals(text.match(/seen\("dense", "(output|prediction)", y_2\)/g)?.length, 2);
});

Deno.test("a state that is read after its next one is there keeps its name until then", async () => {
  const swapping = defineCell({
    kind: "Swapping",
    gates: ["update"],
    states: ["memory", "hiddenState"],
    step(o, { x, memory: m, hiddenState: h }, { W, b }, at) {
      const z = at("gates.update", o.sigmoid(o.affine([[x, W.update]], b.update)));
      at("hiddenState", o.sumOfProducts([z, m], [o.oneMinus(z), h]));
      at("memory", o.add(h, m)); // of the h before
    },
  });
  const text = await saved(
    sequential([swapping({ units: 2 })], { inputShape: [3, 1], seed: 1 }),
  );
  assertStringIncludes(
    text,
    `    h_2 = z_2 * memory + (1 - z_2) * h
    memory = h + memory
    return memory, h_2`,
  );
});

Deno.test("no name breaks out of the Python text", async () => {
  for (const name of HOSTILE_NAMES.filter((one) => one !== "")) {
    const layers = [lstm({ units: 2, name }), dense({ units: 1, name: `${name}\t` })];
    const text = await saved(sequential(layers, { inputShape: [2, 2], seed: 1 }), { trace: true });
    const code = text.replaceAll(/"""[^"]*"""|"(?:[^"\\\n]|\\.)*"/g, '""').replaceAll(/#.*/g, "");
    // deno-lint-ignore no-control-regex
    assert(!/[^\x0a\x20-\x7e]/.test(code), `${JSON.stringify(name)}: ASCII alone`);
    assertEquals(code.match(/^ *(import|from) .*$/gm), ["import numpy as np"]);
    const unseen = /[^\n\P{C}]|[\p{Zl}\p{Zp}]/u; // control characters, directions, halves of a pair
    assert(!unseen.test(text), `${JSON.stringify(name)}: unseen characters`);
  }
});

Deno.test("what cannot be written as Python is refused", async () => {
  const masked = sequential([masking(), lstm({ units: 1 })], { inputShape: [2, 1] });
  await assertRejects(() => saved(masked), TypeError, "masking (Masking) makes a mask");
  const model = sequential([dense({ units: 1 })], { inputShape: [1] });
  for (const name of ["for.py", "1.py", "a-b.py", "a.txt", ".py", "np.py"]) {
    await assertRejects(() => saveNumpy(name, model), TypeError, "must be that of a module");
  }
});
