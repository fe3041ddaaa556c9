// Models of every layer and option that the fast equations may take, or may not, with random weights.

import {
  activation,
  averagePooling1D,
  batchNormalization,
  bidirectional,
  conv1D,
  conv2D,
  dense,
  dropout,
  embedding,
  globalAveragePooling1D,
  globalAveragePooling2D,
  globalMaxPooling1D,
  gru,
  type GruLayerOptions,
  type Layer,
  lstm,
  type LstmLayer,
  type LstmLayerOptions,
  masking,
  maxPooling1D,
  maxPooling2D,
  type Model,
  type OpenShape,
  type Precision,
  sequential,
  simpleRnn,
  Tensor,
  timeDistributed,
} from "@gatescope/lstm";
import { sameShape } from "../../lib/tensor/shape.ts";
import { networkOf } from "../../lib/model/model.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { randomArray } from "../compute/random_layers.ts";

export const [batch, timesteps, inputSize] = [5, 7, 3];
const random = seededRandom(8);

function normal(...shape: number[]): Tensor {
  const length = shape.reduce((a, b) => a * b, 1);
  return new Tensor(Float64Array.from({ length }, random.normal), shape);
}

/** A few steps of each sample are zeros: at its beginning, its end and between; one has no other. */
function masked(): Tensor {
  const x = normal(batch, timesteps, inputSize);
  const zeros = [[0, 1], [6], [2, 4], [], [0, 1, 2, 3, 4, 5, 6]];
  zeros.forEach((steps, n) => steps.forEach((t) => x.at(n, t).data.fill(0)));
  return x;
}

/** The same, each sample with steps that count. */
function somewhatMasked(): Tensor {
  const x = masked();
  x.at(batch - 1, 3).data.fill(0.5);
  return x;
}

const words = new Tensor(
  Float64Array.from({ length: batch * timesteps }, (_, k) => k * k % 4),
  [batch, timesteps],
);
const sequences: Partial<LstmLayerOptions> = { returnSequences: true };

