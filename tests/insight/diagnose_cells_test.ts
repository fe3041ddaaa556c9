// A GRU and a SimpleRNN by the float32 programs of float32_run.ts: how they were meant is known, and is
// what must be found.

import {
  type ActivationName,
  diagnose,
  type DiagnoseOptions,
  type Diagnosis,
  getActivation,
  prove,
  type Reading,
  Tensor,
} from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { corrupt, inOrder } from "./corruptions.ts";
import type { CellKind } from "./float32_cells.ts";
import {
  listed,
  type Program,
  randomCase,
  runFloat32,
  type Sizes,
  smallModel,
  summations,
} from "./float32_run.ts";

function sizesOf(seed: number, cell: CellKind): Sizes {
  return {
    cell,
    batch: 2 + seed % 2,
    timesteps: 3 + seed % 3,
    inputSize: 2 + seed % 2,
    units: 2 + seed % 3,
    classes: 2 + seed % 3,
  };
}

/** Whatever explains the numbers predicts them but for rounding. */
function assertTied({ readings, sentence }: Diagnosis, x: Tensor, expected: Tensor, what: string) {
  for (const reading of readings.slice(0, 8)) {
    reading.toModel().predict(x).data.forEach((p, n) =>
      assert(Math.abs(p - expected.data[n]!) < 2e-5, `${what}: ${sentence}`)
    );
  }
}

