// What is told of a GRU's and a SimpleRNN's readings: from a model's own conventions, of their biases,
// of ties, and of what is refused.

import {
  activation,
  type ActivationName,
  bidirectional,
  defineCell,
  dense,
  diagnose,
  dropout,
  getActivation,
  gru,
  type Layer,
  lstm,
  sequential,
  simpleRnn,
  Tensor,
  trace as traceOf,
} from "@gatescope/lstm";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { inOrder } from "./corruptions.ts";
import type { CellKind } from "./float32_cells.ts";
import { listed, randomCase, runFloat32 } from "./float32_run.ts";

Deno.test("a model's own conventions are what departures are told from, of every cell", () => {
  const layers = {
    LSTM: lstm({ units: 3, goBackwards: true }),
    GRU: gru({ units: 3, activation: "relu", resetAfter: false }),
    SimpleRNN: simpleRnn({ units: 3, activation: "softsign" }),
  };
  for (const [name, layer] of Object.entries(layers)) {
    const after = [dropout({ rate: 0.5 }), dense({ units: 2, activation: "sigmoid" })];
    const model = sequential([layer, ...after], { inputShape: [4, 2] });
    const cell = name === "GRU" ? "GRU, reset before" : name as CellKind;
    const sizes = { cell, batch: 3, timesteps: 4, inputSize: 2, units: 3, classes: 2 };
    const { x: input, arrays } = randomCase(90, sizes);
    model.setWeights(listed(arrays));
    const same = diagnose(model, input, model.predict(input));
    assertEquals([same.usual, same.reading?.departures], ["the model", []], name);
    const { layers: [trace] } = traceOf(model, input);
    assertEquals(diagnose(model, input, { layers: [trace] }).reading?.departures, [], name);

    const options = layer.options as unknown as Parameters<typeof gru>[0];
    const other = { LSTM: lstm, GRU: gru, SimpleRNN: simpleRnn }[name] as typeof gru;
    const forwards = other({ ...options, goBackwards: !options.goBackwards });
    const theirs = sequential([forwards, ...after], { inputShape: [4, 2] });
    theirs.setWeights(model.getWeights());
    const { reading, sentence } = diagnose(model, input, theirs.predict(input));
    const time = `time ${options.goBackwards ? "forward" : "reversed"}`;
    assertEquals(reading?.departures, [time], name);
    assertStringIncludes(sentence, `${time}, all else as in the model.`);
  }
});

Deno.test("shapes say which cell, where they can; `cell` and `resetAfter` narrow what is tried", () => {
  // [2, 3] is a GRU's of one unit, x and h joined, or a SimpleRNN's of two, transposed.
  const x = new Tensor(Float32Array.from({ length: 8 }, (_, k) => Math.sin(k)), [2, 4, 1]);
  const both = [[[0.5, -1, 0.25], [1, 0.75, -0.5]]];
  const expected = runFloat32(x, {
    kernel: new Tensor(Float32Array.of(0.5, 1), [1, 2]),
    recurrentKernel: new Tensor(Float32Array.of(-1, 0.75, 0.25, -0.5), [2, 2]),
    bias: new Tensor(new Float32Array(2), [2]),
    denseKernel: new Tensor(Float32Array.of(1, 0, 0, 1), [2, 2]),
    denseBias: new Tensor(new Float32Array(2), [2]),
  }, { cell: "SimpleRNN", denseActivation: "linear" });
  const inside = { layers: [{ hiddenState: expected.layers[0]!.hiddenState }] };
  assertEquals(diagnose(both, x, inside).reading?.answers.cell, "SimpleRNN");
  const last = { layers: [{ hiddenState: [[[1], [2], [3], [4]], [[1], [2], [3], [4]]] }] };
  assertStringIncludes(diagnose(both, x, last).sentence, "None of ");

  const sizes = {
    cell: "GRU",
    batch: 3,
    timesteps: 4,
    inputSize: 3,
    units: 2,
    classes: 4,
  } as const;
  const { x: input, arrays } = randomCase(4, sizes);
  const run = runFloat32(input, arrays, { cell: "GRU" }).prediction;
  const all = diagnose(listed(arrays), input, run);
  const after = diagnose(listed(arrays), input, run, { cell: "gru", resetAfter: true });
  assert(after.tried < all.tried && after.reading?.departures.length === 0);
  assertEquals(
    diagnose(listed(arrays), input, run, { resetAfter: false, gateOrder: "cudnn" }).outcome,
    "none",
  );
  const refused = (
    Kind: typeof TypeError | typeof RangeError,
    message: string,
    ...given: Parameters<typeof diagnose>
  ) => assertThrows(() => diagnose(...given), Kind, message);
  const weights = listed(arrays);
  refused(TypeError, "must be one LSTM's for", weights, input, run, { cell: "lstm" });
  refused(RangeError, '"rnn"', weights, input, run, { cell: "rnn" as never });
  refused(RangeError, "resetAfter must be left out of an LSTM", weights, input, run, {
    cell: "lstm",
    resetAfter: true,
  });
  refused(RangeError, "must be left out of a SimpleRNN", weights, input, run, {
    cell: "simpleRnn",
    gateOrder: "keras",
  });
  refused(TypeError, "resetAfter must be true or false", weights, input, run, {
    resetAfter: "yes" as never,
  });
  refused(RangeError, 'such as "r z h", but it is "i f c o"', weights, input, run, {
    cell: "gru",
    gateOrder: "i f c o",
  });
  refused(TypeError, "gates and states of a GRU, but it has cellState", weights, input, {
    layers: [{ cellState: [[[1]]] }],
  });
});

