import { checkOptions, type KeysOf } from "../base/options.ts";
import type { Tensor, TensorLike } from "../tensor/tensor.ts";
import type { Activation, ActivationName } from "../values/activations.ts";
import { type Cell, preActivations } from "./cell.ts";
import { type CellRunOptions, cellTrace, type CellWeightsLike, RUN_OPTIONS } from "./cell_run.ts";
import type { TraceSource } from "./traced_run.ts";

/** A SimpleRNN's arrays, in Keras's layout. */
export interface SimpleRnnWeights extends CellWeightsLike {
  /** W `[inputSize, units]` */
  readonly kernel: TensorLike;
  /** U `[units, units]` */
  readonly recurrentKernel: TensorLike;
  /** b `[units]`; without it, no bias is added. */
  readonly bias?: TensorLike;
}

/** How a SimpleRNN goes through its timesteps. */
export interface SimpleRnnOptions extends CellRunOptions {
  /** φ. Default: `"tanh"`. */
  readonly activation?: ActivationName | Activation;
  /** Where it starts, `[batch, units]`. Default: zeros. */
  readonly initialState?: { readonly hiddenState: TensorLike } | undefined;
}

/** Everything a SimpleRNN computed. */
export interface SimpleRnnTrace {
  /** None. */
  readonly gates: Readonly<Record<string, never>>;
  /** h after each step, `[batch, timesteps, units]`; a masked step keeps it. */
  readonly hiddenState: Tensor;
  /** In which order and with which mask it was computed. */
  readonly source?: TraceSource;
}

const OPTIONS: KeysOf<SimpleRnnOptions> = { activation: "optional", ...RUN_OPTIONS };

/** Keras's SimpleRNN: h' = φ(x·W + h·U + b). Source: keras/src/layers/rnn/simple_rnn.py (Keras 3.15.1). */
export const SIMPLE_RNN_CELL: Cell = {
  kind: "SimpleRNN",
  gates: [],
  states: ["hiddenState"],
  sites: ["hiddenState"],
  biases: 1,
  functions: ["φ"],
  step(o, x, [h], cell) {
    const [z] = preActivations(o, x, h!, cell, 1);
    return [cell.at("hiddenState", o.apply(cell.φ, z!))];
  },
};

/**
 * A SimpleRNN over all timesteps, in float64: h' = φ(x·W + h·U + b).
 *
 * Timestep t of the result belongs to timestep t of the input, with `goBackwards` too. Source:
 * keras/src/layers/rnn/simple_rnn.py (Keras 3.15.1).
 *
 * @param x `[batch, timesteps, inputSize]`
 * @param weights Keras's kernel, recurrent kernel and bias
 * @returns h after every step, `[batch, timesteps, units]`
 * @throws {TypeError} where a shape does not fit the others.
 *
 * @example
 * ```ts
 * import { simpleRnnForward } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const weights = { kernel: [[1]], recurrentKernel: [[0.5]], bias: [0.25] };
 * const { hiddenState } = simpleRnnForward([[[1], [2]]], weights, { activation: "linear" });
 * assertEquals([...hiddenState.data], [1.25, 2.875]);
 * ```
 */
export function simpleRnnForward(
  x: TensorLike,
  weights: SimpleRnnWeights,
  options: SimpleRnnOptions = {},
): SimpleRnnTrace {
  checkOptions("run a SimpleRNN", options, OPTIONS);
  return cellTrace("a SimpleRNN", SIMPLE_RNN_CELL, {
    x,
    state: options.initialState,
    weights,
    options,
  }) as unknown as SimpleRnnTrace;
}
