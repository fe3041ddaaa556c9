// Small models of all kinds, from seeds: rows of any layers that follow each other, and graphs.

import * as g from "@gatescope/lstm";
import { type Random, seededRandom } from "../../lib/tensor/random.ts";
import { activationCurves } from "../../lib/values/activation_curves.ts";
import { activationRows } from "../../lib/values/activation_rows.ts";

const peepholeCell = g.defineCell({
  kind: "PeepholeLSTM",
  gates: ["input", "forget", "candidate", "output"],
  states: ["cellState", "hiddenState"],
  weights: { p: ["units"] },
  step(o, { x, cellState: c, hiddenState: h }, { W, U, b, p }, at) {
    const z = (gate: "input" | "forget" | "candidate" | "output") =>
      o.affine([[x, W[gate]], [h, U[gate]]], b[gate]);
    const i = at("gates.input", o.sigmoid(o.add(z("input"), o.multiply(c, p))));
    const f = at("gates.forget", o.sigmoid(z("forget")));
    const c̃ = at("gates.candidate", o.tanh(z("candidate")));
    const next = at("cellState", o.sumOfProducts([f, c], [i, c̃]));
    const out = at("gates.output", o.sigmoid(z("output")));
    at("hiddenState", o.multiply(out, o.tanh(next)));
  },
});
// h is read after the new h is there: its place is not free yet
const swappingCell = g.defineCell({
  kind: "Swapping",
  gates: ["update", "candidate"],
  states: ["memory", "hiddenState"],
  step(o, { x, memory: m, hiddenState: h }, { W, b }, at) {
    const z = at("gates.update", o.sigmoid(o.affine([[x, W.update]], b.update)));
    const c̃ = at("gates.candidate", o.tanh(o.affine([[x, W.candidate]], b.candidate)));
    at("hiddenState", o.sumOfProducts([z, m], [o.oneMinus(z), c̃]));
    at("memory", o.max(o.divide(h, o.add(z, o.given(g.tensor(1)))), o.multiply(m, c̃)));
  },
});

const elementwise = Object.keys(activationCurves) as g.ElementwiseActivationName[];
const OPTIONS: Readonly<Record<string, g.ActivationOptions>> = {
  relu: { negativeSlope: 0.1, maxValue: 2, threshold: 0.25 },
  threshold: { threshold: 0.1, defaultValue: -0.5 },
  celu: { alpha: 1.5 },
  gelu: { approximate: true },
};
const activationAt = (k: number) => {
  const name = elementwise[k % elementwise.length]!;
  return g.getActivation(name, k % 2 === 0 || name === "threshold" ? OPTIONS[name] : {});
};

type Make = (pick: (count: number) => number) => g.Layer;
type Shape = "sequence" | "vector" | "image";