Deno.test("a model that computes something else as well is refused", () => {
  const { x } = randomCase(90, { batch: 3, timesteps: 4, inputSize: 2, units: 3, classes: 2 });
  const refused = (...layers: Layer[]) => {
    const model = sequential(layers, { inputShape: [4, 2], seed: 1 });
    assertThrows(() => diagnose(model, x, model.predict(x)), TypeError, "Cannot diagnose: ");
  };
  refused(gru({ units: 3, returnSequences: true }), gru({ units: 3 }));
  refused(bidirectional(gru({ units: 3 })));
  refused(dense({ units: 3 }), gru({ units: 3 }));
  refused(gru({ units: 3 }), dense({ units: 3 }), dense({ units: 3 }));
  refused(gru({ units: 3 }), dense({ units: 3 }), activation("tanh"));
  refused(gru({ units: 3, activation: getActivation("elu", { alpha: 2 }) }));
  refused(dense({ units: 3 }));
  const own = defineCell({
    kind: "Leaky",
    gates: ["candidate"],
    states: ["hiddenState"],
    step(o, { x, hiddenState: h }, { W, U, b }, at) {
      const c = at(
        "gates.candidate",
        o.tanh(o.affine([[x, W.candidate], [h, U.candidate]], b.candidate)),
      );
      at("hiddenState", o.sumOfProducts([c, c]));
    },
  });
  const leaky = sequential([own({ units: 3 })], { inputShape: [4, 2] });
  assertThrows(() => diagnose(leaky, x, x), TypeError, "is a Leaky of its own");
  const model = sequential([gru({ units: 3 })], { inputShape: [4, 2] });
  assertThrows(() => diagnose(model, x, x, { cell: "lstm" }), RangeError, "but it is a GRU");
});

Deno.test("what became of a GRU's two biases is told, whatever a program made of them", () => {
  const sizes = { batch: 3, timesteps: 4, inputSize: 2, units: 3, classes: 2 } as const;
  const { x, arrays } = randomCase(91, { ...sizes, cell: "GRU" });
  const [A, B] = [0, 1].map((k) => Array.from(arrays.bias.data.slice(9 * k, 9 * k + 9)));
  const none = A!.map(() => 0);
  const both = A!.map((a, k) => Math.fround(a + B![k]!));
  const row = (data: number[]) => new Tensor(Float32Array.from(data), [9]);
  // What the program computed with, and what it was given.
  const forms: [string, readonly [number[], number[]], readonly number[][]][] = [
    ["as it is", [A!, B!], [A!, B!]],
    ["exchanged", [B!, A!], [A!, B!]],
    ["both added outside of the reset", [both, none], [A!, B!]],
    ["both added inside of the reset", [none, both], [A!, B!]],
    ["the first one only", [A!, none], [A!, B!]],
    ["the second one only", [none, B!], [A!, B!]],
    ["left out", [none, none], [A!, B!]],
    ["as it is", [A!, none], [A!]],
    ["the recurrent kernel's", [none, A!], [A!]],
    ["of both kernels", [A!, A!], [A!]],
    ["left out", [none, none], [A!]],
    ["as it is", [none, none], []],
  ];
  for (const [label, used, given] of forms) {
    const bias = new Tensor(Float32Array.from(used.flat()), [2, 9]);
    const expected = runFloat32(x, { ...arrays, bias }, { cell: "GRU" }).prediction;
    const { kernel, recurrentKernel, denseKernel, denseBias } = arrays;
    const { reading, sentence } = diagnose(
      [kernel, recurrentKernel, ...given.map(row), denseKernel, denseBias],
      x,
      expected,
      { activation: "tanh", recurrentActivation: ["sigmoid", "hard_sigmoid"], time: "forward" },
    );
    assertEquals(reading?.departures, label === "as it is" ? [] : [`bias ${label}`], sentence);
  }
});

