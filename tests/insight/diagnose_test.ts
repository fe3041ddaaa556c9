// The numbers to be explained come from real Keras (the fixtures) or from a float32 program of the
// tests' own (float32_run.ts). How the arrays were meant is known, and is what must be found.

import {
  type ActivationName,
  diagnose,
  type Diagnosis,
  getActivation,
  joinGates,
  splitGates,
  Tensor,
  type TensorLike,
} from "@gatescope/lstm";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { fixturesOf, readArrays } from "../fixtures/fixtures.ts";
import { type Arrays, listed, type Program, randomCase, runFloat32 } from "./float32_run.ts";

const sizes = { batch: 3, timesteps: 4, inputSize: 2, units: 3, classes: 4 };

const letters = { i: "input", f: "forget", c: "candidate", o: "output" } as const;

/** All orders of the four letters. */
const orders: readonly string[] = (function permute(rest: string): string[] {
  if (rest.length === 1) return [rest];
  return [...rest].flatMap((letter) =>
    permute(rest.replace(letter, "")).map((tail) => letter + tail)
  );
})("ifco");

/** A fused array of Keras's in another order of the gates. */
function inOrder(fused: Tensor, order: string): Tensor {
  const gates = splitGates(fused);
  const [input, forget, candidate, output] = [...order].map((letter) =>
    gates[letters[letter as keyof typeof letters]]
  ) as [Tensor, Tensor, Tensor, Tensor];
  return joinGates({ input, forget, candidate, output }); // Keras's places, other gates in them
}

function reordered(arrays: Arrays, order: string): Arrays {
  return {
    ...arrays,
    kernel: inOrder(arrays.kernel, order),
    recurrentKernel: inOrder(arrays.recurrentKernel, order),
    bias: inOrder(arrays.bias, order),
  };
}

/** The forget gate's bias one higher, as some frameworks add it when they run. */
function withForgetBias(arrays: Arrays): Arrays {
  const { forget, ...gates } = splitGates(arrays.bias);
  const higher = new Tensor(forget.data.map((b) => Math.fround(b + 1)), forget.shape);
  return { ...arrays, bias: joinGates({ ...gates, forget: higher }) };
}

const { x, arrays } = randomCase(77, sizes);

function expectedOf(program: Program = {}, meant: Arrays = arrays): Tensor {
  return runFloat32(x, meant, program).prediction;
}

function sole({ outcome, reading, sentence }: Diagnosis): readonly string[] {
  assertEquals(outcome, "one", sentence);
  return reading!.departures;
}

Deno.test("diagnose() names the reading of Keras's own experiments, in less than 2 s", async () => {
  let fastest = Infinity; // what else runs beside the tests does not count
  for (const entry of fixturesOf("experiment").filter(({ state }) => state === "live")) {
    const read = await readArrays(entry.file);
    const weights = [0, 1, 2, 3, 4].map((k) => read(`weights_after_${k}`));
    const { activation, recurrentActivation } = entry;
    const departures = [
      ...(activation === "tanh" ? [] : [`activation ${activation}`]),
      ...(recurrentActivation === "sigmoid" ? [] : [`recurrent activation ${recurrentActivation}`]),
    ];
    const start = performance.now();
    const diagnosis = diagnose(weights, read("x"), read("prediction"));
    fastest = Math.min(fastest, (performance.now() - start) / 1000);
    assertEquals(sole(diagnosis), departures, entry.name);
    assert(diagnosis.tried > 100_000);
  }
  assert(fastest < 2, `${fastest} s`);
});

const activations: readonly ActivationName[] = [
  "tanh",
  "relu",
  "sigmoid",
  "softsign",
  "hard_tanh",
  "linear",
];
const recurrentActivations: readonly ActivationName[] = [
  "sigmoid",
  "hard_sigmoid",
  "hard_sigmoid_keras2",
  "tanh",
  "relu",
];