/** A model and its input. Default of the input: `usual`. */
export interface Case {
  readonly layers: () => Layer[];
  readonly x?: Tensor;
}
const softmax = () => dense({ units: 2, activation: "softmax" });
const maskedCase = (options: Partial<LstmLayerOptions>): Case => ({
  layers: () => [masking(), lstm({ units: 6, ...options }), dense({ units: 2 })],
  x: masked(),
});
/** By what is special about each. */
export const cases: Record<string, Case> = {
  "an LSTM and a dense layer": { layers: () => [lstm({ units: 6 }), softmax()] },
  "without biases": {
    layers: () => [lstm({ units: 6, useBias: false }), dense({ units: 2, useBias: false })],
  },
  "LSTMs, dropout and dense layers in a row": {
    layers: () => [
      lstm({ units: 5, ...sequences }),
      dropout({ rate: 0.4 }),
      lstm({ units: 4, activation: "relu", recurrentActivation: "hard_sigmoid" }),
      dense({ units: 6, activation: "elu" }),
      softmax(),
    ],
  },
  "each timestep": {
    layers: () => [lstm({ units: 5, ...sequences }), timeDistributed(dense({ units: 2 }))],
  },
  "backwards": { layers: () => [lstm({ units: 5, goBackwards: true, ...sequences }), softmax()] },
  "dense layers alone": {
    layers: () => [dense({ units: 4, activation: "tanh" }), softmax()],
    x: normal(batch, inputSize),
  },
  "an activation layer joins its dense layer": {
    layers: () => [lstm({ units: 5 }), dense({ units: 2 }), activation("softmax")],
  },
  "an activation layer on its own": {
    layers: () => [lstm({ units: 5 }), activation("tanh"), activation("linear"), softmax()],
  },
  "activations without a fast form": {
    layers:
      () => [lstm({ units: 5, activation: "gelu", ...sequences }), lstm({ units: 4 }), softmax()],
  },
  "words": {
    layers: () => [embedding({ inputDim: 4, outputDim: 3 }), lstm({ units: 5 }), softmax()],
    x: words,
  },
  "words of which 0 is none": {
    layers: () => [
      embedding({ inputDim: 4, outputDim: 3, maskZero: true }),
      bidirectional(lstm({ units: 5, ...sequences })),
      lstm({ units: 4 }),
      softmax(),
    ],
    x: words,
  },
  "both directions": {
    layers: () => [
      bidirectional(lstm({ units: 5, ...sequences }), { mergeMode: "mul" }),
      bidirectional(lstm({ units: 4 })),
      softmax(),
    ],
  },
  "a mask": maskedCase({}),
  "a mask, backwards": maskedCase({ goBackwards: true }),
  "a mask, each step": maskedCase(sequences),
  "a mask, each step backwards, zeros": maskedCase({
    ...sequences,
    goBackwards: true,
    zeroOutputForMask: true,
  }),
  "a mask, the last step, zeros": maskedCase({ zeroOutputForMask: true }),
  "a mask that masks nothing": {
    layers: () => [masking({ maskValue: 9 }), lstm({ units: 5 }), softmax()],
  },
  "sequences of sequences": {
    layers: () => [timeDistributed(lstm({ units: 4 })), lstm({ units: 3 }), softmax()],
    x: normal(batch, 2, timesteps, inputSize),
  },
  "dropout inside": { layers: () => [lstm({ units: 6, dropout: 0.4 }), softmax()] },
  "dropout inside, both": {
    layers: () => [
      bidirectional(lstm({ units: 6, dropout: 0.4, recurrentDropout: 0.3 })),
      softmax(),
    ],
  },
  "stateful": { layers: () => [lstm({ units: 5, stateful: true }), softmax()] },
};
/** The other cells, in the places where an LSTM's fast code could differ from theirs. */
function casesOf(name: string, cell: (options: GruLayerOptions) => Layer): Record<string, Case> {
  const dropped = { dropout: 0.4, recurrentDropout: 0.3 };
  const usual = {
    [`${name} and a dense layer`]: () => [cell({ units: 6 }), softmax()],
    [`${name}, two without biases`]: () => [
      cell({ units: 17, useBias: false, ...sequences }),
      cell({ units: 4, activation: "relu", recurrentActivation: "hard_sigmoid" }),
      softmax(),
    ],
    [`${name}, backwards`]: () => [cell({ units: 5, goBackwards: true, ...sequences }), softmax()],
    [`${name}, both directions`]: () => [
      bidirectional(cell({ units: 5, ...sequences }) as LstmLayer, { mergeMode: "mul" }),
      bidirectional(cell({ units: 4 }) as LstmLayer),
      softmax(),
    ],
    [`${name}, dropout inside`]: () => [cell({ units: 6, dropout: 0.4 }), softmax()],
    [`${name}, dropout inside, both`]: () => [cell({ units: 6, ...dropped }), softmax()],
    [`${name}, stateful`]: () => [cell({ units: 5, stateful: true }), softmax()],
  };
  const masks: Record<string, Partial<GruLayerOptions>> = {
    "a mask": {},
    "a mask, backwards": { goBackwards: true },
    "a mask, each step": sequences,
    "a mask, each step backwards, zeros": {
      ...sequences,
      goBackwards: true,
      zeroOutputForMask: true,
    },
  };
  return {
    ...Object.fromEntries(Object.entries(usual).map(([what, layers]) => [what, { layers }])),
    ...Object.fromEntries(
      Object.entries(masks).map(([what, options]) => [
        `${name}, ${what}`,
        {
          layers: () => [masking(), cell({ units: 6, ...options }), dense({ units: 2 })],
          x: masked(),
        },
      ]),
    ),
  };
}

