import type { Tensor } from "../tensor/tensor.ts";
import type { Cell, CellFunctions } from "./cell.ts";
import { type CellTrace, cellTraceOf } from "./cell_run.ts";
import { LSTM_CELL, type LstmState, lstmStepOf } from "./lstm.ts";
import { layerTraceOf } from "./lstm_forward.ts";
import type { SiteListener } from "./sites.ts";
import type { TracedRun } from "./traced_run.ts";

/** What a layer's run was computed from. */
export interface LayerRun {
  readonly x: Tensor;
  /** In Keras's order. */
  readonly weights: readonly Tensor[];
  readonly functions: CellFunctions;
  readonly goBackwards: boolean;
  readonly mask: Tensor | undefined;
  /** Where it started; undefined is zeros. */
  readonly before: readonly Tensor[] | undefined;
  readonly listen?: SiteListener | undefined;
}

/** The trace of a layer's run, whatever its cell, from each site's values over the timesteps. */
export function traceOfRun(
  cell: Cell,
  valueOf: (site: string) => Tensor,
  { x, weights, functions, goBackwards, mask, before, listen }: LayerRun,
): CellTrace {
  const names = cell.arrays ?? ["kernel", "recurrentKernel", "bias"];
  const named = weights.map((weight, k) => [names[k]!, weight]);
  const run: TracedRun = {
    x,
    weights: Object.fromEntries(named) as unknown as TracedRun["weights"],
    options: {
      activation: functions.φ,
      recurrentActivation: functions.σ,
      goBackwards,
      mask,
      initialState: before && stateOf(cell, before),
      listen,
    },
  };
  return cell === LSTM_CELL
    ? layerTraceOf(lstmStepOf(valueOf), run)
    : cellTraceOf(cell, valueOf, { ...run, cell });
}

/** A cell's states by their names, as a run takes them. */
function stateOf(cell: Cell, states: readonly Tensor[]): LstmState {
  const named = cell.states.map((state, k) => [state, states[k]!]);
  return Object.fromEntries(named) as unknown as LstmState;
}
