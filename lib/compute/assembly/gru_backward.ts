// Through a GRU's step: dz, dr and dh̃ before their activations, and dh of the step before.
//
// With dh' the gradient with respect to h' = z ⊙ h + (1 − z) ⊙ h̃:
// dz = σ' ⊙ dh' ⊙ (h − h̃), dh̃ = φ' ⊙ dh' ⊙ (1 − z), dh = z ⊙ dh' + …

import { SIGMOID, slope, TANH } from "./activations";
import { madd } from "./fma";
import { forwardOf, GatedBackwardPlan } from "./gated_backward_plan";
import { gatesOf, GatedPlan, hiddenBefore, panelBytes, productOf } from "./gated_plan";
import { gemm } from "./gemm";
import { loadSome } from "./pack";
import { LINE } from "./tiles";

/** dh' of 4 units: what comes from the step after and from the result. */
// @ts-ignore: decorator
@inline
function byHidden(
  backward: GatedBackwardPlan, plan: GatedPlan, t: i32, n: i32, unit: i32, dh: usize,
): v128 {
  const before = v128.load(dh);
  if (!backward.bySequence) return before;
  const at = <usize>((n * plan.timesteps + t) * plan.units + unit) * 4;
  return f32x4.add(before, loadSome(backward.bySequence + at, plan.units - unit));
}

export function gruGradients(backward: GatedBackwardPlan, t: i32): void {
  const plan = forwardOf(backward);
  if (plan.activation == TANH && plan.recurrentActivation == SIGMOID) {
    resetAfter(backward, t, TANH, 0, SIGMOID, 0);
  } else {
    resetAfter(
      backward, t,
      plan.activation, plan.activationAlpha,
      plan.recurrentActivation, plan.recurrentActivationAlpha,
    );
  }
}

/**
 * With p = h·U_h + b, r after the product: dr = σ' ⊙ dh̃ ⊙ p, and dh̃ ⊙ r meets U_h and its bias.
 */
// @ts-ignore: decorator
@inline
function resetAfter(
  backward: GatedBackwardPlan, t: i32, φ: i32, φAlpha: f32, σ: i32, σAlpha: f32,
): void {
  const plan = forwardOf(backward);
  const batch = plan.batch;
  const panel = panelBytes(plan);
  const rows = <usize>(plan.timesteps * batch) * LINE; // from one panel of dz to the next
  for (let g = 0; g < plan.groups; g++) {
    const first = <usize>(3 * g);
    const gates = gatesOf(plan, t) + first * panel;
    const product = productOf(plan, t) + (first + 2) * panel;
    const before = hiddenBefore(plan, t) + <usize>g * LINE;
    const dz = first * rows + <usize>(t * batch) * LINE;
    for (let n = 0; n < batch; n++) {
      const row = first * LINE + <usize>n * backward.dzRow;
      for (let v = 0; v < 4; v++) {
        const at = <usize>n * LINE + <usize>v * 16;
        const lane = <usize>v * 16;
        const z = v128.load(gates + at);
        const r = v128.load(gates + panel + at);
        const c = v128.load(gates + 2 * panel + at);
        const h = v128.load(before + <usize>n * plan.hiddenRow + lane);
        const dhAt = backward.dh + <usize>n * backward.dhRow + <usize>g * LINE + lane;
        const dh = byHidden(backward, plan, t, n, g * 16 + v * 4, dhAt);

        const dUpdate = f32x4.mul(f32x4.mul(dh, f32x4.sub(h, c)), slope(σ, z, σAlpha));
        const through = f32x4.mul(dh, f32x4.sub(f32x4.splat(1), z));
        const dCandidate = f32x4.mul(through, slope(φ, c, φAlpha));
        const byProduct = f32x4.mul(dCandidate, v128.load(product + at));
        const dReset = f32x4.mul(byProduct, slope(σ, r, σAlpha));
        const dProduct = f32x4.mul(dCandidate, r);
        v128.store(dhAt, f32x4.mul(dh, z));

        store3(backward.inputRows + row + lane, LINE, dUpdate, dReset, dCandidate);
        store3(backward.recurrentRows + row + lane, LINE, dUpdate, dReset, dProduct);
        store3(backward.inputPanels + dz + at, rows, dUpdate, dReset, dCandidate);
        store3(backward.recurrentPanels + dz + at, rows, dUpdate, dReset, dProduct);
      }
    }
  }
}

