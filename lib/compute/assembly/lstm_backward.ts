// Backpropagation through time, the equations of lib/cells/lstm_backward.ts: from the last step
// to the first dz = the gates' slopes ⊙ …, dh = dz·Uᵀ, dx = dz·Wᵀ; then dW = xᵀ·dz, dU = hᵀ·dz and
// db = Σ dz over all steps at once.

import { activate, SIGMOID, slope, TANH } from "./activations";
import { madd } from "./fma";
import { gemm } from "./gemm";
import { gemmTurned, sumRows, transpose } from "./gemm_transposed";
import { LstmPlan } from "./lstm";
import { loadSome, storeSome } from "./pack";
import { LINE } from "./tiles";

/** What a backward pass needs besides the forward plan, as ../lstm_training.ts writes it. */
@unmanaged
export class LstmBackwardPlan {
  forward: usize;
  /** The gradient with respect to the hidden states, [sample][step][unit], or the last; or 0. */
  bySequence: usize;
  byLast: usize;
  /** Packed by `packGatesTransposed`. */
  kernelTransposed: usize;
  recurrentTransposed: usize;

  /** xᵀ and below it hᵀ, [input or unit][step][sample], each row `turnedRow` bytes; filled here. */
  turned: usize;
  turnedRow: usize;
  /** dz of all steps, [panel][step][sample][16], and of one, [sample][dzRow bytes]. */
  dz: usize;
  dzStep: usize;
  dzRow: usize;
  /** dh [sample][dhRow bytes] and dc [panel][sample][4]. */
  dh: usize;
  dhRow: usize;
  dc: usize;
  /** dx of one step, [sample][dxRow bytes], and where it goes, [sample][timestep][input]; or 0. */
  dxStep: usize;
  dxRow: usize;
  dx: usize;

  /** Gradients with respect to the weights, in panels: W and below it U; b. */
  dKernels: usize;
  dBias: usize;
  /** 64 bytes of zeros. */
  zeros: usize;
}

export function lstmBackward(backward: LstmBackwardPlan): void {
  const plan = changetype<LstmPlan>(backward.forward);
  const batch = plan.batch;
  const panels = (plan.units + 3) >> 2;
  const rows = plan.timesteps * batch;
  startGradients(backward, plan);
  for (let t = plan.timesteps - 1; t >= 0; t--) {
    if (plan.activation == TANH && plan.recurrentActivation == SIGMOID) {
      cellGradients(backward, plan, t, TANH, 0, SIGMOID, 0);
    } else {
      cellGradients(
        backward, plan, t,
        plan.activation, plan.activationAlpha,
        plan.recurrentActivation, plan.recurrentActivationAlpha,
      );
    }
    if (t > 0) {
      gemm(
        backward.dzStep, backward.dzRow, batch, panels * 16,
        backward.recurrentTransposed, (plan.units + 15) >> 4,
        backward.zeros, 0, 0, backward.dh, backward.dhRow, LINE, (t & 1) == 1,
      );
    }
    if (backward.dx) inputGradient(backward, plan, t);
  }
  turnInputs(backward, plan);
  gemmTurned(
    backward.turned, backward.turnedRow, plan.inputSize + plan.units, rows,
    backward.dz, panels, backward.zeros, backward.dKernels,
  );
  sumRows(backward.dz, rows, panels, backward.dBias);
}

/** dc = 0, and dh = the gradient with respect to the last hidden state. */
function startGradients(backward: LstmBackwardPlan, plan: LstmPlan): void {
  const batch = plan.batch;
  const units = plan.units;
  memory.fill(backward.dc, 0, <usize>(batch * ((units + 3) >> 2)) * 16);
  memory.fill(backward.dh, 0, <usize>batch * backward.dhRow);
  if (!backward.byLast) return;
  for (let n = 0; n < batch; n++) {
    memory.copy(
      backward.dh + <usize>n * backward.dhRow,
      backward.byLast + <usize>(n * units) * 4,
      <usize>units * 4,
    );
  }
}

