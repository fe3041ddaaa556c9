// How much the end of a run depends on the states along the way: what backpropagation through time
// carries from step to step, without the weights' gradients.

import { add, dot, multiply } from "../tensor/arithmetic.ts";
import { Tensor } from "../tensor/tensor.ts";
import { preActivations } from "./cell.ts";
import { throughCell } from "./cell_gradient.ts";
import type { Gates } from "./gates.ts";
import { checkSequence, chooseRows, type LayerTrace } from "./sequence.ts";
import type { TracedRun } from "./traced_run.ts";

/** What the gradients are of: a row for each of the functions of the last states. */
export interface StateSeeds {
  /** Which sample each row is about. */
  readonly samples: readonly number[];
  /** By c after the step computed last, `[rows, units]`. */
  readonly cellState: Tensor;
  /** By h after the step computed last, `[rows, units]`. */
  readonly hiddenState: Tensor;
  /** By every h where each is handed on, `[rows, timesteps, units]`; added to those above. */
  readonly hiddenStates?: Tensor;
}

/** One step of the way back. */
export interface StateGradients {
  readonly timestep: number;
  /** By c after the step, through h of the step and all that came later, `[rows, units]`. */
  readonly cellState: Tensor;
  /** By h after the step, `[rows, units]`. */
  readonly hiddenState: Tensor;
  /** By the gates' values in the step, `[rows, units]` each; not there for the start. */
  readonly gates?: Gates;
}

/**
 * The gradients of functions of an LSTM's last states by the states after each step, from the step
 * computed last to the first. The equations are those of `lstmBackward`.
 */
export function* stateGradients(
  { x, weights, options }: TracedRun,
  trace: LayerTrace,
  { samples, cellState, hiddenState, hiddenStates }: StateSeeds,
): Generator<StateGradients> {
  const { sequence, cell, start, mask, order } = checkSequence(x, weights, options);
  const transposedU = cell.U.transpose(); // once, not at each step
  const rowsOf = (perSample: Tensor) => chooseSamples(perSample, samples);
  let [dc, dh] = [cellState, hiddenState];
  for (const [k, t] of [...order.entries()].reverse()) {
    if (hiddenStates !== undefined) dh = add(dh, hiddenStates.select(1, t));
    const before = k === 0 ? start : {
      c: trace.cellState.select(1, order[k - 1]!),
      h: trace.hiddenState.select(1, order[k - 1]!),
    };
    const z = preActivations(sequence.select(1, t), before.h, cell); // once for all rows of a sample
    const through = throughCell(mapGates(z, rowsOf), rowsOf(before.c), { dh, dc }, cell);
    const next = { dc: through.dc, dh: dot(through.dz, transposedU) };
    const counts = mask === undefined ? undefined : rowsOf(mask.select(1, t));
    const byCell = counts === undefined ? through.dcNext : chooseRows(counts, through.dcNext, dc);
    const counted = (gate: Tensor) =>
      counts === undefined ? gate : chooseRows(counts, gate, multiply(gate, 0));
    yield {
      timestep: t,
      cellState: byCell,
      hiddenState: dh,
      gates: mapGates(through.gates, counted),
    };
    dc = counts === undefined ? next.dc : chooseRows(counts, next.dc, dc);
    dh = counts === undefined ? next.dh : chooseRows(counts, next.dh, dh);
  }
  yield { timestep: -1, cellState: dc, hiddenState: dh }; // by the states it started from
}

function mapGates(
  { input, forget, candidate, output }: Gates,
  change: (gate: Tensor) => Tensor,
): Gates {
  return {
    input: change(input),
    forget: change(forget),
    candidate: change(candidate),
    output: change(output),
  };
}

/** `[batch, …]` becomes `[rows, …]`. */
function chooseSamples({ data, shape }: Tensor, samples: readonly number[]): Tensor {
  const length = data.length / shape[0]!;
  const rows = new Float64Array(samples.length * length);
  samples.forEach((n, row) => rows.set(data.subarray(n * length, (n + 1) * length), row * length));
  return new Tensor(rows, [samples.length, ...shape.slice(1)]);
}
