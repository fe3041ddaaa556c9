// An LSTM over all timesteps: z = x·W + b for many steps in one product, then step by step
// z += h·U and the gates. The equations are those of lib/cells/lstm.ts.

import { activate, SIGMOID, TANH } from "./activations";
import { madd } from "./fma";
import { activateFour } from "./four";
import { gemm } from "./gemm";
import { storeSome } from "./pack";
import { LINE } from "./tiles";

/** Sizes, and where the arrays are, in the order in which ../lstm_layer.ts writes them. */
@unmanaged
export class LstmPlan {
  layerKind: i32;
  batch: i32;
  timesteps: i32;
  inputSize: i32;
  units: i32;
  activation: i32;
  recurrentActivation: i32;
  activationAlpha: f32;
  recurrentActivationAlpha: f32;

  /** x of the first step, and how far away the next step and the next sample are. */
  x: usize;
  /** Where x's first number is: that of the last step, when going backwards. */
  xStart: usize;
  xStep: usize;
  xSample: usize;

  /** Packed by `packGates`. */
  kernel: usize;
  recurrentKernel: usize;
  bias: usize;

  /**
   * z, then the gates in its place, [step][panel][sample][16]: `chunk` steps at a time, of which
   * with keepSlots all stay.
   */
  gates: usize;
  chunk: i32;

  /** h [slot][sample][hiddenRow bytes], c [slot][panel][sample][4]; slot 0 is the initial state. */
  hidden: usize;
  cells: usize;
  hiddenRow: usize;
  /** Two slots taking turns, or timesteps + 1 of them for a backward pass. */
  keepSlots: i32;
  /** The initial state, laid out as a slot is; 0 for zeros. */
  initialHidden: usize;
  initialCells: usize;

  /** Where to record [sample][timestep][unit], 0 for nowhere. */
  recordInput: usize;
  recordForget: usize;
  recordCandidate: usize;
  recordOutput: usize;
  recordCell: usize;
  recordHidden: usize;
  /** Where to leave the last hidden state [sample][unit]. */
  last: usize;
}

// @ts-ignore: decorator
@inline
export function slotOf(plan: LstmPlan, t: i32): i32 {
  return plan.keepSlots ? t : t & 1;
}

// @ts-ignore: decorator
@inline
function gatesOf(plan: LstmPlan, t: i32): usize {
  const stepBytes = <usize>(((plan.units + 3) >> 2) * plan.batch) * LINE;
  return plan.gates + <usize>(plan.keepSlots ? t : t % plan.chunk) * stepBytes;
}

export function lstmForward(plan: LstmPlan): void {
  const timesteps = plan.timesteps;
  const chunk = plan.chunk;
  setSlot(plan.hidden, plan.initialHidden, <usize>plan.batch * plan.hiddenRow);
  setSlot(plan.cells, plan.initialCells, <usize>(plan.batch * ((plan.units + 3) >> 2)) * 16);
  for (let first = 0; first < timesteps; first += chunk) {
    const count = min(chunk, timesteps - first);
    inputProducts(plan, first, count);
    for (let t = first; t < first + count; t++) step(plan, t);
  }
  if (plan.last) copyLast(plan);
}

/** z = x·W + b for `count` steps; the rows of a tile are steps or samples, whichever are more. */
function inputProducts(plan: LstmPlan, first: i32, count: i32): void {
  const batch = plan.batch;
  const panels = (plan.units + 3) >> 2;
  const panelBytes = <usize>batch * LINE;
  const stepBytes = <usize>panels * panelBytes;
  const x = plan.x + <usize>first * plan.xStep;
  const gates = gatesOf(plan, first);
  if (count >= batch) {
    for (let n = 0; n < batch; n++) {
      gemm(
        x + <usize>n * plan.xSample, plan.xStep, count, plan.inputSize, plan.kernel, panels,
        plan.bias, 0, LINE, gates + <usize>n * LINE, stepBytes, panelBytes,
      );
    }
  } else {
    for (let t = 0; t < count; t++) {
      gemm(
        x + <usize>t * plan.xStep, plan.xSample, batch, plan.inputSize, plan.kernel, panels,
        plan.bias, 0, LINE, gates + <usize>t * stepBytes, LINE, panelBytes,
      );
    }
  }
}

function step(plan: LstmPlan, t: i32): void {
  const batch = plan.batch;
  const units = plan.units;
  const panels = (units + 3) >> 2;
  const panelBytes = <usize>batch * LINE;
  const hiddenBytes = <usize>batch * plan.hiddenRow;
  const cellBytes = <usize>(panels * batch) * 16;
  const before = <usize>slotOf(plan, t);
  const after = <usize>slotOf(plan, t + 1);
  const gates = gatesOf(plan, t);
  gemm(
    plan.hidden + before * hiddenBytes, plan.hiddenRow, batch, units, plan.recurrentKernel, panels,
    gates, LINE, panelBytes, gates, LINE, panelBytes, (t & 1) == 1,
  );
  const hidden = plan.hidden + after * hiddenBytes;
  const from = plan.cells + before * cellBytes;
  const to = plan.cells + after * cellBytes;
  if (plan.activation == TANH && plan.recurrentActivation == SIGMOID) {
    cells(plan, gates, from, to, hidden, true);
  } else {
    cells(plan, gates, from, to, hidden, false);
  }
  if (plan.recordInput) recordGates(plan, t, gates, to);
  if (plan.recordHidden) recordHidden(plan, t, hidden);
}

