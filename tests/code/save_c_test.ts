// What saveC writes, without a compiler: tests/frameworks/c.ts compiles and runs it.

import {
  type Activation,
  bidirectional,
  conv1D,
  dense,
  dropout,
  embedding,
  functional,
  globalAveragePooling1D,
  gru,
  input,
  layerNormalization,
  lstm,
  masking,
  type Model,
  saveC,
  sequential,
  timeDistributed,
} from "@gatescope/lstm";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { floatText } from "../../lib/code/c/literals.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { minGru } from "../layers/own_cells.ts";
import { HOSTILE_NAMES } from "./hostile_names.ts";

async function saved(model: Model, options: Parameters<typeof saveC>[2] = {}, file = "m.c") {
  const folder = await Deno.makeTempDir();
  try {
    const result = await saveC(`${folder}/${file}`, model, options);
    assertEquals(await Deno.readTextFile(`${folder}/${file}`), result.source);
    assertEquals(await Deno.readTextFile(`${folder}/${file.replace(/c$/, "h")}`), result.header);
    return result;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A C text without comments and strings. */
function codeOf(text: string): string {
  return text.replaceAll(
    /\/\*[^]*?\*\/|"(?:[^"\\\n]|\\.)*"/g,
    (one) => one.startsWith("/*") ? " " : '""',
  );
}

Deno.test("saveC writes an LSTM as the textbook has it, each equation beside its statement", async () => {
  const model = sequential([lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })], {
    inputShape: [null, 2],
    seed: 1,
  });
  const { source, header } = await saved(model);
  const lines = [
    "/* z = x·W + h·U + b */",
    "for (int k = 0; k < 8; k++) i[k] = m_sigmoid(z[k]); /* i = σ(z_i) */",
    "for (int k = 0; k < 8; k++) f[k] = m_sigmoid(z[8 + k]); /* f = σ(z_f) */",
    "for (int k = 0; k < 8; k++) o[k] = m_sigmoid(z[24 + k]); /* o = σ(z_o) */",
    "for (int k = 0; k < 8; k++) c_tilde[k] = tanhf(z[16 + k]); /* c̃ = tanh(z_c) */",
    "for (int k = 0; k < 8; k++) c[k] = f[k] * c[k] + i[k] * c_tilde[k]; /* c = f ⊙ c + i ⊙ c̃ */",
    "for (int k = 0; k < 8; k++) h[k] = o[k] * tanhf(c[k]); /* h = o ⊙ tanh(c) */",
  ];
  const found = source.split("\n").map((line) => line.trim());
  assertEquals(lines.map((line) => found.indexOf(line) >= 0 ? line : "missing"), lines);
  assertEquals(
    lines.map((line) => found.indexOf(line)).toSorted((a, b) => a - b),
    lines.map((line) => found.indexOf(line)),
  );
  for (
    const line of [
      "void m_init(m_state *s);",
      "void m_step(m_state *s, const float x[2], float y[2]);",
      "void m_predict(int timesteps, const float x[], float y[2]);",
    ]
  ) assertStringIncludes(header, line);
  assertEquals(source.match(/^#include .*$/gm), [
    '#include "m.h"',
    "#include <math.h>",
    "#include <stdio.h>",
  ]);
  assert(
    !/malloc|calloc|double /.test(source.split("_TRACE)\n/*")[0]!),
    "no heap, no double but in the test",
  );
});

Deno.test("a GRU and a cell of one's own are written from their own steps", async () => {
  const { source } = await saved(sequential([gru({ units: 3 })], { inputShape: [null, 2] }));
  assertStringIncludes(source, "/* h̃ = tanh(xW_h + r ⊙ hU_h) */");
  assertStringIncludes(source, "h[k] = z[k] * h[k] + (1.0f - z[k]) * h_tilde[k];");

  const own = await saved(sequential([minGru({ units: 2 })], { inputShape: [null, 3], seed: 1 }));
  assertStringIncludes(own.source, "h[k] = (1.0f - z[k]) * h[k] + z[k] * h_tilde[k];");
});

Deno.test("a convolution that goes along computes one timestep of a window, what passes through nothing", async () => {
  const layers = [
    conv1D({ filters: 4, kernelSize: 3, padding: "causal", dilationRate: 2 }),
    dropout({ rate: 0.5 }),
    layerNormalization(),
  ];
  const { source, ramBytes, multiplyAdds } = await saved(
    sequential(layers, { inputShape: [null, 2], seed: 1 }),
    { test: false },
  );
  assertEquals(ramBytes, 4 * 5 * 2);
  assert(multiplyAdds < 4 * 6 + 30, `${multiplyAdds}`);
  assert(!source.includes("dropout"), "dropout has no function");
  assert(!source.includes("TEST"), "and the test is left out");
});

Deno.test("what it takes: weights once, states, arrays, multiply-adds of a timestep", async () => {
  const model = sequential([lstm({ units: 8 }), dense({ units: 2 })], {
    inputShape: [3, 2],
    seed: 1,
  });
  model.setWeights(
    model.getWeights().map(({ data, shape }) => {
      return data.length === 2 ? [1, 2] : Array.from(
        { length: shape[0]! },
        (_, r) => shape.length === 1 ? r : Array.from({ length: shape[1]! }, (_, c) => r + c),
      );
    }),
  );
  const result = await saved(model);
  assertEquals(result.flashBytes, 4 * (2 * 32 + 8 * 32 + 32 + 8 * 2 + 2));
  assertEquals(result.ramBytes, 4 * (8 + 8));
  assertEquals(result.multiplyAdds, 2 * 32 + 8 * 32 + 2 * 8 + 8 + 8 * 2); // z, c, h, and the dense
  assertMatch(
    `${Deno.inspect(result)}`,
    /m in C99\n360 multiply-adds a timestep[^]*flash +1480[^]*RAM +64/,
  );
});

