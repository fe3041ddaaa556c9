// An LSTM's step: z += h·U, then the gates and the states. The equations are those of
// lib/cells/lstm.ts.

import { activateFour } from "./activate_four";
import { activate, SIGMOID, TANH } from "./activations";
import { madd } from "./fma";
import { gatesOf, GatedPlan, hiddenBefore, panelBytes, slotOf } from "./gated_plan";
import { gemm } from "./gemm";
import { LINE } from "./tiles";

/** c before step t, or after the step before it. */
// @ts-ignore: decorator
@inline
export function cellsBefore(plan: GatedPlan, t: i32): usize {
  return plan.cells + <usize>(slotOf(plan, t) * plan.panels * plan.batch) * 16;
}

export function lstmStep(plan: GatedPlan, t: i32): void {
  const gates = gatesOf(plan, t);
  const panel = panelBytes(plan);
  gemm(
    hiddenBefore(plan, t), plan.hiddenRow, plan.batch, plan.units,
    plan.recurrentKernel, plan.panels, gates, LINE, panel, gates, LINE, panel, (t & 1) == 1,
  );
  const hidden = hiddenBefore(plan, t + 1);
  const from = cellsBefore(plan, t);
  const to = cellsBefore(plan, t + 1);
  if (plan.activation == TANH && plan.recurrentActivation == SIGMOID) {
    cells(plan, gates, from, to, hidden, true);
  } else {
    cells(plan, gates, from, to, hidden, false);
  }
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
  plan: GatedPlan, gates: usize, from: usize, to: usize, hidden: usize, usual: bool,
): void {
  const batch = plan.batch;
  const hiddenRow = plan.hiddenRow;
  const activation = usual ? TANH : plan.activation;
  const alpha = plan.activationAlpha;
  let h = hidden;
  let sample = 0;
  for (let left = batch * plan.panels; left > 0; left -= TOGETHER) {
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
function activateGates(plan: GatedPlan, gates: usize): void {
  const kind = plan.recurrentActivation;
  const alpha = plan.recurrentActivationAlpha;
  const candidate = activate(plan.activation, v128.load(gates, 32), plan.activationAlpha);
  v128.store(gates, activate(kind, v128.load(gates, 0), alpha), 0);
  v128.store(gates, activate(kind, v128.load(gates, 16), alpha), 16);
  v128.store(gates, candidate, 32);
  v128.store(gates, activate(kind, v128.load(gates, 48), alpha), 48);
}
