import { checkOptions, type KeysOf } from "../base/options.ts";
import { shownAs } from "../base/shown.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat64, type Tensor, type TensorLike } from "../tensor/tensor.ts";
import { stackSteps } from "../values/arrange.ts";
import { numbers } from "../values/numbers.ts";
import type { Gates } from "./gates.ts";
import {
  CELL_OPTIONS,
  cellOf,
  type CheckedCell,
  checkState,
  LSTM_CELL,
  type LstmActivations,
  type LstmDropout,
  type LstmState,
  type LstmStep,
  lstmStepOf,
  type LstmWeights,
} from "./lstm.ts";
import { type Passer, type RecurrenceInput, type RecurrentStep, runCell } from "./recurrence.ts";
import type { SiteListener, SiteVisit } from "./sites.ts";
import { rememberRun, type TracedRun, type TraceSource, traceSourceOf } from "./traced_run.ts";

/** How an LSTM goes through its timesteps. */
export interface LstmOptions extends LstmActivations, LstmDropout {
  /** From the last timestep to the first. Default: false. */
  readonly goBackwards?: boolean;
  /** Where it starts. Default: zeros. */
  readonly initialState?: LstmState | undefined;
  /**
   * Which steps count, `[batch, timesteps]`: at a step of 0, a sample keeps its state and hands it
   * on. Default: all count.
   */
  readonly mask?: TensorLike | undefined;
  /**
   * Sees each gate and state right after it is computed, and may put another one in its place: an
   * intervention. What a masked step computes is not kept, whatever is put there.
   */
  readonly listen?: SiteListener | undefined;
}

export const LSTM_OPTIONS: KeysOf<LstmOptions> = {
  ...CELL_OPTIONS,
  goBackwards: "optional",
  initialState: "optional",
  mask: "optional",
  listen: "optional",
};

/** Everything an LSTM computed, `[batch, timesteps, units]` each. */
export interface LayerTrace {
  /** The gates' values, after their activations; at a masked step, what they would have been. */
  readonly gates: Gates;
  /** c, after each step; a masked step keeps it. */
  readonly cellState: Tensor;
  /** h, after each step; a masked step keeps it. The layer returns the last one computed. */
  readonly hiddenState: Tensor;
  /**
   * In which order and with which mask it was computed, for who reads it later: copies keep it. A
   * trace put together by hand has to say it where that matters, as in {@linkcode memory}.
   */
  readonly source?: TraceSource;
}

/**
 * An LSTM over all timesteps, {@linkcode lstmCell} again and again, in float64.
 *
 * Timestep t of the result belongs to timestep t of the input, with `goBackwards` too: the state
 * that was computed last is then the first one. Source: keras/src/backend/jax/rnn.py (Keras 3.15.1).
 *
 * @param x `[batch, timesteps, inputSize]`
 * @param weights Keras's kernel, recurrent kernel and bias
 * @param options activations, direction, initial state, mask and dropout
 * @returns gates and states after every step, `[batch, timesteps, units]` each
 * @throws {TypeError} where a shape does not fit the others.
 *
 * @example
 * ```ts
 * import { arange, lstmForward } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const x = arange(6).reshape([1, 3, 2]);
 * const weights = {
 *   kernel: [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]],
 *   recurrentKernel: [[0.1, 0.2, 0.3, 0.4]],
 *   bias: [0, 1, 0, 0],
 * };
 * const trace = lstmForward(x, weights, { activation: "relu" });
 * assertEquals(trace.cellState.shape, [1, 3, 1]);
 * assertEquals(trace.gates.forget.at(0, 2).shape, [1]); // the only unit, sample 0, last step
 * ```
 */
export function lstmForward(
  x: TensorLike,
  weights: LstmWeights,
  options: LstmOptions = {},
): LayerTrace {
  const input = checkSequence(x, weights, options);
  const { listen } = options;
  const { steps } = runCell(numbers, LSTM_CELL, {
    ...input,
    ...(listen && { listen: passer(listen) }),
  });
  return layerTraceOf(traceOf(steps), { x: input.x, weights, options });
}

/** A site's listener, of which a recurrence knows the names as texts. */
export function passer(listen: SiteListener): Passer<Tensor> {
  return (value, passing) => listen(value, passing as SiteVisit);
}

/** Each site's values over the timesteps. */
function traceOf(steps: readonly RecurrentStep<Tensor>[]): LstmStep {
  return lstmStepOf((site) => stackSteps(numbers, steps.map(({ values }) => values[site]!)));
}

/** A sequence and a cell that fit each other, checked. */
export function checkSequence(
  x: TensorLike,
  weights: LstmWeights,
  options: LstmOptions,
): CheckedCell & RecurrenceInput<Tensor> {
  checkOptions("run an LSTM", options, LSTM_OPTIONS);
  const sequence = asFloat64(x);
  const [batch, timesteps, inputSize] = sequence.shape as [number, number, number];
  if (sequence.shape.length !== 3 || batch === 0 || timesteps === 0 || inputSize === 0) {
    throw new TypeError(
      `Cannot run an LSTM: the input must be [batch, timesteps, inputSize], none of them 0, ` +
        `but the shape is ${formatShape(sequence.shape)}`,
    );
  }
  const cell = cellOf(weights, options, [batch, inputSize]);
  const start = checkState(options.initialState, [batch, cell.units]);
  const mask = options.mask === undefined ? undefined : asFloat64(options.mask);
  if (mask !== undefined && !sameShape(mask.shape, [batch, timesteps])) {
    throw new TypeError(
      `Cannot run an LSTM: the mask must be [batch, timesteps], ` +
        `${formatShape([batch, timesteps])} here, but its shape is ${formatShape(mask.shape)}`,
    );
  }
  return { ...cell, x: sequence, start, mask, goBackwards: options.goBackwards };
}

/** A trace as a value that shows itself, and of which is known how it came about. */
export function layerTraceOf(trace: LstmStep, run: TracedRun): LayerTrace {
  const whole = { ...trace, source: traceSourceOf(run) };
  return Object.freeze(rememberRun(shownAs("LayerTrace", whole), run));
}
