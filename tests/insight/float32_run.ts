// Somebody else's program: a recurrent and a dense layer in float32, each result rounded by
// Math.fround. It shares no line with lib; how it adds and which activations it takes is up to the test.

import {
  type Activation,
  dense,
  getActivation,
  gru,
  lstm,
  type Model,
  sequential,
  simpleRnn,
  Tensor,
  tensor,
} from "@gatescope/lstm";
import { type CellKind, cellParts, type Float32Layer, type Step, steps } from "./float32_cells.ts";
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

/** As a file has them. */
export function listed(arrays: Arrays): Tensor[] {
  const { kernel, recurrentKernel, bias, denseKernel, denseBias } = arrays;
  return [kernel, recurrentKernel, bias, denseKernel, denseBias];
}

/** How the program computes. */
export interface Program {
  /** Default: `"LSTM"`. */
  readonly cell?: CellKind;
  readonly summation?: Summation;
  readonly activation?: Activation;
  readonly recurrentActivation?: Activation;
  readonly denseActivation?: "softmax" | "linear";
  /** A timestep that it passes over: the states stay. */
  readonly droppedTimestep?: number | undefined;
  readonly reversed?: boolean;
  /** Whether a GRU's z is what the candidate gets. */
  readonly turned?: boolean;
}

/** Everything it computed, float32. */
export function runFloat32(x: Tensor, arrays: Arrays, program: Program = {}) {
  const {
    cell = "LSTM",
    summation = "forward",
    activation = getActivation("tanh"),
    recurrentActivation = getActivation("sigmoid"),
    denseActivation = "softmax",
    droppedTimestep,
    reversed = false,
    turned = false,
  } = program;
  const [batch, timesteps, inputSize] = x.shape as [number, number, number];
  const { kernel, recurrentKernel, bias, denseKernel, denseBias } = arrays;
  const [units, width] = recurrentKernel.shape as [number, number];
  const empty = () =>
    new Tensor(new Float32Array(batch * timesteps * units), [batch, timesteps, units]);
  const parts = cellParts[cell];
  const gates = parts.gates.map(empty);
  const states = parts.states.map(empty);
  const classes = denseKernel.shape[1]!;
  const prediction = new Tensor(new Float32Array(batch * classes), [batch, classes]);
  const column = (values: ArrayLike<number>, { data }: Tensor, length: number, at: number) =>
    Array.from(
      { length },
      (_, j): [number, number] => [f32(values[j]!), data[j * (data.length / length) + at]!],
    );
  const own: Omit<Step, "x"> = {
    units,
    h: (at, h) => column(h, recurrentKernel, units, at),
    b: (row, at) => bias.data[row * width + at]!,
    φ: (v) => f32(activation(v)),
    σ: (v) => f32(recurrentActivation(v)),
    total: (parts, b) =>
      summation === "two sums"
        ? f32(parts.map((part) => addUp(part, "forward")).reduce((a, c) => f32(a + c)) + b!)
        : addUp([...parts.flat(), [1, b!]], summation),
    mix: (z, h, candidate) => {
      const [keep, write] = turned ? [f32(1 - z), z] : [z, f32(1 - z)];
      return summation === "backward" && !turned // as PyTorch has it
        ? f32(f32(f32(h - candidate) * z) + candidate)
        : f32(f32(keep * h) + f32(write * candidate));
    },
  };

  for (let n = 0; n < batch; n++) {
    let before = states.map(() => new Float32Array(units));
    for (let k = 0; k < timesteps; k++) {
      const t = reversed ? timesteps - 1 - k : k;
      const xs = x.at(n, t).data;
      const step: Step = { ...own, x: (at) => column(xs, kernel, inputSize, at) };
      const resets = new Float32Array(units).map((_, u) => {
        const at = units + u;
        return cell === "GRU, reset before"
          ? own.σ(own.total([step.x(at), own.h(at, before[0]!)], own.b(0, at)))
          : 0;
      });
      const next = states.map(() => new Float32Array(units));
      for (let u = 0; u < units; u++) {
        const [ofGates, ofStates] = steps[cell](step, before, u, resets) as [number[], number[]];
        ofGates.forEach((value, g) => gates[g]!.data[(n * timesteps + t) * units + u] = value);
        ofStates.forEach((value, s) => next[s]![u] = value);
      }
      if (t !== droppedTimestep) before = next;
      states.forEach(({ data }, s) => data.set(before[s]!, (n * timesteps + t) * units));
    }
    const logits = Array.from({ length: classes }, (_, k) =>
      addUp(
        [...column(before.at(-1)!, denseKernel, units, k), [1, denseBias.data[k]!]],
        summation === "two sums" ? "forward" : summation,
      ));
    prediction.data.set(denseActivation === "linear" ? logits : softmax32(logits), n * classes);
  }
  const layer = {
    gates: Object.fromEntries(parts.gates.map((gate, g) => [gate, gates[g]!])),
    ...Object.fromEntries(parts.states.map((state, s) => [state, states[s]!])),
  };
  return { layers: [layer as Float32Layer], prediction };
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
  /** Default: `"LSTM"`. */
  readonly cell?: CellKind;
  readonly batch: number;
  readonly timesteps: number;
  readonly inputSize: number;
  readonly units: number;
  readonly classes: number;
}

/** Random weights and inputs in float32; `scale` is how large the recurrent weights are. */
export function randomCase(seed: number, sizes: Sizes, scale: number = 1) {
  const { cell = "LSTM", batch, timesteps, inputSize, units, classes } = sizes;
  const width = units * Math.max(1, cellParts[cell].gates.length);
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
    kernel: array([inputSize, width], 1 / Math.sqrt(inputSize)),
    recurrentKernel: array([units, width], scale / Math.sqrt(units)),
    bias: array(cell === "GRU" ? [2, width] : [width], 0.5),
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
  const { cell = "LSTM", timesteps, inputSize, units, classes } = sizes;
  const layers = {
    "LSTM": () => lstm({ units }),
    "GRU": () => gru({ units }),
    "GRU, reset before": () => gru({ units, resetAfter: false }),
    "SimpleRNN": () => simpleRnn({ units }),
  };
  const model = sequential([layers[cell](), dense({ units: classes, activation: "softmax" })], {
    inputShape: [timesteps, inputSize],
    precision,
  });
  model.setWeights(Object.values(arrays));
  return model;
}
