// Through an LSTM's step: dz and dc, the equations of lib/cells/lstm_backward.ts.

import { activate, SIGMOID, slope, TANH } from "./activations";
import { madd } from "./fma";
import { forwardOf, GatedBackwardPlan } from "./gated_backward_plan";
import { gatesOf } from "./gated_plan";
import { cellsBefore } from "./lstm";
import { loadSome } from "./pack";
import { LINE } from "./tiles";

export function lstmGradients(backward: GatedBackwardPlan, t: i32): void {
  const plan = forwardOf(backward);
  if (plan.activation == TANH && plan.recurrentActivation == SIGMOID) {
    gradients(backward, t, TANH, 0, SIGMOID, 0);
  } else {
    gradients(
      backward, t,
      plan.activation, plan.activationAlpha,
      plan.recurrentActivation, plan.recurrentActivationAlpha,
    );
  }
}

/** dz of step t, and dc of the step before. */
// @ts-ignore: decorator
@inline
function gradients(
  backward: GatedBackwardPlan, t: i32,
  activation: i32, alpha: f32, recurrentActivation: i32, recurrentAlpha: f32,
): void {
  const plan = forwardOf(backward);
  const batch = plan.batch;
  const units = plan.units;
  const timesteps = plan.timesteps;
  const panels = plan.panels;
  let gates = gatesOf(plan, t);
  let cBefore = cellsBefore(plan, t);
  let c = cellsBefore(plan, t + 1);
  let dc = backward.dc;
  for (let p = 0; p < panels; p++) {
    const filled = min(4, units - p * 4);
    let dz = backward.inputPanels + <usize>((p * timesteps + t) * batch) * LINE;
    let row = backward.inputRows + <usize>p * LINE;
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