Deno.test("diagnose() names the right reading in every order of the gates, options in turn; ties are told as ties", () => {
  // Each order meets other options, so that all pairs of activations occur; GATESCOPE_ALL_READINGS=1
  // runs every order with every combination of options (2 880 of them).
  const everything = Deno.env.get("GATESCOPE_ALL_READINGS") === "1";
  const combinations = activations.flatMap((activation) =>
    recurrentActivations.flatMap((recurrentActivation) =>
      [false, true].flatMap((reversed) =>
        [false, true].map((forget) => ({ activation, recurrentActivation, reversed, forget }))
      )
    )
  );
  let [alone, tied] = [0, 0];
  for (const [k, order] of orders.entries()) {
    const chosen = everything
      ? combinations
      : [0, 1].map((turn) => combinations[(k * 5 + turn * 61) % combinations.length]!);
    for (const [turn, own] of chosen.entries()) {
      const { activation, recurrentActivation, reversed, forget } = own;
      const program = {
        activation: getActivation(activation),
        recurrentActivation: getActivation(recurrentActivation),
        reversed,
      };
      const expected = expectedOf(program, forget ? withForgetBias(arrays) : arrays);
      const { outcome, readings, sentence } = diagnose(
        listed(reordered(arrays, order)),
        x,
        expected,
        // All functions in the first turn, a few in the others.
        turn === 0 ? {} : {
          activation: [activation, activations[k % 6]!],
          recurrentActivation: [recurrentActivation, recurrentActivations[k % 5]!],
        },
      );
      const what =
        `${order} ${activation} ${recurrentActivation} ${reversed} ${forget}: ${sentence}`;
      const right = readings.filter(({ answers }) =>
        answers.gateOrder.replaceAll(" ", "").startsWith(order) &&
        answers.activation === activation &&
        answers.recurrentActivation === recurrentActivation &&
        answers.time === (reversed ? "reversed" : "forward") &&
        answers.forgetBias === (forget ? "+ 1" : "as it is") &&
        answers.kernel === "as its shape says" && answers.bias === "as it is" &&
        answers.recurrentKernel === "as its shape says"
      );
      assertEquals(right.length, 1, what);
      if (outcome === "one") alone++;
      else tied++;
      // Whatever else explains the numbers predicts the same but for rounding.
      for (const reading of readings.slice(0, 20)) {
        const prediction = reading.toModel().predict(x).data;
        prediction.forEach((p, n) => assert(Math.abs(p - expected.data[n]!) < 2e-5, what));
      }
    }
  }
  assert(alone > tied, `${alone} alone, ${tied} tied`);
  if (everything) console.log(`${alone} named alone, ${tied} ties`);
});

Deno.test("diagnose() reads PyTorch's, ONNX's and TF1's arrays as they are", () => {
  const { kernel, recurrentKernel, bias, denseKernel, denseBias } = arrays;
  const half = new Tensor(Float32Array.from(bias.data, (b) => b / 4), bias.shape);
  const rest = new Tensor(Float32Array.from(bias.data, (b) => b * 3 / 4), bias.shape);
  const torch = [
    kernel.transpose(),
    recurrentKernel.transpose(),
    half,
    rest,
    denseKernel.transpose(),
    denseBias,
  ];
  assertEquals(sole(diagnose(torch, x, expectedOf())), []);

  const onnx = reordered(arrays, "iofc");
  const W = onnx.kernel.transpose().reshape([1, 12, 2]);
  const R = onnx.recurrentKernel.transpose().reshape([1, 12, 3]);
  const B = new Tensor(Float32Array.of(...onnx.bias.data, ...new Float32Array(12)), [1, 24]);
  assertEquals(sole(diagnose([W, R, B, denseKernel, denseBias], x, expectedOf())), [
    "gate order i o f c (ONNX)",
  ]);

  const tf1 = reordered(arrays, "icfo");
  const joined = new Tensor(
    Float32Array.of(...tf1.kernel.data, ...tf1.recurrentKernel.data),
    [2 + 3, 12],
  );
  const forgetful = expectedOf({}, withForgetBias(arrays));
  assertEquals(sole(diagnose([joined, tf1.bias, denseKernel, denseBias], x, forgetful)), [
    "gate order i c f o (TF1, Haiku)",
    "forget bias + 1",
  ]);
});

/** Numbers of one row after the other, as if they stood column after column. */
function byColumn(matrix: Tensor): Tensor {
  return matrix.transpose().reshape(matrix.shape);
}