const ORDERS = [[0, 1, 2], [1, 0, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
const activations: readonly ActivationName[] = ["tanh", "relu", "sigmoid", "softsign", "hard_tanh"];
const recurrentActivations: readonly ActivationName[] = [
  "sigmoid",
  "hard_sigmoid",
  "hard_sigmoid_keras2",
];

/** The biases that a file may hold, for those that the program computes with. */
function biasForms(bias: Tensor): readonly { readonly label: string; readonly given: Tensor[] }[] {
  const width = bias.shape.at(-1)!;
  const row = (k: number) => bias.data.slice(k * width, (k + 1) * width);
  const vector = (make: (k: number) => number) =>
    new Tensor(Float32Array.from({ length: width }, (_, k) => Math.fround(make(k))), [width]);
  const [a, b] = [row(0), row(1)];
  if (b.length === 0) {
    return [
      { label: "as it is", given: [bias] },
      { label: "doubled", given: [vector((k) => a[k]! / 2)] },
      { label: "the second one only", given: [vector((k) => a[k]! + 1), bias] },
    ];
  }
  return [
    { label: "as it is", given: [bias] },
    { label: "as it is", given: [vector((k) => a[k]!), vector((k) => b[k]!)] },
    { label: "exchanged", given: [vector((k) => b[k]!), vector((k) => a[k]!)] },
  ];
}

Deno.test("diagnose() finds 200 of 200 readings of a GRU: orders, reset, z, biases, activations, direction", () => {
  let [alone, tied] = [0, 0];
  for (let seed = 0; seed < 200; seed++) {
    const cell = seed % 2 === 0 ? "GRU" : "GRU, reset before";
    const sizes = sizesOf(seed, cell);
    const { x, arrays, random } = randomCase(2000 + seed, sizes);
    const pick = (count: number) => Math.floor(random.uniform() * count);
    const order = ORDERS[seed % 6]!;
    const activation = activations[pick(activations.length)]!;
    const recurrentActivation = recurrentActivations[pick(3)]!;
    const [turned, reversed] = [random.uniform() < 0.5, random.uniform() < 0.5];
    const expected = runFloat32(x, arrays, {
      cell,
      summation: summations[pick(summations.length)]!,
      activation: getActivation(activation),
      recurrentActivation: getActivation(recurrentActivation),
      turned,
      reversed,
    }).prediction;
    const held = inOrder(arrays, order);
    const forms = biasForms(held.bias);
    const { label, given } = forms[pick(forms.length)]!;
    // Every 25th is looked for among all functions, the others among a few.
    const known = seed % 25 === 0 ? {} : {
      activation: [activation, activations[(seed + 1) % 5]!],
      recurrentActivation: [recurrentActivation, recurrentActivations[(seed + 1) % 3]!],
    };
    const weights = [held.kernel, held.recurrentKernel, ...given, held.denseKernel, held.denseBias];
    const diagnosis = diagnose(weights, x, expected, known);
    const what = `seed ${seed}: ${diagnosis.sentence}`;
    const letters = [..."zrh"];
    const right = diagnosis.readings.filter(({ answers }) =>
      answers.gateOrder.split(" (")[0] === order.map((k) => letters[k]).join(" ") &&
      answers.reset === (cell === "GRU" ? "after" : "before") &&
      answers.update === (turned ? "1 − z" : "z") &&
      answers.bias === label && answers.kernel === "as its shape says" &&
      answers.recurrentKernel === "as its shape says" &&
      answers.activation === activation && answers.recurrentActivation === recurrentActivation &&
      answers.time === (reversed ? "reversed" : "forward")
    );
    assertEquals(right.length, 1, what);
    if (diagnosis.outcome === "one") alone++;
    else tied++;
    assertTied(diagnosis, x, expected, what);
  }
  assert(alone >= 190, `${alone} alone, ${tied} tied`);
});

Deno.test("diagnose() finds 200 of 200 readings of a SimpleRNN: transposes, biases, activations, direction", () => {
  let alone = 0;
  for (let seed = 0; seed < 200; seed++) {
    const sizes = sizesOf(seed, "SimpleRNN");
    const { x, arrays, random } = randomCase(3000 + seed, sizes);
    const pick = (count: number) => Math.floor(random.uniform() * count);
    const activation = activations[pick(activations.length)]!;
    const [reversed, isTorch] = [random.uniform() < 0.5, random.uniform() < 0.5];
    const program: Program = { cell: "SimpleRNN", activation: getActivation(activation), reversed };
    const expected = runFloat32(x, arrays, program).prediction;
    const forms = biasForms(arrays.bias);
    const { label, given } = forms[pick(forms.length)]!;
    const turned = (matrix: Tensor) => isTorch ? matrix.transpose() : matrix;
    const { kernel, recurrentKernel, denseKernel, denseBias } = arrays;
    const diagnosis = diagnose(
      [turned(kernel), turned(recurrentKernel), ...given, turned(denseKernel), denseBias],
      x,
      expected,
    );
    const what = `seed ${seed}: ${diagnosis.sentence}`;
    // Of a square matrix, no shape says that it is transposed.
    const isSaid = ({ shape: [rows, columns] }: Tensor) => !isTorch || rows !== columns;
    const right = diagnosis.readings.filter(({ answers }) =>
      answers.cell === "SimpleRNN" && answers.bias === label && answers.activation === activation &&
      answers.time === (reversed ? "reversed" : "forward") &&
      answers.kernel === (isSaid(kernel) ? "as its shape says" : "transposed") &&
      answers.denseKernel === (isSaid(denseKernel) ? "as its shape says" : "transposed") &&
      answers.recurrentKernel === (isTorch ? "transposed" : "as its shape says")
    );
    assertEquals(right.length, 1, what);
    if (diagnosis.outcome === "one") alone++;
    assertTied(diagnosis, x, expected, what);
  }
  assert(alone >= 190, `${alone} alone`);
});

/** Few functions, those of a corruption among them; of every 25th, all. */
function knownOf(seed: number, cell: CellKind, what = ""): DiagnoseOptions {
  if (seed % 25 === 0) return {};
  const [, role = "", name = ""] = /^(recurrentActivation|activation) (\w+)$/.exec(what) ?? [];
  const sought = (own: string) => role === own && name !== "gelu" ? [name as ActivationName] : [];
  return {
    time: "forward",
    activation: ["tanh", "relu", ...sought("activation")],
    ...(cell !== "SimpleRNN" && {
      recurrentActivation: ["sigmoid", ...sought("recurrentActivation")],
    }),
  };
}

for (const kinds of [["GRU", "GRU, reset before"], ["SimpleRNN"]] as const) {
  Deno.test(`${kinds[0]}: 0 of 200 false alarms, and 200 of 200 corruptions named where a reading says them, else none`, () => {
    let [clean, found, named] = [0, 0, 0];
    for (let seed = 5000; found < 200; seed++) {
      assert(seed < 5400, `${found} corruptions in 400 seeds`);
      const cell = kinds[(seed >> 2) % kinds.length]!;
      const sizes = sizesOf(seed, cell);
      const { x, arrays, random } = randomCase(seed, sizes);
      const summation = summations[seed % summations.length]!;
      const own = cell === "GRU, reset before" ? ["reset before the product instead of after"] : [];
      const run = runFloat32(x, arrays, { cell, summation }).prediction;
      if (clean < 200) {
        const { readings, sentence } = diagnose(listed(arrays), x, run, knownOf(seed, cell));
        assertEquals(readings[0]?.departures, own, `seed ${seed}: ${sentence}`);
        clean++;
      }

      const { what, arrays: other, program } = corrupt(seed, arrays, sizes.timesteps, random, cell);
      const wrong = runFloat32(x, other, { cell, summation, ...program }).prediction;
      const { bound } = prove(smallModel(sizes, arrays), x, { expected: run });
      const moved = run.data.map((p, k) => Math.abs(p - wrong.data[k]!));
      if (Math.max(...moved) <= 2 * bound) continue;
      const { readings, outcome, sentence } = diagnose(
        listed(arrays),
        x,
        wrong,
        knownOf(seed, cell, what),
      );
      const sought = departureOf(what, own);
      found++;
      const all = `seed ${seed}, ${what}: ${sentence}`;
      if (sought === undefined) {
        assertEquals(outcome, "none", all);
        continue;
      }
      named++;
      const isRight = ({ departures }: Reading) => departures.join() === sought.join();
      assertEquals(readings.filter(isRight).length, 1, all);
    }
    assertEquals(clean, 200);
    assert(named > 70, `${named} named`);
  });
}

/** How a reading says what went wrong; undefined where none does. */
function departureOf(what: string, own: readonly string[]): readonly string[] | undefined {
  const swapped = /^(\w+) and (\w+) swapped$/.exec(what);
  if (swapped !== null) {
    const letters = { update: "z", reset: "r", candidate: "h" } as Record<string, string>;
    const [a, b] = [letters[swapped[1]!]!, letters[swapped[2]!]!];
    const order = ["z", "r", "h"].map((letter) => letter === a ? b : letter === b ? a : letter);
    const whose = order.join("") === "rzh" ? " (PyTorch, cuDNN)" : "";
    return [`gate order ${order.join(" ")}${whose}`, ...own];
  }
  const activation = /^(recurrentActivation|activation) (\w+)$/.exec(what);
  if (activation !== null) {
    if (activation[2] === "gelu") return undefined;
    const title = activation[1] === "activation" ? "activation" : "recurrent activation";
    return [...own, `${title} ${activation[2]}`];
  }
  if (what === "reset") return own.length > 0 ? [] : ["reset before the product instead of after"];
  if (what === "z turned") return [...own, "h kept by 1 − z instead of z"];
  if (what === "recurrent kernel transposed") return [what];
  return undefined;
}