/** How many times 4 units go together: what they read and write stays in the fastest cache. */
const TOGETHER: i32 = 64;

/**
 * The gates in place of z, c and h after the step: for each panel and sample, 4 units at a time. h
 * has a loop of its own, as tanh c waits long for its c: the processor works on others meanwhile.
 * `usual`: tanh and sigmoid, so that there is nothing to choose inside the loops.
 */
// @ts-ignore: decorator
@inline
function cells(
  plan: LstmPlan, gates: usize, from: usize, to: usize, hidden: usize, usual: bool,
): void {
  const batch = plan.batch;
  const hiddenRow = plan.hiddenRow;
  const activation = usual ? TANH : plan.activation;
  const alpha = plan.activationAlpha;
  let h = hidden;
  let sample = 0;
  for (let left = batch * ((plan.units + 3) >> 2); left > 0; left -= TOGETHER) {
    const count = min(TOGETHER, left);
    let outputs = gates + 48;
    let c = to;
    for (let k = 0; k < count; k++) {
      if (usual) activateFour(gates, gates, SIGMOID, SIGMOID, TANH, SIGMOID);
      else activateGates(plan, gates);
      const kept = f32x4.mul(v128.load(gates, 16), v128.load(from));
      v128.store(to, madd(v128.load(gates, 0), v128.load(gates, 32), kept));
      gates += LINE;
      from += 16;
      to += 16;
    }
    let k = 0;
    if (usual && batch == 1) {
      for (; k + 4 <= count; k += 4) {
        activateFour(c, h, TANH, TANH, TANH, TANH);
        v128.store(h, f32x4.mul(v128.load(h, 0), v128.load(outputs, 0)), 0);
        v128.store(h, f32x4.mul(v128.load(h, 16), v128.load(outputs, 64)), 16);
        v128.store(h, f32x4.mul(v128.load(h, 32), v128.load(outputs, 128)), 32);
        v128.store(h, f32x4.mul(v128.load(h, 48), v128.load(outputs, 192)), 48);
        outputs += 4 * LINE;
        c += 64;
        hidden += 64;
        h = hidden;
      }
    }
    for (; k < count; k++) {
      v128.store(h, f32x4.mul(v128.load(outputs), activate(activation, v128.load(c), alpha)));
      outputs += LINE;
      c += 16;
      h += hiddenRow;
      if (++sample == batch) {
        sample = 0;
        hidden += 16; // the next panel
        h = hidden;
      }
    }
  }
}

/** The gates of a panel in place of its z, whatever the activations. */
function activateGates(plan: LstmPlan, gates: usize): void {
  const kind = plan.recurrentActivation;
  const alpha = plan.recurrentActivationAlpha;
  const candidate = activate(plan.activation, v128.load(gates, 32), plan.activationAlpha);
  v128.store(gates, activate(kind, v128.load(gates, 0), alpha), 0);
  v128.store(gates, activate(kind, v128.load(gates, 16), alpha), 16);
  v128.store(gates, candidate, 32);
  v128.store(gates, activate(kind, v128.load(gates, 48), alpha), 48);
}

/**
 * Gates and cell state of step t to where the caller wants them, [sample][timestep][unit]: sample
 * by sample, so that whole cache lines are written at once.
 */
function recordGates(plan: LstmPlan, t: i32, gates: usize, cell: usize): void {
  const batch = plan.batch;
  const units = plan.units;
  for (let n = 0; n < batch; n++) {
    let at = <usize>((n * plan.timesteps + t) * units) * 4;
    let from = gates + <usize>n * LINE;
    let c = cell + <usize>n * 16;
    let left = units;
    for (; left >= 4; left -= 4) {
      recordPanel(plan, at, from, c, 4);
      from += <usize>batch * LINE;
      c += <usize>batch * 16;
      at += 16;
    }
    if (left > 0) recordPanel(plan, at, from, c, left);
  }
}

// @ts-ignore: decorator
@inline
function recordPanel(plan: LstmPlan, at: usize, gates: usize, c: usize, count: i32): void {
  storeSome(plan.recordInput + at, v128.load(gates, 0), count);
  storeSome(plan.recordForget + at, v128.load(gates, 16), count);
  storeSome(plan.recordCandidate + at, v128.load(gates, 32), count);
  storeSome(plan.recordOutput + at, v128.load(gates, 48), count);
  storeSome(plan.recordCell + at, v128.load(c), count);
}

function recordHidden(plan: LstmPlan, t: i32, hidden: usize): void {
  const units = plan.units;
  let to = plan.recordHidden + <usize>(t * units) * 4;
  for (let n = 0; n < plan.batch; n++) {
    copyRow(hidden, to, units);
    hidden += plan.hiddenRow;
    to += <usize>(plan.timesteps * units) * 4;
  }
}

function copyLast(plan: LstmPlan): void {
  const units = plan.units;
  const slot = <usize>(slotOf(plan, plan.timesteps) * plan.batch);
  let hidden = plan.hidden + slot * plan.hiddenRow;
  let to = plan.last;
  for (let n = 0; n < plan.batch; n++) {
    copyRow(hidden, to, units);
    hidden += plan.hiddenRow;
    to += <usize>units * 4;
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