Deno.test("diagnose() finds transposed, reshaped and exchanged arrays, and what became of the biases", () => {
  const { kernel, recurrentKernel, bias, denseKernel, denseBias } = arrays;
  const expected = expectedOf();
  const after = [denseKernel, denseBias];
  const cases: [string, readonly TensorLike[]][] = [
    ["kernel read column by column", [byColumn(kernel), recurrentKernel, bias, ...after]],
    ["recurrent kernel read column by column", [kernel, byColumn(recurrentKernel), bias, ...after]],
    ["kernel reshaped, not transposed", [kernel.reshape([12, 2]), recurrentKernel, bias, ...after]],
    ["dense kernel read column by column", [
      kernel,
      recurrentKernel,
      bias,
      byColumn(denseKernel),
      denseBias,
    ]],
    ["bias doubled", [
      kernel,
      recurrentKernel,
      new Tensor(bias.data.map((b) => b / 2), bias.shape),
      ...after,
    ]],
    ["bias the second one only", [kernel, recurrentKernel, inOrder(bias, "ocfi"), bias, ...after]],
  ];
  for (const [departure, weights] of cases) {
    assertEquals(sole(diagnose(weights, x, expected)), [departure]);
  }

  const blocks = splitGates(recurrentKernel);
  const turned = joinGates({
    input: blocks.input.transpose(),
    forget: blocks.forget.transpose(),
    candidate: blocks.candidate.transpose(),
    output: blocks.output.transpose(),
  });
  assertEquals(sole(diagnose([kernel, turned, bias, ...after], x, expected)), [
    "recurrent kernel each gate's block transposed",
  ]);

  const square = randomCase(78, { ...sizes, inputSize: 3, classes: 3 });
  const [W, U, b, denseW, denseB] = listed(square.arrays) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const prediction = runFloat32(square.x, square.arrays).prediction;
  assertEquals(sole(diagnose([U, W, b, denseW, denseB], square.x, prediction)), [
    "kernels W and U exchanged",
  ]);
  assertEquals(sole(diagnose([W, U, b, denseW.transpose(), denseB], square.x, prediction)), [
    "dense kernel transposed",
  ]);
});

Deno.test("diagnose() explains states and gates as well, and results of every timestep", () => {
  const onnx = reordered(arrays, "iofc");
  const weights = [onnx.kernel, onnx.recurrentKernel, onnx.bias];
  const { layers: [layer] } = runFloat32(x, arrays);
  const order = ["gate order i o f c (ONNX)"];
  assertEquals(sole(diagnose(weights, x, { layers: [layer] })), order);
  assertEquals(sole(diagnose(weights, x, { layers: [{ cellState: layer!.cellState }] })), order);
  assertEquals(sole(diagnose(weights, x, layer!.hiddenState)), order);
  assertEquals(sole(diagnose(weights, x, layer!.hiddenState.select(1, -1))), order);
});

Deno.test("the reading's model predicts what was expected, its weights in Keras's layout", () => {
  const { reading } = diagnose(listed(reordered(arrays, "iofc")), x, expectedOf());
  const model = reading!.toModel();
  assertEquals(
    model.getWeights().map(({ data }) => [...data]),
    listed(arrays).map(({ data }) => [...data]),
  );
  assert(reading!.maxAbsDiff < 1e-6 && reading!.maxAbsDiff <= reading!.bound);
});

Deno.test("readings that cannot differ are told as ties", () => {
  // One function for gates and candidate: i ⊙ c̃ is c̃ ⊙ i.
  const same = { activation: getActivation("tanh"), recurrentActivation: getActivation("tanh") };
  const commuting = diagnose(listed(arrays), x, expectedOf(same));
  assertEquals(commuting.outcome, "several");
  assertEquals(commuting.reading, undefined);
  assertEquals(commuting.readings.map(({ answers }) => answers.gateOrder), [
    "i f c o (Keras, PyTorch, TF.js)",
    "c f i o",
  ]);
  assertStringIncludes(
    commuting.sentence,
    "cannot tell them apart. They differ in gate order (i f c o (Keras, PyTorch, TF.js), c f i o).",
  );

  // Of one timestep, neither the forget gate nor U has a part in the result.
  const one = randomCase(79, { ...sizes, timesteps: 1 });
  const { outcome, readings } = diagnose(
    listed(one.arrays),
    one.x,
    runFloat32(one.x, one.arrays).prediction,
  );
  assertEquals(outcome, "several");
  assertEquals(readings[0]!.departures, []);
  const questions = new Set(readings.map(({ answers }) => answers.recurrentKernel));
  assertEquals(questions.size, 3);
});

Deno.test("Keras's dead networks are called what they are: their prediction cannot tell readings apart", async () => {
  const dead = fixturesOf("experiment").filter(({ state }) => state === "dead");
  assertEquals(dead.length, 3);
  for (const { name, file } of dead) {
    const read = await readArrays(file);
    const weights = [0, 1, 2, 3, 4].map((k) => read(`weights_after_${k}`));
    const diagnosis = diagnose(weights, read("x"), read("prediction"));
    assertEquals([diagnosis.outcome, diagnosis.dead], ["several", true], name);
    assert(diagnosis.readings.length > 10);
    assertStringIncludes(diagnosis.sentence, "A dead network: nothing but 0 comes out of the LSTM");
    assertStringIncludes(diagnosis.sentence, "cannot tell readings apart");
  }
});

