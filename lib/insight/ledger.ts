// Who wrote what is in a cell: the cell state as a sum over the timesteps that wrote it.

import { multiply } from "../tensor/arithmetic.ts";
import type { LayerTrace } from "../cells/lstm_forward.ts";
import { runOf, sourceOf, type TracedRun } from "../cells/traced_run.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";

/**
 * A cell's book, from its first step to its last:
 *
 * ```txt
 * c_T = Σ_t kept_t ⊙ written_t + keptFromStart ⊙ c_start
 * written_t = i_t ⊙ c̃_t        kept_t = Π f_s over the steps s computed after t
 * ```
 *
 * Which is `c' = f ⊙ c + i ⊙ c̃`, put into itself. A masked step writes nothing and keeps all.
 */
export interface Ledger {
  /** The timesteps in the order in which they were computed. */
  readonly order: readonly number[];
  /** Whether a step of a sample counts: it does, where it is not masked. */
  readonly counts: (sample: number, timestep: number) => boolean;
  /** i, `[batch, timesteps, units]`; 0 where a step is masked. */
  readonly input: Tensor;
  /** f, `[batch, timesteps, units]`; 1 where a step is masked. */
  readonly forget: Tensor;
  /** i ⊙ c̃, `[batch, timesteps, units]`; 0 where a step is masked. */
  readonly written: Tensor;
  /** What the last step still holds of what was written, as a factor, `[batch, timesteps, units]`. */
  readonly kept: Tensor;
  /** The same for the state that the LSTM started from, `[batch, units]`. */
  readonly keptFromStart: Tensor;
  /** o of the last step that counts, which shows c_T in h, `[batch, units]`; 0 where none counts. */
  readonly shown: Tensor;
}

/**
 * The ledger of a trace, in its order and with its mask.
 *
 * @param action for the error where it does not say them: "attribute"
 */
export function ledgerOf(trace: LayerTrace, action: string): Ledger {
  const { direction, mask } = sourceOf(trace, action);
  const [batch, timesteps, units] = trace.cellState.shape as [number, number, number];
  const order = Array.from({ length: timesteps }, (_, t) => t);
  if (direction === "backward") order.reverse();
  const counts = (n: number, t: number) => (mask?.data[n * timesteps + t] ?? 1) !== 0;

  const forget = Float64Array.from(trace.gates.forget.data);
  const input = Float64Array.from(trace.gates.input.data);
  const kept = new Float64Array(forget.length);
  const keptFromStart = new Float64Array(batch * units);
  const shown = new Float64Array(batch * units);
  for (let n = 0; n < batch; n++) {
    const row = new Float64Array(units).fill(1);
    for (const t of order.toReversed()) {
      const at = (n * timesteps + t) * units;
      if (!counts(n, t)) {
        forget.fill(1, at, at + units);
        input.fill(0, at, at + units);
      }
      kept.set(row, at);
      for (let u = 0; u < units; u++) row[u]! *= forget[at + u]!;
    }
    keptFromStart.set(row, n * units);
    const last = order.findLast((t) => counts(n, t));
    if (last !== undefined) shown.set(trace.gates.output.at(n, last).data, n * units);
  }
  const shape = trace.cellState.shape;
  return {
    order,
    counts,
    input: new Tensor(input, shape),
    forget: new Tensor(forget, shape),
    written: multiply(new Tensor(input, shape), trace.gates.candidate),
    kept: new Tensor(kept, shape),
    keptFromStart: new Tensor(keptFromStart, [batch, units]),
    shown: new Tensor(shown, [batch, units]),
  };
}

/** What a trace was computed from; throws where it was not by the equations here. */
export function traceSource(trace: LayerTrace, action: string): TracedRun {
  const run = runOf(trace);
  if (run === undefined) {
    throw new TypeError(
      `Cannot ${action}: the trace must be as trace() or lstmForward() made it, ` +
        `but it is a copy, whose weights are not known`,
    );
  }
  return run;
}

/** h before each step, `[batch, timesteps, units]`. */
export function hiddenBefore(
  { hiddenState }: LayerTrace,
  { order }: Ledger,
  start: TensorLike | undefined,
): Tensor {
  const [batch, timesteps, units] = hiddenState.shape as [number, number, number];
  const data = new Float64Array(hiddenState.data.length);
  const first = start === undefined ? undefined : asFloat64(start);
  order.forEach((t, k) => {
    for (let n = 0; n < batch; n++) {
      const before = k === 0 ? first?.at(n) : hiddenState.at(n, order[k - 1]!);
      if (before !== undefined) data.set(before.data, (n * timesteps + t) * units);
    }
  });
  return new Tensor(data, hiddenState.shape);
}
