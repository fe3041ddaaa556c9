// Tolerance: 1e-6 relative to the largest entry, as central_differences.ts says.

import {
  activation,
  type ActivationName,
  bidirectional,
  dense,
  dropout,
  embedding,
  getActivation,
  lstm,
  type LstmLayerOptions,
  masking,
  type MergeMode,
  Tensor,
  tensor,
  timeDistributed,
} from "@gatescope/lstm";
import { assertEquals } from "@std/assert";
import { activationCurves } from "../../lib/values/activation_curves.ts";
import { checkLayer, numbers, runLayer } from "./central_differences.ts";

const activations = [
  ...Object.keys(activationCurves).filter((name) => name !== "threshold")
    .map((name) => getActivation(name as ActivationName)),
  getActivation("threshold", { threshold: 0.01, defaultValue: -0.3 }),
  getActivation("relu", { negativeSlope: 0.1, maxValue: 0.5, threshold: 0.05 }),
  getActivation("gelu", { approximate: true }),
  getActivation("softmax"),
  getActivation("log_softmax"),
  getActivation("sparsemax"),
];

const x = () => numbers([2, 3, 2], 1);
const mask = tensor([[1, 0, 1], [0, 1, 0]]);

Deno.test("the LSTM's gradient is right for every activation, in both places", () => {
  for (const f of activations) {
    checkLayer({ layer: lstm({ units: 2, activation: f }), x: x() }, f.activationName);
    const layer = lstm({ units: 2, recurrentActivation: f });
    checkLayer({ layer, x: x() }, `recurrent ${f.activationName}`);
  }
});

Deno.test("the LSTM's gradient is right for every option, masks and states", () => {
  const options: Omit<LstmLayerOptions, "units">[] = [
    {},
    { useBias: false },
    { goBackwards: true },
    { zeroOutputForMask: true },
    { goBackwards: true, zeroOutputForMask: true, activation: "softsign" },
    { dropout: 0.4 },
    { recurrentDropout: 0.4 },
    { dropout: 0.3, recurrentDropout: 0.3, goBackwards: true },
  ];
  const state = [[numbers([2, 2], 11), numbers([2, 2], 12)]];
  for (const option of options) {
    for (const returnSequences of [false, true]) {
      const layer = lstm({ units: 2, returnSequences, stateful: true, ...option });
      for (const training of [false, true]) {
        const what = JSON.stringify({ ...option, returnSequences, training });
        checkLayer({ layer, x: x(), training }, what);
        checkLayer({ layer, x: x(), training, mask, state }, `${what} with mask and state`);
      }
    }
  }
});

Deno.test("Bidirectional's gradient is right for every merge mode, with masks and states", () => {
  const state = [3, 5].map((seed) => [numbers([2, 2], seed), numbers([2, 2], seed + 1)]);
  for (const mergeMode of ["concat", "sum", "mul", "ave"] as MergeMode[]) {
    for (const returnSequences of [false, true]) {
      const inner = lstm({ units: 2, returnSequences, stateful: true });
      const layer = bidirectional(inner, { mergeMode });
      const what = `${mergeMode}, returnSequences ${returnSequences}`;
      checkLayer({ layer, x: x() }, what);
      checkLayer({ layer, x: x(), mask, state }, `${what} with mask and state`);
    }
  }
  const backwardLayer = lstm({ units: 4, goBackwards: true, activation: "relu", useBias: false });
  const layer = bidirectional(lstm({ units: 3 }), { backwardLayer });
  checkLayer({ layer, x: x() }, "a backward layer of its own");
});

Deno.test("Dense's gradient is right for every activation, on rows and on sequences", () => {
  for (const f of activations) {
    const what = f.activationName;
    checkLayer({ layer: dense({ units: 4, activation: f }), x: numbers([3, 2], 2) }, what);
    checkLayer({ layer: dense({ units: 4, activation: f, useBias: false }), x: x() }, what);
  }
});

Deno.test("TimeDistributed, Activation, Dropout and Masking have the right gradient", () => {
  const sequences = numbers([2, 4, 3, 2], 4);
  checkLayer({ layer: timeDistributed(dense({ units: 5 })), x: x() }, "timeDistributed dense");
  checkLayer({ layer: timeDistributed(lstm({ units: 2 })), x: sequences }, "timeDistributed lstm");
  const noisy = timeDistributed(dropout({ rate: 0.5 }));
  checkLayer({ layer: noisy, x: x(), training: true }, "timeDistributed dropout");
  checkLayer({ layer: dropout({ rate: 0.5 }), x: x(), training: true }, "dropout");
  checkLayer({ layer: dropout({ rate: 0.5 }), x: x() }, "dropout in prediction");
  for (const f of activations) checkLayer({ layer: activation(f), x: x() }, f.activationName);
  checkLayer({ layer: masking(), x: x() }, "masking of nothing");
});

Deno.test("Masking hands no gradient to a masked step", () => {
  const padded = tensor([[[0.5, -1], [0, 0], [0, 2]]]);
  const { mask, backward } = runLayer({ layer: masking(), x: padded }, []);
  assertEquals(mask!.toArray(), [[1, 0, 1]]);
  const { input } = backward(new Tensor(new Float64Array(6).fill(1), [1, 3, 2]));
  assertEquals(input!.toArray(), [[[1, 1], [0, 0], [1, 1]]]);
});

Deno.test("an Embedding's row gathers the gradient of every place that it stood in", () => {
  const layer = embedding({ inputDim: 5, outputDim: 2 });
  checkLayer({ layer, x: tensor([[1, 4, 1], [0, 1, 2]]) }, "embedding");
});
