// What a cell keeps of its state from step to step.

import { blocksOf, type Cell } from "../cells/cell.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { cellOfTrace } from "../cells/cell_of_trace.ts";
import { orderOf } from "../cells/recurrence.ts";
import { isGate, type SiteName, valueAt } from "../cells/sites.ts";
import { runOf, sourceOf } from "../cells/traced_run.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import { sigmoid, tanh } from "../values/activations.ts";
import { Gradients } from "../values/gradients.ts";
import { notASum } from "./recurrent_share.ts";
import { dependents, give, sharesOf, sizesOf } from "./shares.ts";

/**
 * A cell's book, from its first step to its last, of its first state s:
 *
 * ```txt
 * s' = keep ⊙ s + what is written        kept_t = Π keep over the steps computed after t
 * ```
 *
 * With its gates as they were: an LSTM's `c' = f ⊙ c + i ⊙ c̃` keeps f, a GRU's `h' = z ⊙ h +
 * (1 − z) ⊙ h̃` keeps z. What returns through an array, as all that a SimpleRNN remembers, is not
 * kept but written. A masked step keeps all.
 */
export interface Ledger {
  /** The cell. */
  readonly cell: Cell;
  /** The state: `cellState` of an LSTM, `hiddenState` of a GRU. */
  readonly state: SiteName;
  /** The timesteps in the order in which they were computed. */
  readonly order: readonly number[];
  /** Whether a step of a sample counts: it does, where it is not masked. */
  readonly counts: (sample: number, timestep: number) => boolean;
  /** keep, `[batch, timesteps, units]`; 1 where a step is masked. */
  readonly keep: Tensor;
  /** What the last step still holds of what was written, as a factor, `[batch, timesteps, units]`. */
  readonly kept: Tensor;
}

/**
 * The ledger of a trace, in its order and with its mask.
 *
 * @param action for the error where it does not say them: "attribute"
 */
export function ledgerOf(trace: CellTrace, action: string): Ledger {
  const { direction, mask } = sourceOf(trace, action);
  const cell = cellOfTrace(trace);
  if (cell === undefined) {
    throw new TypeError(
      `Cannot ${action}: the cell of a trace must be known, an LSTM, a GRU, a SimpleRNN or one of your ` +
        `own, but this one is a copy of another cell's, or put together elsewhere`,
    );
  }
  const { shape } = trace.hiddenState;
  const [batch, timesteps, units] = shape as [number, number, number];
  const order = orderOf(timesteps, direction === "backward");
  const counts = (n: number, t: number) => (mask?.data[n * timesteps + t] ?? 1) !== 0;

  const keep = keptByStep(cell, trace, order, action);
  const kept = new Float64Array(keep.length);
  for (let n = 0; n < batch; n++) {
    const row = new Float64Array(units).fill(1);
    for (const t of order.toReversed()) {
      const at = (n * timesteps + t) * units;
      if (!counts(n, t)) keep.fill(1, at, at + units);
      kept.set(row, at);
      for (let u = 0; u < units; u++) row[u]! *= keep[at + u]!;
    }
  }
  return {
    cell,
    state: cell.states[0]!,
    order,
    counts,
    keep: new Tensor(keep, shape),
    kept: new Tensor(kept, shape),
  };
}

/** The factor of the state before in the state after each step: the step's own equation, its gates given. */
function keptByStep(
  cell: Cell,
  trace: CellTrace,
  order: readonly number[],
  action: string,
): Float64Array<ArrayBuffer> {
  const tape = new Gradients();
  const run = runOf(trace);
  const { data: { length }, shape } = trace.hiddenState;
  // Keras's cells meet their arrays in their gates alone: each number is then a sample of one unit.
  const rows = cell.arrays === undefined ? [length, 1] : [length / shape[2]!, shape[2]!];
  const given = (x: Tensor, shape: readonly number[]) => tape.given(x.reshape(shape));
  const zeros = (...shape: [number, number]) =>
    tape.given(new Tensor(new Float64Array(shape[0] * shape[1]), shape));
  const width = blocksOf(cell);
  const own = cell.arrays && Object.values(run!.weights).map((one) => tape.given(asFloat64(one)));
  const x = own ? given(run!.x, [rows[0]!, run!.x.shape[2]!]) : zeros(length, 1);
  const start = run?.options.initialState as Readonly<Record<string, TensorLike>> | undefined;
  const before = cell.states.map((state, k) => {
    const value = valueBefore(valueAt(trace, state), order, start?.[state]).reshape(rows);
    return k === 0 ? tape.leaf(value) : tape.given(value);
  });
  const isTaken = (site: string) => isGate(site) || cell.states.indexOf(site) > 0;
  const [after] = cell.step(tape, x, before, {
    W: zeros(1, width),
    U: zeros(1, width),
    b: undefined,
    all: own,
    φ: tanh,
    σ: sigmoid,
    drop: {},
    at: (site, value) => isTaken(site) ? given(valueAt(trace, site), rows) : value,
  });
  const arrays = new Set(tape.variables.filter(({ origin }) => origin.op === "affine"));
  const path = dependents(tape.variables, [before[0]!], arrays);
  const sizes = sizesOf(tape.variables, (x) => path.has(x));
  const factors = new Map([[after!, new Tensor(new Float64Array(length).fill(1), rows)]]);
  for (const variable of tape.variables.toReversed()) {
    const factor = factors.get(variable);
    if (factor === undefined) continue;
    const shares = sharesOf(variable, factor, (x) => path.has(x), sizes);
    if (shares === undefined) throw notASum(action, cell.kind);
    for (const { x, factor } of shares.operands) if (path.has(x)) give(factors, x, factor());
  }
  return Float64Array.from(factors.get(before[0]!)?.data ?? new Float64Array(length));
}

/** A state before each step, `[batch, timesteps, units]`. */
export function valueBefore(
  state: Tensor,
  order: readonly number[],
  start: TensorLike | undefined,
): Tensor {
  const [batch, timesteps, units] = state.shape as [number, number, number];
  const data = new Float64Array(state.data.length);
  const first = start === undefined ? undefined : asFloat64(start);
  order.forEach((t, k) => {
    for (let n = 0; n < batch; n++) {
      const before = k === 0 ? first?.at(n) : state.at(n, order[k - 1]!);
      if (before !== undefined) data.set(before.data, (n * timesteps + t) * units);
    }
  });
  return new Tensor(data, state.shape);
}
