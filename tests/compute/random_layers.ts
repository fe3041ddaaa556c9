// Layers with random arrays, for the fast equations and for the readable ones.

import { type ActivationName, denseForward, lstmForward, tensor } from "@gatescope/lstm";
import { type FastActivation, fastActivation } from "../../lib/compute/activations.ts";
import type { DenseLayer } from "../../lib/compute/dense_layer.ts";
import type { LstmLayer, SequenceSizes } from "../../lib/compute/lstm_layer.ts";

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

/** The names of an LSTM's two activations. */
export interface Pair {
  readonly activation: ActivationName;
  readonly recurrentActivation: ActivationName;
}

export const usualPair: Pair = { activation: "tanh", recurrentActivation: "sigmoid" };

/** An LSTM as Keras would start it, but with a bias of random numbers. */
export function randomLstm(
  units: number,
  inputSize: number,
  { activation, recurrentActivation }: Pair = usualPair,
): LstmLayer {
  return {
    kind: "lstm",
    units,
    kernel: randomArray(inputSize * 4 * units, Math.sqrt(6 / (inputSize + 4 * units)), 1),
    recurrentKernel: randomArray(units * 4 * units, Math.sqrt(3 / units) / 2, 2),
    bias: randomArray(4 * units, 0.3, 3),
    activation: fast(activation),
    recurrentActivation: fast(recurrentActivation),
  };
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

/** What lib/cells/lstm_forward.ts makes of them, in float64. */
export function readableLstm(
  layer: LstmLayer,
  x: Float32Array | Float64Array,
  { batch, timesteps, inputSize }: SequenceSizes,
  pair: Pair = usualPair,
) {
  const { units, bias } = layer;
  const weights = {
    kernel: tensor(layer.kernel, [inputSize, 4 * units]),
    recurrentKernel: tensor(layer.recurrentKernel, [units, 4 * units]),
    ...(bias && { bias: tensor(bias, [4 * units]) }),
  };
  return lstmForward(tensor(x, [batch, timesteps, inputSize]), weights, pair);
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
