import type { Tensor } from "../tensor/tensor.ts";
import type { Cell } from "./cell.ts";
import { type CellTrace, cellTraceOf } from "./cell_run.ts";
import { LSTM_CELL, type LstmState, lstmStepOf } from "./lstm.ts";
import { layerTraceOf } from "./lstm_forward.ts";
import type { TracedRun } from "./traced_run.ts";

/** The trace of a layer's run, whatever its cell, from each site's values over the timesteps. */
export function traceOfRun(
  cell: Cell,
  valueOf: (site: string) => Tensor,
  run: TracedRun,
): CellTrace {
  return cell === LSTM_CELL
    ? layerTraceOf(lstmStepOf(valueOf), run)
    : cellTraceOf(cell, valueOf, { ...run, cell });
}

/** A cell's states by their names, as a run takes them. */
export function stateOf(cell: Cell, states: readonly Tensor[]): LstmState {
  const named = cell.states.map((state, k) => [state, states[k]!]);
  return Object.fromEntries(named) as unknown as LstmState;
}
