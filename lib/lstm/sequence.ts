import { checkOptions, type KeysOf } from "../base/options.ts";
import { showAs } from "../display/view.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import {
  type Cell,
  CELL_OPTIONS,
  cellOf,
  type CellState,
  checkState,
  type LstmActivations,
  type LstmDropout,
  type LstmState,
  type LstmStep,
  type LstmWeights,
  step,
} from "./cell.ts";
import { type Gates, gatesOf } from "./gates.ts";
import { layerTraceView } from "./layer_trace_view.ts";
import { type SiteListener, sitesOf, type StepSites, unheard, valueAt } from "./sites.ts";
import { rememberRun, type TracedRun, type TraceSource, traceSourceOf } from "./traced_run.ts";

/** How an LSTM goes through its timesteps. */
export interface LstmOptions extends LstmActivations, LstmDropout {
  /** From the last timestep to the first: false unless said. */
  readonly goBackwards?: boolean;
  /** Where it starts: zeros unless said. */
  readonly initialState?: LstmState | undefined;
  /**
   * Which steps count, `[batch, timesteps]`: at a step of 0, a sample keeps its state and hands it
   * on. All count unless said.
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
  const { sequence, cell, start, mask, order } = checkSequence(x, weights, options);
  const steps: LstmStep[] = []; // by timestep, whatever the order they are computed in
  let state = start;
  for (const [k, t] of order.entries()) {
    const at = listeningSites(options.listen, t, steps, order[k - 1], start);
    const next = step(sequence.select(1, t), state, cell, at);
    state = afterMask(mask?.select(1, t), { c: next.cellState, h: next.hiddenState }, state);
    steps[t] = { gates: next.gates, cellState: state.c, hiddenState: state.h };
  }
  const gate = (name: keyof Gates) => stackTimesteps(steps.map(({ gates }) => gates[name]));
  return layerTraceOf({
    gates: gatesOf({
      input: gate("input"),
      forget: gate("forget"),
      candidate: gate("candidate"),
      output: gate("output"),
    }),
    cellState: stackTimesteps(steps.map(({ cellState }) => cellState)),
    hiddenState: stackTimesteps(steps.map(({ hiddenState }) => hiddenState)),
  }, { x: sequence, weights, options });
}

/** The sites of step t, for the listener where there is one. */
export function listeningSites(
  listen: SiteListener | undefined,
  t: number,
  steps: readonly LstmStep[],
  previous: number | undefined,
  start: CellState,
): StepSites {
  if (listen === undefined) return unheard;
  return sitesOf(listen, (site) => {
    const after = (timestep: number) =>
      steps[timestep] === undefined ? undefined : valueAt(steps[timestep], site);
    const atStart = { cellState: start.c, hiddenState: start.h };
    const before = previous === undefined
      ? atStart[site as keyof typeof atStart] as Tensor | undefined
      : after(previous);
    return { site, timestep: t, before, after };
  });
}

/** A sequence and a cell that fit each other, and the timesteps in the order of computation. */
export function checkSequence(
  x: TensorLike,
  weights: LstmWeights,
  options: LstmOptions,
): { sequence: Tensor; cell: Cell; start: CellState; mask: Tensor | undefined; order: number[] } {
  checkOptions("run an LSTM", options, LSTM_OPTIONS);
  const sequence = asFloat64(x);
  const [batch, timesteps, inputSize] = sequence.shape as [number, number, number];
  if (sequence.shape.length !== 3 || batch === 0 || timesteps === 0 || inputSize === 0) {
    throw new TypeError(
      `Cannot run an LSTM as the input must be [batch, timesteps, inputSize], none of them 0: ` +
        `current shape is ${formatShape(sequence.shape)}`,
    );
  }
  const cell = cellOf(weights, options, [batch, inputSize]);
  const start = checkState(options.initialState, [batch, cell.units]);
  const mask = options.mask === undefined ? undefined : asFloat64(options.mask);
  if (mask !== undefined && !sameShape(mask.shape, [batch, timesteps])) {
    throw new TypeError(
      `Cannot run an LSTM as the mask must be [batch, timesteps], ` +
        `${formatShape([batch, timesteps])} here: current shape is ${formatShape(mask.shape)}`,
    );
  }
  const forward = Array.from({ length: timesteps }, (_, t) => t);
  const order = options.goBackwards === true ? forward.reverse() : forward;
  return { sequence, cell, start, mask, order };
}

/** The state after a step: a sample whose mask is 0 there keeps the one before. */
export function afterMask(mask: Tensor | undefined, next: CellState, before: CellState): CellState {
  if (mask === undefined) return next;
  return { c: chooseRows(mask, next.c, before.c), h: chooseRows(mask, next.h, before.h) };
}

/** Rows of `a` where the mask `[batch]` is not 0, of `b` elsewhere; chosen, so that NaN stays out. */
export function chooseRows(mask: Tensor, a: Tensor, b: Tensor): Tensor {
  const data = new Float64Array(a.data);
  const length = data.length / mask.data.length;
  mask.data.forEach((counts, n) => {
    if (counts === 0) data.set(b.data.subarray(n * length, (n + 1) * length), n * length);
  });
  return new Tensor(data, a.shape);
}

/** A trace as a value that shows itself, and of which is known how it came about. */
export function layerTraceOf(trace: LayerTrace, run: TracedRun): LayerTrace {
  const whole = { ...trace, source: traceSourceOf(run) };
  return Object.freeze(rememberRun(showAs(whole, layerTraceView), run));
}

/** `[batch, units]` of each timestep become `[batch, timesteps, units]`. */
export function stackTimesteps(steps: readonly Tensor[]): Tensor {
  const [batch, units] = steps[0]!.shape as [number, number];
  const data = new Float64Array(batch * steps.length * units);
  steps.forEach((step, t) => {
    for (let n = 0; n < batch; n++) {
      data.set(step.at(n).data, (n * steps.length + t) * units);
    }
  });
  return new Tensor(data, [batch, steps.length, units]);
}