/** Layers by what they take. */
const LAYERS: Readonly<Record<Shape, readonly Make[]>> = {
  sequence: [
    (k) => g.lstm({ units: 1 + k(5), returnSequences: k(2) === 0 }),
    (k) =>
      g.lstm({
        units: 2,
        recurrentActivation: "hard_sigmoid",
        activation: "softsign",
        useBias: k(2) === 0,
      }),
    (k) => g.lstm({ units: 2, goBackwards: true, returnSequences: k(2) === 0 }),
    (k) => g.gru({ units: 1 + k(4), returnSequences: k(2) === 0, resetAfter: k(2) === 0 }),
    (k) => g.simpleRnn({ units: 1 + k(4), returnSequences: k(2) === 0 }),
    (k) => peepholeCell({ units: 1 + k(3), returnSequences: k(2) === 0 }),
    (k) => swappingCell({ units: 1 + k(3), returnSequences: true, stateful: k(2) === 0 }),
    (k) =>
      g.bidirectional(g.gru({ units: 2, returnSequences: k(2) === 0 }), {
        mergeMode: ["concat", "sum", "mul", "ave"][k(4)] as "sum",
      }),
    () => g.bidirectional(g.lstm({ units: 2, returnSequences: true })),
    (k) =>
      g.conv1D({
        filters: 1 + k(3),
        kernelSize: 1 + k(3),
        padding: "causal",
        dilationRate: 1 + k(2),
      }),
    (k) =>
      g.conv1D({
        filters: 2,
        kernelSize: 2,
        padding: "same",
        strides: 1 + k(2),
        activation: "relu",
      }),
    () => g.conv1D({ filters: 2, kernelSize: 2, padding: "valid" }),
    () => g.separableConv1D({ filters: 3, kernelSize: 2, padding: "same", depthMultiplier: 2 }),
    (k) => g.maxPooling1D({ poolSize: 2, padding: k(2) === 0 ? "same" : "valid" }),
    (k) => g.averagePooling1D({ poolSize: 2, strides: 1, padding: k(2) === 0 ? "same" : "valid" }),
    () => g.globalMaxPooling1D(),
    () => g.globalAveragePooling1D(),
    () => g.timeDistributed(g.dense({ units: 2, activation: "tanh" })),
    () => g.zeroPadding1D({ padding: 1 }),
    () => g.cropping1D({ cropping: [1, 0] }),
    () => g.upSampling1D({ size: 2 }),
    () => g.permute({ dims: [2, 1] }),
    () => g.getItem({ index: [-1] }),
    () => g.pReLU({ sharedAxes: [1] }),
    () => g.spatialDropout1D({ rate: 0.5 }),
  ],
  vector: [
    (k) => g.repeatVector({ n: 2 + k(3) }),
    () => g.reshape({ targetShape: [-1, 1] }),
    () => g.pReLU(),
    () => g.gaussianDropout({ rate: 0.5 }),
  ],
  image: [
    (k) =>
      g.conv2D({
        filters: 2,
        kernelSize: [2, 2],
        padding: k(2) === 0 ? "same" : "valid",
        activation: "relu",
      }),
    () => g.maxPooling2D({ poolSize: [2, 2], padding: "same" }),
    () => g.averagePooling2D({ poolSize: [2, 2] }),
    () => g.globalAveragePooling2D(),
    () => g.globalMaxPooling2D(),
  ],
};
/** Those that take any shape. */
const ANY: readonly Make[] = [
  (k) => g.dense({ units: 1 + k(5), activation: activationAt(k(64)), useBias: k(4) > 0 }),
  (k) => g.dense({ units: 4, activation: Object.keys(activationRows)[k(3)] as "softmax" }),
  (k) => g.activation(activationAt(k(64))),
  () => g.batchNormalization(),
  () => g.layerNormalization(),
  () => g.unitNormalization(),
  () => g.normalization({ mean: [0.25], variance: [2] }),
  () => g.rescaling({ scale: 0.5, offset: -0.25 }),
  () => g.reLU({ negativeSlope: 0.25 }),
  () => g.leakyReLU(),
  () => g.elu(),
  () => g.dropout({ rate: 0.25 }),
  () => g.identity(),
  () => g.softmaxLayer(),
  () => g.activityRegularization({ l2: 0.1 }),
  () => g.gaussianNoise({ stddev: 0.5 }),
  () => g.alphaDropout({ rate: 0.5 }),
  () => g.flatten(),
];

const INPUTS: readonly (readonly (number | null)[])[] = [
  [null, 3],
  [null, 1],
  [5, 2],
  [6, 3],
  [4],
  [3, 4, 2],
];

/** A row of layers that follow each other. */
function rowOf(random: Random): g.Model {
  const pick = (count: number) => Math.floor(random.uniform() * count);
  const isWords = pick(8) === 0;
  const inputShape = isWords ? [pick(2) === 0 ? null : 5] : INPUTS[pick(INPUTS.length)]!;
  const layers: g.Layer[] = isWords ? [g.embedding({ inputDim: 7, outputDim: 3 })] : [];
  const wanted = layers.length + 1 + pick(4);
  for (let tries = 0; layers.length < wanted && tries < 40; tries++) {
    const shape = layers.length === 0
      ? inputShape
      : g.sequential(layers, { inputShape }).outputShape;
    const kinds = ["vector", "sequence", "image"] as const;
    const own = LAYERS[kinds[shape.length - 1] ?? "image"]!;
    const from = pick(3) === 0 ? ANY : own;
    const next = from[pick(from.length)]!(pick);
    try {
      const { outputShape } = g.sequential([...layers, next], { inputShape });
      if (!outputShape.includes(0)) layers.push(next);
    } catch { /* another one, then */ }
  }
  if (layers.length === 0) layers.push(g.dense({ units: 2 }));
  const seed = pick(1000);
  const open = g.sequential(layers, { inputShape, seed });
  try {
    if (inputShape[0] === null) open.stream();
    return open;
  } catch { // it needs the whole sequence, whose length must then be known
    return g.sequential(layers, { inputShape: [5, ...inputShape.slice(1)], seed });
  }
}

