// Through a SimpleRNN's step: dz = φ'(z) ⊙ dh'.

import { slope } from "./activations";
import { forwardOf, GatedBackwardPlan } from "./gated_backward_plan";
import { hiddenBefore } from "./gated_plan";
import { loadSome } from "./pack";
import { LINE } from "./tiles";

export function simpleRnnGradients(backward: GatedBackwardPlan, t: i32): void {
  const plan = forwardOf(backward);
  const batch = plan.batch;
  const units = plan.units;
  const rows = <usize>(plan.timesteps * batch) * LINE;
  for (let n = 0; n < batch; n++) {
    const y = hiddenBefore(plan, t + 1) + <usize>n * plan.hiddenRow;
    const dy = backward.bySequence + <usize>((n * plan.timesteps + t) * units) * 4;
    const dz = backward.inputPanels + <usize>(t * batch + n) * LINE;
    for (let k = 0; k < plan.groups * 4; k++) {
      const at = <usize>k * 16;
      let dh = v128.load(backward.dh + <usize>n * backward.dhRow + at);
      if (backward.bySequence) dh = f32x4.add(dh, loadSome(dy + at, units - k * 4));
      const d = f32x4.mul(dh, slope(plan.activation, v128.load(y + at), plan.activationAlpha));
      v128.store(backward.inputRows + <usize>n * backward.dzRow + at, d);
      v128.store(dz + <usize>(k >> 2) * rows + <usize>(k & 3) * 16, d);
    }
  }
}
