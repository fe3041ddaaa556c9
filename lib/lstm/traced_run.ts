// What a trace was computed from, remembered beside it: its numbers alone do not say.

import type { Tensor } from "../tensor/tensor.ts";
import type { LstmWeights } from "./cell.ts";
import type { LayerTrace, LstmOptions } from "./sequence.ts";

/** What an LSTM was given when it computed a trace. */
export interface TracedRun {
  readonly x: Tensor; // [batch, timesteps, inputSize]
  readonly weights: LstmWeights;
  readonly options: LstmOptions;
}

const runs = new WeakMap<LayerTrace, TracedRun>();

/** Remembers how a trace was computed. */
export function rememberRun(trace: LayerTrace, run: TracedRun): LayerTrace {
  runs.set(trace, run);
  return trace;
}

/** How a trace was computed; undefined where it was put together elsewhere. */
export function runOf(trace: LayerTrace): TracedRun | undefined {
  return runs.get(trace);
}