Deno.test("where no reading explains the numbers, the nearest is told, and by how much it is off", () => {
  const expected = expectedOf();
  const data = expected.data.slice();
  data[2]! += 0.0005;
  const { outcome, readings, nearest, sentence } = diagnose(
    listed(arrays),
    x,
    new Tensor(data, expected.shape),
  );
  assertEquals([outcome, readings.length], ["none", 0]);
  assertEquals(nearest[0]!.departures, []);
  assert(Math.abs(nearest[0]!.maxAbsDiff - 0.0005) < 1e-6);
  assertStringIncludes(
    sentence,
    "The nearest, all as in Keras, is off by 0.0005 where rounding explains ",
  );
});

Deno.test("what is known need not be asked; what else is to be tried can be said", () => {
  const weights = listed(reordered(arrays, "iofc"));
  const known = diagnose(weights, x, expectedOf(), {
    gateOrder: "onnx",
    activation: "tanh",
    recurrentActivation: ["sigmoid", "hard_sigmoid"],
    time: "forward",
    denseActivation: "softmax",
  });
  assertEquals(sole(known), ["gate order i o f c (ONNX)"]);
  assert(known.tried < 200);
  const gelu = expectedOf({ activation: getActivation("gelu") });
  assertEquals(diagnose(weights, x, gelu).outcome, "none");
  assertEquals(
    sole(
      diagnose(weights, x, gelu, { activation: ["tanh", "gelu"], gateOrder: ["i o f g", "keras"] }),
    ),
    [
      "gate order i o f c (ONNX)",
      "activation gelu",
    ],
  );
});

Deno.test("a large model is diagnosed by its likelier readings, and says so", () => {
  const large = { batch: 2, timesteps: 40, inputSize: 8, units: 32, classes: 5 };
  const { x, arrays } = randomCase(80, large);
  const weights = listed(reordered(arrays, "iofc"));
  const program = { recurrentActivation: getActivation("hard_sigmoid") };
  const diagnosis = diagnose(weights, x, runFloat32(x, arrays, program).prediction);
  assertEquals(sole(diagnosis), [
    "gate order i o f c (ONNX)",
    "recurrent activation hard_sigmoid",
  ]);
  assertStringIncludes(
    diagnosis.sentence,
    "departures from Keras beside a framework's gate order explains these numbers",
  );
});

Deno.test("a diagnosis shows itself: the sentence, and the evidence in a table", () => {
  const diagnosis = diagnose(listed(arrays), x, expectedOf());
  const [sentence, head, first, second] = Deno.inspect(diagnosis).split("\n").map((line) =>
    line.trim()
  );
  assertEquals(sentence, diagnosis.sentence);
  assertEquals(head!.split(/ {2,}/), [
    "reading",
    "largest difference",
    "rounding explains",
    "explains it",
  ]);
  assert(/^all as in Keras .*yes$/.test(first!) && second!.endsWith("no"), `${first}\n${second}`);
});

Deno.test("diagnose() refuses what is not one recurrent layer, and options it does not know", () => {
  const expected = expectedOf();
  const weights = listed(arrays);
  const refused = (
    Kind: typeof TypeError | typeof RangeError,
    message: string,
    ...given: Parameters<typeof diagnose>
  ) => assertThrows(() => diagnose(...given), Kind, message);
  refused(TypeError, "but the shapes are [2, 12], [12]", [weights[0]!, weights[2]!], x, expected);
  refused(
    TypeError,
    "must be one LSTM's, GRU's or SimpleRNN's for 2 inputs",
    [...weights, [1, 2, 3]],
    x,
    expected,
  );
  refused(TypeError, "but the shapes are none", [], x, expected);
  refused(TypeError, "x must be [batch, timesteps, inputSize]", weights, [[1, 2]], expected);
  refused(TypeError, "[3, 4] or [3, 4, 4], but the shape is [2]", weights, x, [1, 2]);
  refused(TypeError, "but expected is empty", weights, x, {});
  refused(TypeError, "but cell was given", weights, x, { layers: [{ cell: 1 } as never] });
  refused(TypeError, "but the expected layers are 2", weights, x, { layers: [{}, {}] });
  refused(
    TypeError,
    "but order was given; did you mean gateOrder?",
    weights,
    x,
    expected,
    { order: "onnx" } as never,
  );
  refused(RangeError, '"jax"', weights, x, expected, { gateOrder: "jax" });
  refused(RangeError, '"softmax"', weights, x, expected, { activation: "softmax" });
  refused(RangeError, "but the list is []", weights, x, expected, { activation: [] });
  refused(RangeError, 'forward or reversed, but "back" was given', weights, x, expected, {
    time: "back" as never,
  });
});
