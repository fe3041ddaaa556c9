// Layers with random arrays, for the fast equations and for the readable ones.

import {
  type ActivationName,
  denseForward,
  getActivation,
  type Tensor,
  tensor,
} from "@gatescope/lstm";
import type { Cell } from "../../lib/cells/cell.ts";
import { GRU_BEFORE_CELL, GRU_CELL } from "../../lib/cells/gru.ts";
import { LSTM_CELL } from "../../lib/cells/lstm.ts";
import { runCell } from "../../lib/cells/recurrence.ts";
import { SIMPLE_RNN_CELL } from "../../lib/cells/simple_rnn.ts";
import { type FastActivation, fastActivation } from "../../lib/compute/activations.ts";
import { cellKinds, type CellName } from "../../lib/compute/cell_kinds.ts";
import type { DenseLayer } from "../../lib/compute/dense_layer.ts";
import type { GatedLayer, Numbers, SequenceSizes } from "../../lib/compute/gated_layer.ts";
import { asFloat64 } from "../../lib/tensor/tensor.ts";
import { stackSteps } from "../../lib/values/arrange.ts";
import { numbers } from "../../lib/values/numbers.ts";
import type { Ops } from "../../lib/values/ops.ts";

/** Numbers between −limit and limit, the same for the same seed (mulberry32). */
export function randomArray(
  length: number,
  limit: number,
  seed: number,
): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1) * limit;
  });
}

/** The names of a cell's two activations. */
export interface Pair {
  readonly activation: ActivationName;
  readonly recurrentActivation: ActivationName;
}

export const usualPair: Pair = { activation: "tanh", recurrentActivation: "sigmoid" };

/** The equations of each fast cell. */
export const equations: Readonly<Record<CellName, Cell>> = {
  lstm: LSTM_CELL,
  gru: GRU_CELL,
  gruBefore: GRU_BEFORE_CELL,
  simpleRnn: SIMPLE_RNN_CELL,
};

export const cellNames = Object.keys(equations) as CellName[];

/** A gated layer as Keras would start it, but with a bias of random numbers. */
export function randomGated(
  cellName: CellName,
  units: number,
  inputSize: number,
  { activation, recurrentActivation }: Pair = usualPair,
): GatedLayer {
  const { blocks, biases } = cellKinds[cellName];
  const width = blocks * units;
  return {
    kind: "gated",
    cellName,
    units,
    kernel: randomArray(inputSize * width, Math.sqrt(6 / (inputSize + width)), 1),
    recurrentKernel: randomArray(units * width, Math.sqrt(3 / units) / 2, 2),
    bias: randomArray(biases * width, 0.3, 3),
    activation: fast(activation),
    recurrentActivation: fast(recurrentActivation),
  };
}

export function randomLstm(units: number, inputSize: number, pair: Pair = usualPair): GatedLayer {
  return randomGated("lstm", units, inputSize, pair);
}

export function randomDense(
  units: number,
  inputSize: number,
  activation: ActivationName = "softmax",
): DenseLayer {
  return {
    kind: "dense",
    units,
    kernel: randomArray(inputSize * units, Math.sqrt(6 / (inputSize + units)), 4),
    bias: randomArray(units, 0.1, 5),
    activation: fast(activation),
  };
}

export function fast(name: ActivationName): FastActivation {
  const found = fastActivation(name);
  if (found === undefined) throw new Error(`${name} has no fast form`);
  return found;
}

export function randomInput({ batch, timesteps, inputSize }: SequenceSizes): Float32Array {
  return randomArray(batch * timesteps * inputSize, 1.7, 6);
}

/** The layer's equations on it, in float64, over any kind of value. */
export function runEquations<V>(
  o: Ops<V>,
  { cellName, units, ...layer }: GatedLayer,
  x: V,
  batch: number,
  pair: Pair,
  on: (numbers: Numbers, shape: readonly number[]) => V,
  states?: readonly Numbers[],
) {
  const cell = equations[cellName];
  const { blocks, biases } = cellKinds[cellName];
  const width = blocks * units;
  const weights = {
    W: on(layer.kernel, [layer.kernel.length / width, width]),
    U: on(layer.recurrentKernel, [units, width]),
    b: layer.bias && on(layer.bias, biases === 2 ? [2, width] : [width]),
  };
  const zeros = new Float64Array(batch * units);
  const functions = {
    φ: getActivation(pair.activation),
    σ: getActivation(pair.recurrentActivation),
  };
  const start = cell.states.map((_, k) => on(states?.[k] ?? zeros, [batch, units]));
  return { weights, start, ...runCell(o, cell, { x, weights, functions, start }) };
}

/** What the equations make of a layer: each site's values, `[batch, timesteps, units]`. */
export function readableGated(
  layer: GatedLayer,
  x: Float32Array | Float64Array,
  { batch, timesteps, inputSize }: SequenceSizes,
  pair: Pair = usualPair,
): { readonly sites: ReadonlyMap<string, Tensor>; readonly hiddenState: Tensor } {
  const input = asFloat64(tensor(x, [batch, timesteps, inputSize]));
  const on = (numbers: Numbers, shape: readonly number[]) => asFloat64(tensor(numbers, shape));
  const { steps } = runEquations(numbers, layer, input, batch, pair, on);
  const { gates, states } = equations[layer.cellName];
  const sites = [...gates.map((gate) => `gates.${gate}`), ...states].map((site) =>
    [site, stackSteps(numbers, steps.map(({ values }) => values[site]!))] as const
  );
  return { sites: new Map(sites), hiddenState: new Map(sites).get("hiddenState")! };
}

export function readableDense(
  { units, kernel, bias }: DenseLayer,
  x: ReturnType<typeof tensor>,
  activation: ActivationName = "softmax",
) {
  const weights = {
    kernel: tensor(kernel, [x.shape.at(-1)!, units]),
    ...(bias && { bias: tensor(bias, [units]) }),
  };
  return denseForward(x, weights, { activation });
}

/** The largest difference, in units of the largest expected number. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [error, largest] = [0, 0];
  for (let k = 0; k < expected.length; k++) {
    const difference = Math.abs(actual[k]! - expected[k]!);
    if (!(difference <= error)) error = difference; // NaN too
    largest = Math.max(largest, Math.abs(expected[k]!));
  }
  return actual.length === expected.length ? error / Math.max(largest, 2 ** -126) : NaN;
}