/**
 * r before the product: with d = dh̃·U_hᵀ the gradient with respect to r ⊙ h, dr = σ' ⊙ d ⊙ h, and
 * dh has d ⊙ r as well.
 */
export function gruBeforeGradients(backward: GatedBackwardPlan, t: i32): void {
  const plan = forwardOf(backward);
  const batch = plan.batch;
  const panel = panelBytes(plan);
  const σ = plan.recurrentActivation;
  const σAlpha = plan.recurrentActivationAlpha;
  const rows = <usize>(plan.timesteps * batch) * LINE;
  for (let n = 0; n < batch; n++) {
    for (let k = 0; k < plan.groups * 4; k++) {
      const g = k >> 2;
      const lane = <usize>(k & 3) * 16;
      const at = gatesOf(plan, t) + <usize>(3 * g) * panel + <usize>n * LINE + lane;
      const z = v128.load(at);
      const c = v128.load(at + 2 * panel);
      const unit = <usize>k * 16;
      const h = v128.load(hiddenBefore(plan, t) + <usize>n * plan.hiddenRow + unit);
      const dhAt = backward.dh + <usize>n * backward.dhRow + unit;
      const dh = byHidden(backward, plan, t, n, k * 4, dhAt);
      const dUpdate = f32x4.mul(f32x4.mul(dh, f32x4.sub(h, c)), slope(σ, z, σAlpha));
      const through = f32x4.mul(dh, f32x4.sub(f32x4.splat(1), z));
      const dCandidate = f32x4.mul(through, slope(plan.activation, c, plan.activationAlpha));
      v128.store(dhAt, f32x4.mul(dh, z));

      const row = <usize>n * backward.dzRow + lane;
      const input = backward.inputRows + row + <usize>(3 * g) * LINE;
      const panels = backward.inputPanels + <usize>(3 * g) * rows +
        <usize>(t * batch + n) * LINE + lane;
      v128.store(backward.recurrentRows + row + <usize>(2 * g) * LINE, dUpdate);
      v128.store(backward.candidateRows + row + <usize>g * LINE, dCandidate);
      v128.store(input, dUpdate);
      v128.store(input + 2 * LINE, dCandidate);
      v128.store(panels, dUpdate);
      v128.store(panels + 2 * rows, dCandidate);
    }
  }
  gemm(
    backward.candidateRows, backward.dzRow, batch, plan.groups * 16,
    backward.candidateTransposed, (plan.units + 15) >> 4,
    backward.zeros, 0, 0, backward.dReset, backward.dhRow, LINE,
  );
  for (let n = 0; n < batch; n++) {
    for (let k = 0; k < plan.groups * 4; k++) {
      const g = k >> 2;
      const lane = <usize>(k & 3) * 16;
      const unit = <usize>k * 16;
      const at = gatesOf(plan, t) + <usize>(3 * g + 1) * panel + <usize>n * LINE + lane;
      const r = v128.load(at);
      const h = v128.load(hiddenBefore(plan, t) + <usize>n * plan.hiddenRow + unit);
      const d = v128.load(backward.dReset + <usize>n * backward.dhRow + unit);
      const dReset = f32x4.mul(f32x4.mul(d, h), slope(σ, r, σAlpha));
      const dhAt = backward.dh + <usize>n * backward.dhRow + unit;
      v128.store(dhAt, madd(d, r, v128.load(dhAt)));

      const row = <usize>n * backward.dzRow + lane;
      v128.store(backward.recurrentRows + row + <usize>(2 * g + 1) * LINE, dReset);
      v128.store(backward.inputRows + row + <usize>(3 * g + 1) * LINE, dReset);
      const panels = backward.inputPanels + <usize>(3 * g + 1) * rows;
      v128.store(panels + <usize>(t * batch + n) * LINE + lane, dReset);
    }
  }
}

// @ts-ignore: decorator
@inline
function store3(to: usize, next: usize, a: v128, b: v128, c: v128): void {
  v128.store(to, a);
  v128.store(to + next, b);
  v128.store(to + 2 * next, c);
}