Object.assign(
  cases,
  casesOf("GRU", gru),
  casesOf("GRU reset before", (options) => gru({ ...options, resetAfter: false })),
  casesOf("SimpleRNN", ({ recurrentActivation: _, ...options }) => simpleRnn(options)),
);
const images = normal(3, 2, 6, 5, 2);
/** What stands before an LSTM. */
export const before: Record<string, Case> = {
  "a convolution": { layers: () => [conv1D({ filters: 6, kernelSize: 3 }), lstm({ units: 4 })] },
  "a convolution that moves on": {
    layers: () => [
      conv1D({ filters: 5, kernelSize: 3, strides: 2, padding: "same", activation: "relu" }),
      lstm({ units: 4 }),
    ],
  },
  "causal convolutions that lie apart": {
    layers: () => [
      conv1D({ filters: 17, kernelSize: 2, padding: "causal", activation: "tanh", useBias: false }),
      conv1D({ filters: 3, kernelSize: 3, padding: "causal", dilationRate: 2 }),
      lstm({ units: 4 }),
    ],
  },
  "poolings": {
    layers: () => [
      conv1D({ filters: 6, kernelSize: 2, padding: "same" }),
      maxPooling1D({ poolSize: 3, strides: 1, padding: "same" }),
      averagePooling1D({ poolSize: 2, strides: 2, padding: "same" }),
      lstm({ units: 4, ...sequences }),
      globalMaxPooling1D(),
    ],
  },
  "normalization": {
    layers: () => [
      conv1D({ filters: 6, kernelSize: 2, activation: "elu" }),
      batchNormalization(),
      lstm({ units: 4, ...sequences }),
      batchNormalization({ scale: false, momentum: 0.5 }),
      globalAveragePooling1D({ keepdims: true }),
      batchNormalization({ center: false }),
    ],
  },
  "activations": {
    layers: () => [
      conv1D({ filters: 5, kernelSize: 2 }),
      batchNormalization(),
      activation("relu"),
      activation("sigmoid"),
      lstm({ units: 4, ...sequences }),
      activation("softsign"),
    ],
  },
  "images": {
    layers: () => [
      timeDistributed(conv2D({ filters: 4, kernelSize: [3, 2], padding: "same" })),
      timeDistributed(maxPooling2D()),
      timeDistributed(batchNormalization()),
      timeDistributed(globalAveragePooling2D()),
      lstm({ units: 4 }),
    ],
    x: images,
  },
};
/** Where only the equations compute what stands before an LSTM. */
const others: Record<string, Case> = {
  "a convolution of groups": {
    layers: () => [conv1D({ filters: 6, kernelSize: 3, groups: 3 }), lstm({ units: 4 })],
  },
  "moments and a mean of what a mask counts": {
    layers: () => [
      masking(),
      batchNormalization(),
      lstm({ units: 4, ...sequences }),
      globalAveragePooling1D(),
    ],
    x: somewhatMasked(),
  },
};
Object.assign(cases, before, others);
export const usual = normal(batch, timesteps, inputSize);

/** The same weights in both precisions. */
export function modelOf({ layers, x = usual }: Case, precision: Precision): Model {
  const inputShape: OpenShape = x.shape.slice(1);
  const model = sequential(layers(), { inputShape, seed: 7, precision });
  const { weightSpecs } = networkOf(model);
  model.setWeights(weightSpecs.map(({ name, shape }, k) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const values = randomArray(length, 0.7, k + 1);
    return new Tensor(name.endsWith("variance") ? values.map((v) => 1 + v) : values, shape);
  }));
  return model;
}

/** The largest difference, in units of the largest expected number or `least`; NaN stays NaN. */
export function difference(actual: Tensor, expected: Tensor, least: number): number {
  if (!sameShape(actual.shape, expected.shape)) return NaN;
  let [largest, worst] = [least, 0];
  expected.data.forEach((e, k) => {
    largest = Math.max(largest, Math.abs(e));
    worst = Math.max(worst, Math.abs(actual.data[k]! - e));
  });
  return worst / largest;
}