/** dz of step t, and dc of the step before. */
// @ts-ignore: decorator
@inline
function cellGradients(
  backward: LstmBackwardPlan, plan: LstmPlan, t: i32,
  activation: i32, alpha: f32, recurrentActivation: i32, recurrentAlpha: f32,
): void {
  const batch = plan.batch;
  const units = plan.units;
  const timesteps = plan.timesteps;
  const panels = (units + 3) >> 2;
  let gates = plan.gates + <usize>(t * panels * batch) * LINE;
  let cBefore = plan.cells + <usize>(t * panels * batch) * 16;
  let c = cBefore + <usize>(panels * batch) * 16;
  let dc = backward.dc;
  for (let p = 0; p < panels; p++) {
    const filled = min(4, units - p * 4);
    let dz = backward.dz + <usize>((p * timesteps + t) * batch) * LINE;
    let row = backward.dzStep + <usize>p * LINE;
    let dh = backward.dh + <usize>p * 16;
    let dy = backward.bySequence + <usize>(t * units + p * 4) * 4;
    for (let n = 0; n < batch; n++) {
      const i = v128.load(gates, 0);
      const f = v128.load(gates, 16);
      const candidate = v128.load(gates, 32);
      const o = v128.load(gates, 48);
      const y = activate(activation, v128.load(c), alpha);
      let byHidden = v128.load(dh);
      if (backward.bySequence) byHidden = f32x4.add(byHidden, loadSome(dy, filled));
      const byCell = madd(
        f32x4.mul(byHidden, o), slope(activation, y, alpha), v128.load(dc),
      );
      const dzInput = f32x4.mul(
        f32x4.mul(byCell, candidate), slope(recurrentActivation, i, recurrentAlpha),
      );
      const dzForget = f32x4.mul(
        f32x4.mul(byCell, v128.load(cBefore)), slope(recurrentActivation, f, recurrentAlpha),
      );
      const dzCandidate = f32x4.mul(f32x4.mul(byCell, i), slope(activation, candidate, alpha));
      const dzOutput = f32x4.mul(
        f32x4.mul(byHidden, y), slope(recurrentActivation, o, recurrentAlpha),
      );
      v128.store(dc, f32x4.mul(byCell, f));
      v128.store(dz, dzInput, 0);
      v128.store(dz, dzForget, 16);
      v128.store(dz, dzCandidate, 32);
      v128.store(dz, dzOutput, 48);
      v128.store(row, dzInput, 0);
      v128.store(row, dzForget, 16);
      v128.store(row, dzCandidate, 32);
      v128.store(row, dzOutput, 48);
      gates += LINE;
      cBefore += 16;
      c += 16;
      dc += 16;
      dz += LINE;
      row += backward.dzRow;
      dh += backward.dhRow;
      dy += <usize>(timesteps * units) * 4;
    }
  }
}

/** dx = dz·Wᵀ of step t, to where x had it. */
function inputGradient(backward: LstmBackwardPlan, plan: LstmPlan, t: i32): void {
  const batch = plan.batch;
  const inputSize = plan.inputSize;
  gemm(
    backward.dzStep, backward.dzRow, batch, ((plan.units + 3) >> 2) * 16,
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

/** What went into z, x and h before each step, its columns as rows. */
function turnInputs(backward: LstmBackwardPlan, plan: LstmPlan): void {
  const batch = plan.batch;
  const row = backward.turnedRow;
  const hidden = backward.turned + <usize>plan.inputSize * row;
  for (let t = 0; t < plan.timesteps; t++) {
    const x = plan.x + <usize>t * plan.xStep;
    const column = backward.turned + <usize>(t * batch) * 4;
    transpose(x, plan.xSample, batch, plan.inputSize, column, row);
  }
  transpose(plan.hidden, plan.hiddenRow, plan.timesteps * batch, plan.units, hidden, row);
}
