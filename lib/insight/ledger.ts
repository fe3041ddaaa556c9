// What a cell keeps of its state from step to step.

import { finish, type Work } from "../base/work.ts";
import { blocksOf, type Cell } from "../cells/cell.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { cellOfTrace } from "../cells/cell_of_trace.ts";
import { orderOf } from "../cells/recurrence.ts";
import { isGate, type SiteName, valueAt } from "../cells/sites.ts";
import { runOf, sourceOf, type TracedRun } from "../cells/traced_run.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import { sigmoid, tanh } from "../values/activations.ts";
import { Gradients } from "../values/gradients.ts";
import { byLoops } from "../values/product.ts";
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
  /** Reads both, in pieces: later they are there. */
  readonly read: () => Work<void>;
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

  const keptOf = stepsOf(cell, trace, order, action);
  keptOf(0, 1); // a cell that keeps no sum is refused now, whoever asks for the rest
  let known: readonly [keep: Tensor, kept: Tensor] | undefined;
  const both = function* (): Work<readonly [keep: Tensor, kept: Tensor]> {
    if (known !== undefined) return known;
    const keep = new Float64Array(batch * timesteps * units);
    for (let row = 0; row < batch * timesteps; row += TOGETHER) {
      const factor = keptOf(row, Math.min(TOGETHER, batch * timesteps - row));
      if (factor !== undefined) keep.set(factor.data, row * units);
      yield row / (batch * timesteps);
    }
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
    return known = [new Tensor(keep, shape), new Tensor(kept, shape)];
  };
  return {
    cell,
    state: cell.states[0]!,
    order,
    counts,
    get keep() {
      return finish(both())[0];
    },
    get kept() {
      return finish(both())[1];
    },
    *read() {
      yield* both();
    },
  };
}

/** So many steps of a sample at once: what they compute stays in the caches. */
const TOGETHER = 128;

/**
 * The factor of the state before in the state after each of some steps, `[steps, units]`, the samples
 * one after the other: the step's own equation, its gates given. Undefined where nothing is kept.
 */
function stepsOf(
  cell: Cell,
  trace: CellTrace,
  order: readonly number[],
  action: string,
): (row: number, count: number) => Tensor | undefined {
  const run = runOf(trace);
  const start = run?.options.initialState as Readonly<Record<string, TensorLike>> | undefined;
  return (row, count) => {
    const rows = ({ data, shape }: Tensor) => {
      const width = shape[2]!;
      return new Tensor(data.subarray(row * width, (row + count) * width), [count, width]);
    };
    const before = cell.states.map((state) =>
      statesBefore(valueAt(trace, state), order, start?.[state], row, count)
    );
    const taken = (site: string) => rows(valueAt(trace, site));
    return keptOfSteps(cell, run, before, taken, run && rows(run.x), action);
  };
}

function keptOfSteps(
  cell: Cell,
  run: TracedRun | undefined,
  states: readonly Tensor[],
  taken: (site: string) => Tensor,
  input: Tensor | undefined,
  action: string,
): Tensor | undefined {
  const { shape } = states[0]!;
  const [count, units] = shape as [number, number];
  // Keras's cells meet their arrays in their gates alone, which are given.
  const isKeras = cell.arrays === undefined;
  const tape = new Gradients(isKeras ? () => true : byLoops);
  const zeros = (...shape: [number, number]) =>
    tape.given(new Tensor(new Float64Array(shape[0] * shape[1]), shape));
  const width = blocksOf(cell) * units;
  const own = isKeras
    ? undefined
    : Object.values(run!.weights).map((one) => tape.given(asFloat64(one)));
  const before = states.map((state, k) => k === 0 ? tape.leaf(state) : tape.given(state));
  const isTaken = (site: string) => isGate(site) || cell.states.indexOf(site) > 0;
  const [after] = cell.step(tape, own ? tape.given(input!) : zeros(count, 1), before, {
    W: zeros(1, width),
    U: zeros(units, width),
    b: undefined,
    all: own,
    φ: tanh,
    σ: sigmoid,
    drop: {},
    at: (site, value) => isTaken(site) ? tape.given(taken(site)) : value,
  });
  const variables = tape.variables.slice(0, tape.variables.indexOf(after!) + 1);
  const arrays = new Set(variables.filter(({ origin }) => origin.op === "affine"));
  const path = dependents(variables, [before[0]!], arrays);
  const sizes = finish(sizesOf(variables, (x) => path.has(x)));
  const ones = new Tensor(new Float64Array(count * units).fill(1), shape);
  const factors = new Map([[after!, ones]]);
  for (const variable of variables.toReversed()) {
    const factor = factors.get(variable);
    if (factor === undefined) continue;
    const shares = sharesOf(variable, factor, (x) => path.has(x), sizes);
    if (shares === undefined) throw notASum(action, cell.kind);
    for (const { x, factor } of shares.operands) if (path.has(x)) give(factors, x, factor());
  }
  return factors.get(before[0]!);
}

/** A state before some of the steps, `[count, units]`. */
function statesBefore(
  state: Tensor,
  order: readonly number[],
  start: TensorLike | undefined,
  row: number,
  count: number,
): Tensor {
  const [, timesteps, units] = state.shape as [number, number, number];
  const data = new Float64Array(count * units);
  const first = start === undefined ? undefined : asFloat64(start);
  const before = order[0] === 0 ? -1 : 1; // the step computed before
  for (let k = 0; k < count; k++) {
    const [n, t] = [Math.floor((row + k) / timesteps), (row + k) % timesteps];
    const put = ({ data: from }: Tensor, row: number) =>
      data.set(from.subarray(row * units, (row + 1) * units), k * units);
    if (t !== order[0]) put(state, row + k + before);
    else if (first !== undefined) put(first, n);
  }
  return new Tensor(data, [count, units]);
}