/** What chance should not leave out: windows along a sequence, and graphs. */
const CHOSEN: readonly (() => g.Model)[] = [
  () => {
    const layers = [
      g.conv1D({
        filters: 3,
        kernelSize: 3,
        dilationRate: 2,
        padding: "causal",
        activation: "tanh",
      }),
      swappingCell({ units: 3, returnSequences: true }),
      g.conv1D({ filters: 2, kernelSize: 2, padding: "causal" }),
      g.getItem({ index: [-1] }),
    ];
    return g.sequential(layers, { inputShape: [null, 2], seed: 1 });
  },
  () => { // a residual connection along a sequence
    const x = g.input([null, 3]);
    const h = g.lstm({ units: 3, returnSequences: true }).apply(x);
    return g.functional(x, g.dense({ units: 2 }).apply(g.addition().apply([x, h])));
  },
  () => { // two branches, one of them late
    const x = g.input([6, 2]);
    const one = g.gru({ units: 2 }).apply(x);
    const two = g.globalMaxPooling1D().apply(g.conv1D({ filters: 3, kernelSize: 2 }).apply(x));
    return g.functional(
      x,
      g.dense({ units: 2, activation: "softmax" }).apply(g.concatenate().apply([one, two])),
    );
  },
  () => { // both branches along, two states
    const x = g.input([null, 2]);
    const one = g.lstm({ units: 2 }).apply(x);
    const two = g.simpleRnn({ units: 2 }).apply(x);
    return g.functional(x, g.multiplication().apply([one, g.subtraction().apply([two, one])]));
  },
  () => { // one layer used twice
    const x = g.input([4, 2]);
    const shared = g.lstm({ units: 2, returnSequences: true });
    return g.functional(x, g.maximum().apply([shared.apply(shared.apply(x)), x]));
  },
  () => { // attention over an LSTM's states
    const x = g.input([5, 3]);
    const h = g.lstm({ units: 4, returnSequences: true }).apply(x);
    const attended = g.attention({ useScale: true }).apply([h, h]);
    return g.functional(x, g.average().apply([attended, h]));
  },
  () => { // several heads, each looking back
    const x = g.input([4, 4]);
    const own = g.multiHeadAttention({ numHeads: 2, keyDim: 2, useCausalMask: true });
    return g.functional(
      x,
      g.layerNormalization().apply(g.addition().apply([x, own.apply([x, x])])),
    );
  },
  () => {
    const x = g.input([3, 2]);
    return g.functional(x, g.additiveAttention().apply([x, x]));
  },
  () => {
    const x = g.input([3, 4]);
    return g.functional(x, g.dotProduct({ axes: [2, 2] }).apply([x, g.minimum().apply([x, x])]));
  },
];

/** The models of a seed on: each its own weights, biases and statistics too. */
export function randomModels(
  count: number,
  seed = 39, // with each kind of layer among 60
): { readonly name: string; readonly model: g.Model }[] {
  return Array.from({ length: count }, (_, k) => {
    const random = seededRandom(seed, k);
    const model = k < CHOSEN.length ? CHOSEN[k]!() : rowOf(random);
    const names = model.layers.flatMap(({ layer, name }) =>
      new Array(model.layers.find((one) => one.name === name)!.getWeights().length).fill(
        layer.className,
      )
    );
    let at = 0;
    model.setWeights(
      model.getWeights().map(({ data, shape }) => {
        const isNormalization = names[at++] === "BatchNormalization";
        const moved = Float64Array.from(data, (w) => Math.fround(w + 0.25 * random.normal()));
        return new g.Tensor(isNormalization ? moved.map((w) => Math.abs(w) + 0.25) : moved, shape);
      }),
    );
    return { name: `model_${k}`, model };
  });
}