Deno.test("a GRU's readings that cannot differ are told as ties, a dead one as what it is", () => {
  const sizes = {
    cell: "GRU",
    batch: 3,
    timesteps: 1,
    inputSize: 2,
    units: 3,
    classes: 2,
  } as const;
  const { x, arrays } = randomCase(92, sizes);
  const few = { activation: "tanh", recurrentActivation: "sigmoid" } as const;
  const first = runFloat32(x, arrays, { cell: "GRU" }).prediction;
  const { outcome, readings, sentence } = diagnose(listed(arrays), x, first, few);
  // Of the first step U says nothing, since there is no h yet.
  assertEquals([outcome, readings[0]!.departures], ["several", []], sentence);
  assertStringIncludes(sentence, "They differ in recurrent kernel (as its shape says, ");
  assert(readings.every(({ answers }) => answers.reset === "after"), sentence);

  const bias = new Tensor(arrays.bias.data.map(() => -100), arrays.bias.shape);
  const shut = { ...arrays, bias };
  const relu = { cell: "GRU", activation: getActivation("relu") } as const;
  const dead = diagnose(listed(shut), x, runFloat32(x, shut, relu).prediction, {
    ...few,
    activation: "relu",
  });
  assertEquals([dead.outcome, dead.dead], ["several", true]);
  assertStringIncludes(dead.sentence, "A dead network: nothing but 0 comes out of the GRU");
});

Deno.test("a large GRU in PyTorch's order, its reset before the product, is found though one departure is all there is time for", () => {
  const sizes = { batch: 1, timesteps: 150, inputSize: 4, units: 96, classes: 3 };
  const { x, arrays } = randomCase(93, { ...sizes, cell: "GRU, reset before" });
  const run = runFloat32(x, arrays, { cell: "GRU, reset before" }).prediction;
  const functions = ["tanh", "relu", "sigmoid", "softsign", "hard_tanh", "linear", "elu", "celu"];
  const more = ["selu", "gelu", "silu", "mish", "softplus", "leaky_relu", "exponential", "relu6"];
  const held = inOrder(arrays, [1, 0, 2]);
  const { reading, sentence } = diagnose(listed(held), x, run, {
    activation: [...functions, ...more] as ActivationName[],
    recurrentActivation: ["sigmoid", ...functions, ...more] as ActivationName[],
  });
  assertEquals(reading?.departures, [
    "gate order r z h (PyTorch, cuDNN)",
    "reset before the product instead of after",
  ], sentence);
  assertStringIncludes(
    sentence,
    "of at most 1 departure from Keras beside a framework's gate order",
  );
});

Deno.test("what is missing is named, the weights first", () => {
  const call = diagnose as unknown as (...given: unknown[]) => unknown;
  const said = (...given: unknown[]) => assertThrows(() => call(...given), TypeError).message;
  assertStringIncludes(said("text"), 'a list of arrays or a model, but the text "text" was given');
  assertStringIncludes(said([[[1]]]), "but x is not given");
  assertStringIncludes(said([[[1]]], [[[1]]]), "but what is expected is not given");
  assertStringIncludes(said([[[1]]], [[[1]]], [[1]]), "for 1 input, its kernels");
});
