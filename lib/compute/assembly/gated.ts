// A gated cell over all timesteps: z = x·W + b for many steps in one product, then step by step what
// the cell makes of it and of h·U.

import {
  gatesOf, GatedPlan, GRU, GRU_BEFORE, hiddenBefore, LSTM, panelBytes,
} from "./gated_plan";
import { gemm } from "./gemm";
import { gruBeforeStep, gruStep } from "./gru";
import { cellsBefore, lstmStep } from "./lstm";
import { storeSome } from "./pack";
import { simpleRnnStep } from "./simple_rnn";
import { LINE } from "./tiles";

export function gatedForward(plan: GatedPlan): void {
  const timesteps = plan.timesteps;
  const chunk = plan.chunk;
  setSlot(plan.hidden, plan.initialHidden, <usize>plan.batch * plan.hiddenRow);
  if (plan.cells) {
    setSlot(plan.cells, plan.initialCells, <usize>(plan.batch * plan.panels) * 16);
  }
  for (let first = 0; first < timesteps; first += chunk) {
    const count = min(chunk, timesteps - first);
    inputProducts(plan, first, count);
    for (let t = first; t < first + count; t++) {
      if (plan.cell == LSTM) lstmStep(plan, t);
      else if (plan.cell == GRU) gruStep(plan, t);
      else if (plan.cell == GRU_BEFORE) gruBeforeStep(plan, t);
      else simpleRnnStep(plan, t);
      if (plan.recordBlocks) recordBlocks(plan, t);
      if (plan.recordCell) recordCells(plan, t);
      if (plan.recordHidden) recordHidden(plan, t);
    }
  }
  if (plan.last) copyRows(plan, hiddenBefore(plan, timesteps), plan.last, plan.units);
}

/**
 * z = x·W + b for `count` steps; the rows of a tile are steps or samples, whichever are more. Samples
 * that are no distance apart have the same x: it is multiplied once.
 */
function inputProducts(plan: GatedPlan, first: i32, count: i32): void {
  const isShared = plan.xSample == 0;
  const batch = isShared ? 1 : plan.batch;
  const panels = plan.panels;
  const panel = panelBytes(plan);
  const stepBytes = <usize>panels * panel;
  const x = plan.x + <usize>first * plan.xStep;
  const gates = gatesOf(plan, first);
  if (count >= batch) {
    for (let n = 0; n < batch; n++) {
      gemm(
        x + <usize>n * plan.xSample, plan.xStep, count, plan.inputSize, plan.kernel, panels,
        plan.bias, 0, LINE, gates + <usize>n * LINE, stepBytes, panel,
      );
    }
  } else {
    for (let t = 0; t < count; t++) {
      gemm(
        x + <usize>t * plan.xStep, plan.xSample, batch, plan.inputSize, plan.kernel, panels,
        plan.bias, 0, LINE, gates + <usize>t * stepBytes, LINE, panel,
      );
    }
  }
  if (isShared) repeatFirst(gates, count * panels, plan.batch);
}

/** The first sample's 16 numbers of each panel to all others'. */
function repeatFirst(to: usize, panels: i32, batch: i32): void {
  for (let p = 0; p < panels; p++) {
    const a = v128.load(to, 0);
    const b = v128.load(to, 16);
    const c = v128.load(to, 32);
    const d = v128.load(to, 48);
    to += LINE;
    for (let n = 1; n < batch; n++) {
      v128.store(to, a, 0);
      v128.store(to, b, 16);
      v128.store(to, c, 32);
      v128.store(to, d, 48);
      to += LINE;
    }
  }
}

/**
 * The blocks of step t to where the caller wants them, [sample][timestep][unit]: sample by sample,
 * so that whole cache lines are written at once.
 */
function recordBlocks(plan: GatedPlan, t: i32): void {
  const units = plan.units;
  const blocks = plan.blocks;
  const panel = panelBytes(plan);
  const group = <usize>(plan.panels / plan.groups) * panel;
  const isLstm = plan.cell == LSTM;
  const most = isLstm ? 4 : 16;
  // From one block to the next: a vector or a panel.
  const block: usize = isLstm ? 16 : panel;
  for (let n = 0; n < plan.batch; n++) {
    let at = <usize>((n * plan.timesteps + t) * units) * 4;
    let from = gatesOf(plan, t) + <usize>n * LINE;
    for (let left = units; left > 0; left -= most) {
      const count = min(most, left);
      for (let b = 0; b < blocks; b++) {
        const to = load<usize>(
          changetype<usize>(plan) + offsetof<GatedPlan>("recordBlocks") + <usize>b * 4,
        );
        copyRow(from + <usize>b * block, to + at, count);
      }
      from += group;
      at += <usize>most * 4;
    }
  }
}

/** An LSTM's c after step t. */
function recordCells(plan: GatedPlan, t: i32): void {
  const batch = plan.batch;
  const units = plan.units;
  for (let n = 0; n < batch; n++) {
    let from = cellsBefore(plan, t + 1) + <usize>n * 16;
    let to = plan.recordCell + <usize>((n * plan.timesteps + t) * units) * 4;
    for (let left = units; left > 0; left -= 4) {
      storeSome(to, v128.load(from), min(4, left));
      from += <usize>batch * 16;
      to += 16;
    }
  }
}

function recordHidden(plan: GatedPlan, t: i32): void {
  const units = plan.units;
  const to = plan.recordHidden + <usize>(t * units) * 4;
  copyRows(plan, hiddenBefore(plan, t + 1), to, plan.timesteps * units);
}

/** h of each sample to rows that are `row` numbers apart. */
function copyRows(plan: GatedPlan, hidden: usize, to: usize, row: i32): void {
  for (let n = 0; n < plan.batch; n++) {
    copyRow(hidden, to, plan.units);
    hidden += plan.hiddenRow;
    to += <usize>row * 4;
  }
}

/** `count` numbers. Rows are short: a loop here is faster than a call of memory.copy. */
function copyRow(from: usize, to: usize, count: i32): void {
  let left = count;
  for (; left >= 4; left -= 4) {
    v128.store(to, v128.load(from));
    from += 16;
    to += 16;
  }
  if (left > 0) storeSome(to, v128.load(from), left);
}

/** Whole vectors, from `from` or all 0. */
function setSlot(to: usize, from: usize, bytes: usize): void {
  const end = to + bytes;
  while (to < end) {
    if (from) {
      v128.store(to, v128.load(from));
      from += 16;
    } else {
      v128.store(to, f32x4.splat(0));
    }
    to += 16;
  }
}
