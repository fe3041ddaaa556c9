// Somebody else's program: an LSTM and a dense layer in float32, each result rounded by Math.fround.
// It shares no line with lib; how it adds and which activations it takes is up to the test.

import {
  type Activation,
  dense,
  getActivation,
  lstm,
  type Model,
  sequential,
  Tensor,
  tensor,
} from "@gatescope/lstm";
import { seededRandom } from "../../lib/tensor/random.ts";

const f32 = Math.fround;

/** The order in which a dot product is added up. */
export type Summation = "forward" | "backward" | "pairwise" | "two sums" | "fused";
export const summations: readonly Summation[] = [
  "forward",
  "backward",
  "pairwise",
  "two sums",
  "fused",
];

/** The arrays in Keras's layout. */
export interface Arrays {
  readonly kernel: Tensor;
  readonly recurrentKernel: Tensor;
  readonly bias: Tensor;
  readonly denseKernel: Tensor;
  readonly denseBias: Tensor;
}

/** How the program computes. */
export interface Program {
  readonly summation?: Summation;
  readonly activation?: Activation;
  readonly recurrentActivation?: Activation;
  readonly denseActivation?: "softmax" | "linear";
  /** A timestep that it passes over: the states stay. */
  readonly droppedTimestep?: number | undefined;
  readonly reversed?: boolean;
}

/** Everything it computed, float32. */
export function runFloat32(x: Tensor, arrays: Arrays, program: Program = {}) {
  const {
    summation = "forward",
    activation = getActivation("tanh"),
    recurrentActivation = getActivation("sigmoid"),
    denseActivation = "softmax",
    droppedTimestep,
    reversed = false,
  } = program;
  const [batch, timesteps, inputSize] = x.shape as [number, number, number];
  const { kernel, recurrentKernel, bias, denseKernel, denseBias } = arrays;
  const units = recurrentKernel.shape[0]!;
  const empty = () =>
    new Tensor(new Float32Array(batch * timesteps * units), [batch, timesteps, units]);
  const gates = { input: empty(), forget: empty(), candidate: empty(), output: empty() };
  const [cellState, hiddenState] = [empty(), empty()];
  const classes = denseKernel.shape[1]!;
  const prediction = new Tensor(new Float32Array(batch * classes), [batch, classes]);
  const φ = (v: number) => f32(activation(v));
  const σ = (v: number) => f32(recurrentActivation(v));

  for (let n = 0; n < batch; n++) {
    let h = new Float32Array(units);
    let c = new Float32Array(units);
    for (let k = 0; k < timesteps; k++) {
      const t = reversed ? timesteps - 1 - k : k;
      const xs = x.at(n, t).data;
      const z = Float32Array.from({ length: 4 * units }, (_, column) => {
        const ofX: [number, number][] = Array.from(
          { length: inputSize },
          (_, j) => [f32(xs[j]!), kernel.data[j * 4 * units + column]!],
        );
        const ofH: [number, number][] = Array.from(
          { length: units },
          (_, j) => [h[j]!, recurrentKernel.data[j * 4 * units + column]!],
        );
        return summation === "two sums"
          ? f32(f32(addUp(ofX, "forward") + addUp(ofH, "forward")) + bias.data[column]!)
          : addUp([...ofX, ...ofH, [1, bias.data[column]!]], summation);
      });
      const [hNext, cNext] = [new Float32Array(units), new Float32Array(units)];
      for (let u = 0; u < units; u++) {
        const at = (n * timesteps + t) * units + u;
        const i = gates.input.data[at] = σ(z[u]!);
        const f = gates.forget.data[at] = σ(z[units + u]!);
        const g = gates.candidate.data[at] = φ(z[2 * units + u]!);
        const o = gates.output.data[at] = σ(z[3 * units + u]!);
        cNext[u] = f32(f32(f * c[u]!) + f32(i * g));
        hNext[u] = f32(o * φ(cNext[u]!));
      }
      if (t !== droppedTimestep) [h, c] = [hNext, cNext];
      cellState.data.set(c, (n * timesteps + t) * units);
      hiddenState.data.set(h, (n * timesteps + t) * units);
    }
    const logits = Array.from({ length: classes }, (_, k) =>
      addUp(
        [...Array.from(h, (v, j): [number, number] => [v, denseKernel.data[j * classes + k]!]), [
          1,
          denseBias.data[k]!,
        ]],
        summation === "two sums" ? "forward" : summation,
      ));
    prediction.data.set(denseActivation === "linear" ? logits : softmax32(logits), n * classes);
  }
  return { layers: [{ gates, cellState, hiddenState }], prediction };
}

function addUp(terms: readonly (readonly [number, number])[], summation: Summation): number {
  if (summation === "pairwise" && terms.length > 2) {
    const half = terms.length >> 1;
    return f32(addUp(terms.slice(0, half), summation) + addUp(terms.slice(half), summation));
  }
  const inOrder = summation === "backward" ? terms.toReversed() : terms;
  return inOrder.reduce(
    // A fused multiply-add rounds once: a product of two float32 is exact in float64.
    (sum, [a, b]) => f32(sum + (summation === "fused" ? a * b : f32(a * b))),
    0,
  );
}

function softmax32(logits: readonly number[]): number[] {
  const max = Math.max(...logits);
  const exponentials = logits.map((v) => f32(Math.exp(f32(v - max))));
  const total = exponentials.reduce((sum, e) => f32(sum + e), 0);
  return exponentials.map((e) => f32(e / total));
}

/** Sizes of a random model. */
export interface Sizes {
  readonly batch: number;
  readonly timesteps: number;
  readonly inputSize: number;
  readonly units: number;
  readonly classes: number;
}

/** Random weights and inputs in float32; `scale` is how large the recurrent weights are. */
export function randomCase(seed: number, sizes: Sizes, scale: number = 1) {
  const { batch, timesteps, inputSize, units, classes } = sizes;
  const random = seededRandom(seed);
  const array = (shape: number[], deviation: number) =>
    tensor(
      Float32Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        () => random.normal() * deviation,
      ),
      shape,
    );
  const arrays: Arrays = {
    kernel: array([inputSize, 4 * units], 1 / Math.sqrt(inputSize)),
    recurrentKernel: array([units, 4 * units], scale / Math.sqrt(units)),
    bias: array([4 * units], 0.5),
    denseKernel: array([units, classes], 1),
    denseBias: array([classes], 0.5),
  };
  return { x: array([batch, timesteps, inputSize], 1), arrays, random };
}

/** The model that these weights are meant for. */
export function smallModel(
  sizes: Sizes,
  arrays: Arrays,
  precision: "float32" | "float64" = "float32",
): Model {
  const { timesteps, inputSize, units, classes } = sizes;
  const model = sequential([lstm({ units }), dense({ units: classes, activation: "softmax" })], {
    inputShape: [timesteps, inputSize],
    precision,
  });
  model.setWeights(Object.values(arrays));
  return model;
}