Deno.test("no name breaks out of the C text", async () => {
  for (const name of HOSTILE_NAMES.filter((one) => one !== "")) {
    const layers = [lstm({ units: 2, name }), dense({ units: 1, name: `${name}\t` })];
    const { source, header } = await saved(sequential(layers, { inputShape: [2, 2], seed: 1 }));
    const code = codeOf(source);
    // deno-lint-ignore no-control-regex
    assert(!/[^\x09\x0a\x20-\x7e]/.test(code), `${JSON.stringify(name)}: ASCII alone`);
    assertEquals(source.match(/^\s*#\s*include.*$/gm)?.length, 3);
    assert(
      !/\?\?|[\\@`$]|\/\//.test(code.replaceAll("\\n", "")),
      `${JSON.stringify(name)}: ${code.match(/.*(\?\?|[\\@`$]|\/\/).*/)?.[0]}`,
    );
    assert(!/\?\?|\\$/m.test(source), "no trigraph, no line that goes on");
    assertEquals(code.match(/[*]\/|\/[*]|#error|#define .*\?/g), null);
    assert(!/#\s*include/.test(codeOf(header)));
    const unseen = /[^\n\P{C}]|[\p{Zl}\p{Zp}]/u; // control characters, directions, halves of a pair
    assert(!unseen.test(source), `${JSON.stringify(name)}: unseen characters`);
  }
});

Deno.test("each number is read as the same float32, by way of a double too", () => {
  const random = seededRandom(1);
  const numbers = Float32Array.from(
    { length: 5000 },
    (_, k) =>
      random.normal() * 10 ** (Math.floor(random.uniform() * 60) - 35) * (k % 7 === 0 ? 1e-3 : 1),
  );
  numbers.set([0, -0, 1, 0.1, 1 / 3, 2 ** -126, 2 ** -149, 2 ** 128 - 2 ** 104, 16777216, 0.001]);
  for (const x of numbers) {
    const text = floatText(x);
    assertMatch(text, /^-?\d+\.\d+(e[+-]\d+)?f$/);
    assertEquals(Math.fround(Number(text.slice(0, -1))), x);
  }
  assertEquals([0.1, 0.001, 1e-10, 3, NaN, -Infinity].map(floatText), [
    "0.1f",
    "0.001f",
    "1.0e-10f",
    "3.0f",
    "NAN",
    "-INFINITY",
  ]);
});

Deno.test("what cannot be written is refused by name", async () => {
  const own = Object.assign((x: never) => x, {
    activationName: "mine",
    options: {},
    backward: (_x: unknown, dy: never) => dy,
  }) as unknown as Activation;
  const row = (layers: Parameters<typeof sequential>[0], inputShape: (number | null)[]) =>
    sequential(layers, { inputShape });
  const words = { inputDim: 9, outputDim: 2 };
  const x = input([3, 2]);
  const two = functional(x, [lstm({ units: 2 }).apply(x), lstm({ units: 2 }).apply(x)]);
  const withStates = lstm({ units: 2, returnState: true, name: "encoder" }).applyAll(x);
  const refused: [Model, RegExp][] = [
    [row([masking(), lstm({ units: 2 })], [3, 2]), /masking \(Masking\) makes a mask/],
    [
      row([embedding({ ...words, maskZero: true }), lstm({ units: 2 })], [3]),
      /embedding \(Embedding\) makes a mask/,
    ],
    [
      row([dense({ units: 2, activation: own, name: "odd" })], [3]),
      /odd has one of your own, mine/,
    ],
    [row([bidirectional(lstm({ units: 2 }))], [null, 2]), /goes backwards too/],
    [row([globalAveragePooling1D()], [null, 2]), /needs the whole sequence/],
    [two, /has 1 and 2/],
    [functional(x, withStates[0]!), /encoder \(LSTM\) returns them/],
  ];
  for (const [model, found] of refused) {
    await assertRejects(() => saved(model), TypeError, "Cannot write a model as a program: ");
    await assertRejects(
      () =>
        saved(model).catch(({ message }) =>
          Promise.reject(new Error(found.test(message) ? "as told" : message))
        ),
      Error,
      "as told",
    );
  }
  const nan = row([dense({ units: 1, name: "wild" })], [1]);
  nan.setWeights([[[1e300]], [0]]);
  await assertRejects(() => saved(nan), RangeError, "one of wild/kernel is");
  const plain = row([timeDistributed(dense({ units: 1 }))], [3, 2]);
  for (const name of ["1a", "for", "a b", "ä", "", "a".repeat(50), 3 as never]) {
    await assertRejects(() => saved(plain, { name }), TypeError, "name must be letters, digits");
  }
  for (const file of ["m.cpp", ".c", 'a"b.c', "a\nb.c"]) {
    await assertRejects(
      () => saveC(`/nowhere/${file}`, plain),
      TypeError,
      "the file's name must be",
    );
  }
  assertEquals((await saved(plain, {}, "int.c")).name, "int_");
});
