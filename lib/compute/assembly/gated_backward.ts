// Backpropagation through time: from the last step to the first the cell's dz, dh = dz·Uᵀ and
// dx = dz·Wᵀ; then dW = xᵀ·dz, dU = hᵀ·dz and db = Σ dz over all steps at once.

import { forwardOf, GatedBackwardPlan } from "./gated_backward_plan";
import { GatedPlan, GRU, GRU_BEFORE, LSTM } from "./gated_plan";
import { gemm } from "./gemm";
import { gemmTurned, sumRows, transpose } from "./gemm_transposed";
import { gruBeforeGradients, gruGradients } from "./gru_backward";
import { lstmGradients } from "./lstm_backward";
import { storeSome } from "./pack";
import { simpleRnnGradients } from "./simple_rnn_backward";
import { LINE } from "./tiles";

export function gatedBackward(backward: GatedBackwardPlan): void {
  const plan = forwardOf(backward);
  startGradients(backward, plan);
  for (let t = plan.timesteps - 1; t >= 0; t--) {
    if (plan.cell == LSTM) lstmGradients(backward, t);
    else if (plan.cell == GRU) gruGradients(backward, t);
    else if (plan.cell == GRU_BEFORE) gruBeforeGradients(backward, t);
    else simpleRnnGradients(backward, t);
    if (t > 0 || backward.dHidden) hiddenGradient(backward, plan, t);
    if (backward.dx) inputGradient(backward, plan, t);
  }
  if (backward.dHidden) {
    const row = <usize>plan.units * 4;
    copyRows(plan, backward.dh, backward.dhRow, backward.dHidden, row);
  }
  if (backward.dCells) copyCells(plan, backward.dCells, backward.dc, false);
  weightGradients(backward, plan);
}

/** dh and dc from the gradients with respect to the last states, zeros where there are none. */
function startGradients(backward: GatedBackwardPlan, plan: GatedPlan): void {
  const batch = plan.batch;
  if (backward.dc) memory.fill(backward.dc, 0, <usize>(batch * plan.panels) * 16);
  if (backward.byCells) copyCells(plan, backward.byCells, backward.dc, true);
  memory.fill(backward.dh, 0, <usize>batch * backward.dhRow);
  const row = <usize>plan.units * 4;
  if (backward.byHidden) copyRows(plan, backward.byHidden, row, backward.dh, backward.dhRow);
}

/** A row of each sample's units. */
function copyRows(plan: GatedPlan, from: usize, fromRow: usize, to: usize, toRow: usize): void {
  for (let n = 0; n < plan.batch; n++) {
    memory.copy(to + <usize>n * toRow, from + <usize>n * fromRow, <usize>plan.units * 4);
  }
}

/** [sample][unit] to [panel][sample][4], as c is, or back. */
function copyCells(plan: GatedPlan, rows: usize, cells: usize, forward: bool): void {
  for (let n = 0; n < plan.batch; n++) {
    for (let u = 0; u < plan.units; u++) {
      const row = rows + <usize>(n * plan.units + u) * 4;
      const cell = cells + <usize>((u >> 2) * plan.batch + n) * 16 + <usize>(u & 3) * 4;
      if (forward) store<f32>(cell, load<f32>(row));
      else store<f32>(row, load<f32>(cell));
    }
  }
}

/** dh = dz·Uᵀ of step t; a GRU's has its share of dh' already. */
function hiddenGradient(backward: GatedBackwardPlan, plan: GatedPlan, t: i32): void {
  const isGru = plan.cell == GRU || plan.cell == GRU_BEFORE;
  const depth = plan.cell == GRU_BEFORE ? 2 * plan.groups * 16 : plan.panels * 16;
  gemm(
    backward.recurrentRows, backward.dzRow, plan.batch, depth,
    backward.recurrentTransposed, (plan.units + 15) >> 4,
    isGru ? backward.dh : backward.zeros, isGru ? backward.dhRow : 0, isGru ? LINE : 0,
    backward.dh, backward.dhRow, LINE, (t & 1) == 1,
  );
}

/** dx = dz·Wᵀ of step t, to where x had it. */
function inputGradient(backward: GatedBackwardPlan, plan: GatedPlan, t: i32): void {
  const batch = plan.batch;
  const inputSize = plan.inputSize;
  gemm(
    backward.inputRows, backward.dzRow, batch, plan.panels * 16,
    backward.kernelTransposed, (inputSize + 15) >> 4,
    backward.zeros, 0, 0, backward.dxStep, backward.dxRow, LINE,
  );
  // The same distance from dx's start as this step has from x's; backwards too.
  const offset = plan.x + <usize>t * plan.xStep - plan.xStart;
  for (let n = 0; n < batch; n++) {
    let from = backward.dxStep + <usize>n * backward.dxRow;
    let to = backward.dx + offset + <usize>n * plan.xSample;
    for (let left = inputSize; left > 0; left -= 4) {
      storeSome(to, v128.load(from), min(4, left));
      from += 16;
      to += 16;
    }
  }
}

function weightGradients(backward: GatedBackwardPlan, plan: GatedPlan): void {
  const inputSize = plan.inputSize;
  const units = plan.units;
  const panels = plan.panels;
  const rows = plan.timesteps * plan.batch;
  const row = backward.turnedRow;
  const hidden = backward.turned + <usize>inputSize * row;
  turnInputs(backward, plan);
  gemmTurned(
    backward.turned, row, inputSize, rows,
    backward.inputPanels, panels, backward.zeros, backward.dKernel,
  );
  sumRows(backward.inputPanels, rows, panels, backward.dBias);
  transpose(plan.hidden, plan.hiddenRow, rows, units, hidden, row);
  if (plan.cell != GRU_BEFORE) {
    gemmTurned(
      hidden, row, units, rows,
      backward.recurrentPanels, panels, backward.zeros, backward.dRecurrentKernel,
    );
    if (plan.cell == GRU) sumRows(backward.recurrentPanels, rows, panels, backward.dRecurrentBias);
    return;
  }
  // z and r met h, h̃ met r ⊙ h.
  const reset = hidden + <usize>units * row;
  transpose(plan.product, plan.hiddenRow, rows, units, reset, row);
  for (let p = 0; p < panels; p += 3) {
    const dz = backward.recurrentPanels + <usize>(p * rows) * LINE;
    const to = backward.dRecurrentKernel + <usize>(p * units) * LINE;
    gemmTurned(hidden, row, units, rows, dz, 2, backward.zeros, to);
    gemmTurned(
      reset, row, units, rows,
      dz + <usize>(2 * rows) * LINE, 1, backward.zeros, to + <usize>(2 * units) * LINE,
    );
  }
}

/** x before each step, its columns as rows. */
function turnInputs(backward: GatedBackwardPlan, plan: GatedPlan): void {
  const batch = plan.batch;
  for (let t = 0; t < plan.timesteps; t++) {
    const x = plan.x + <usize>t * plan.xStep;
    const column = backward.turned + <usize>(t * batch) * 4;
    transpose(x, plan.xSample, batch, plan.inputSize, column, backward.turnedRow);
  }
}
