// A SimpleRNN's step, h' = φ(x·W + h·U + b): lib/cells/simple_rnn.ts. Of 16 units, one panel.

import { activateFour } from "./activate_four";
import { TANH } from "./activations";
import { activateSixteen } from "./four";
import { gatesOf, GatedPlan, hiddenBefore, panelBytes } from "./gated_plan";
import { gemm } from "./gemm";
import { LINE } from "./tiles";

export function simpleRnnStep(plan: GatedPlan, t: i32): void {
  const batch = plan.batch;
  const panel = panelBytes(plan);
  let gates = gatesOf(plan, t);
  gemm(
    hiddenBefore(plan, t), plan.hiddenRow, batch, plan.units,
    plan.recurrentKernel, plan.panels, gates, LINE, panel, gates, LINE, panel, (t & 1) == 1,
  );
  for (let g = 0; g < plan.groups; g++) {
    let hidden = hiddenBefore(plan, t + 1) + <usize>g * LINE;
    for (let n = 0; n < batch; n++) {
      if (plan.activation == TANH) activateFour(gates, hidden, TANH, TANH, TANH, TANH);
      else activateSixteen(gates, hidden, plan.activation, plan.activationAlpha);
      gates += LINE;
      hidden += plan.hiddenRow;
    }
  }
}
