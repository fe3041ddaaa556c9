// A GRU's step, its reset gate after the product with U or before it. The equations are those of
// lib/cells/gru.ts. Of each group of 16 units, z, r and h̃ have a panel each.

import { activateFour } from "./activate_four";
import { SIGMOID, TANH } from "./activations";
import { madd } from "./fma";
import { activateSixteen } from "./four";
import { gatesOf, GatedPlan, hiddenBefore, panelBytes, productOf } from "./gated_plan";
import { gemm } from "./gemm";
import { LINE } from "./tiles";

/** How many groups of 16 units are computed together: what they read stays in the fastest cache. */
const TOGETHER: i32 = 16;

/** z, r = σ(x·W + h·U), h̃ = φ(x·W_h + r ⊙ (h·U_h)), the biases in the products; h' = z ⊙ h + (1 − z) ⊙ h̃. */
export function gruStep(plan: GatedPlan, t: i32): void {
  const panel = panelBytes(plan);
  const product = productOf(plan, t);
  gemm(
    hiddenBefore(plan, t), plan.hiddenRow, plan.batch, plan.units,
    plan.recurrentKernel, plan.panels, plan.recurrentBias, 0, LINE, product, LINE, panel,
    (t & 1) == 1,
  );
  if (isUsual(plan)) runs(plan, t, product, true);
  else runs(plan, t, product, false);
}

/** Samples of one group follow each other; of a single sample, the groups do. */
// @ts-ignore: decorator
@inline
function runs(plan: GatedPlan, t: i32, product: usize, usual: bool): void {
  const batch = plan.batch;
  const group = <usize>3 * panelBytes(plan);
  let gates = gatesOf(plan, t);
  let from = hiddenBefore(plan, t);
  let to = hiddenBefore(plan, t + 1);
  if (batch == 1) {
    for (let left = plan.groups; left > 0; left -= TOGETHER) {
      const count = min(TOGETHER, left);
      resetAfter(plan, gates, product, from, to, count, group, LINE, usual);
      gates += <usize>count * group;
      product += <usize>count * group;
      from += <usize>count * LINE;
      to += <usize>count * LINE;
    }
    return;
  }
  for (let g = 0; g < plan.groups; g++) {
    for (let n = 0; n < batch; n += TOGETHER) {
      const x = <usize>n * LINE;
      const row = <usize>n * plan.hiddenRow;
      resetAfter(
        plan, gates + x, product + x, from + row, to + row, min(TOGETHER, batch - n),
        LINE, plan.hiddenRow, usual,
      );
    }
    gates += group;
    product += group;
    from += LINE;
    to += LINE;
  }
}

/** `count` times 16 units, `next` bytes apart in the gates and `row` in h. */
// @ts-ignore: decorator
@inline
function resetAfter(
  plan: GatedPlan, gates: usize, product: usize, from: usize, to: usize,
  count: i32, next: usize, row: usize, usual: bool,
): void {
  const panel = panelBytes(plan);
  let at = gates;
  let p = product;
  for (let k = 0; k < count; k++) {
    addSixteen(at, p);
    addSixteen(at + panel, p + panel);
    recurrentSixteen(plan, at, usual);
    recurrentSixteen(plan, at + panel, usual);
    at += next;
    p += next;
  }
  at = gates + panel;
  p = product + 2 * panel;
  for (let k = 0; k < count; k++) {
    addProducts(at + panel, at, p);
    candidateSixteen(plan, at + panel, usual);
    at += next;
    p += next;
  }
  at = gates;
  for (let k = 0; k < count; k++) {
    mixSixteen(at, at + 2 * panel, from, to);
    at += next;
    from += row;
    to += row;
  }
}

/** z, r = σ(x·W + h·U), h̃ = φ(x·W_h + (r ⊙ h)·U_h); h' = z ⊙ h + (1 − z) ⊙ h̃. */
export function gruBeforeStep(plan: GatedPlan, t: i32): void {
  const batch = plan.batch;
  const panel = panelBytes(plan);
  const gates = gatesOf(plan, t);
  const before = hiddenBefore(plan, t);
  const after = hiddenBefore(plan, t + 1);
  const product = productOf(plan, t);
  recurrentProducts(plan, before, gates, 0, 2);
  for (let g = 0; g < plan.groups; g++) {
    let at = gates + <usize>(3 * g) * panel;
    let h = <usize>g * LINE;
    for (let n = 0; n < batch; n++) {
      recurrentSixteen(plan, at, false);
      recurrentSixteen(plan, at + panel, false);
      for (let v: usize = 0; v < 64; v += 16) {
        const reset = f32x4.mul(v128.load(at + panel + v), v128.load(before + h + v));
        v128.store(product + h + v, reset);
      }
      at += LINE;
      h += plan.hiddenRow;
    }
  }
  recurrentProducts(plan, product, gates, 2, 1);
  for (let g = 0; g < plan.groups; g++) {
    let at = gates + <usize>(3 * g) * panel;
    let h = <usize>g * LINE;
    for (let n = 0; n < batch; n++) {
      candidateSixteen(plan, at + 2 * panel, false);
      mixSixteen(at, at + 2 * panel, before + h, after + h);
      at += LINE;
      h += plan.hiddenRow;
    }
  }
}

/** z += h·U of some of each group's panels. */
function recurrentProducts(
  plan: GatedPlan, rows: usize, gates: usize, first: i32, count: i32,
): void {
  const panel = panelBytes(plan);
  const wPanel = <usize>plan.units * LINE;
  for (let p = first; p < plan.panels; p += 3) {
    const at = gates + <usize>p * panel;
    gemm(
      rows, plan.hiddenRow, plan.batch, plan.units, plan.recurrentKernel + <usize>p * wPanel, count,
      at, LINE, panel, at, LINE, panel,
    );
  }
}

// @ts-ignore: decorator
@inline
function isUsual(plan: GatedPlan): bool {
  return plan.activation == TANH && plan.recurrentActivation == SIGMOID;
}

// @ts-ignore: decorator
@inline
function addSixteen(to: usize, x: usize): void {
  v128.store(to, f32x4.add(v128.load(to, 0), v128.load(x, 0)), 0);
  v128.store(to, f32x4.add(v128.load(to, 16), v128.load(x, 16)), 16);
  v128.store(to, f32x4.add(v128.load(to, 32), v128.load(x, 32)), 32);
  v128.store(to, f32x4.add(v128.load(to, 48), v128.load(x, 48)), 48);
}

// @ts-ignore: decorator
@inline
function recurrentSixteen(plan: GatedPlan, at: usize, usual: bool): void {
  if (usual) activateFour(at, at, SIGMOID, SIGMOID, SIGMOID, SIGMOID);
  else activateSixteen(at, at, plan.recurrentActivation, plan.recurrentActivationAlpha);
}

// @ts-ignore: decorator
@inline
function candidateSixteen(plan: GatedPlan, at: usize, usual: bool): void {
  if (usual) activateFour(at, at, TANH, TANH, TANH, TANH);
  else activateSixteen(at, at, plan.activation, plan.activationAlpha);
}

/** to += r ⊙ p, 16 numbers each. */
// @ts-ignore: decorator
@inline
function addProducts(to: usize, r: usize, p: usize): void {
  v128.store(to, madd(v128.load(r, 0), v128.load(p, 0), v128.load(to, 0)), 0);
  v128.store(to, madd(v128.load(r, 16), v128.load(p, 16), v128.load(to, 16)), 16);
  v128.store(to, madd(v128.load(r, 32), v128.load(p, 32), v128.load(to, 32)), 32);
  v128.store(to, madd(v128.load(r, 48), v128.load(p, 48), v128.load(to, 48)), 48);
}

/** h' = z ⊙ h + (1 − z) ⊙ h̃: where z is 1, h stays as it is. */
// @ts-ignore: decorator
@inline
function mix(z: v128, h: v128, candidate: v128): v128 {
  return madd(z, h, f32x4.mul(f32x4.sub(f32x4.splat(1), z), candidate));
}

// @ts-ignore: decorator
@inline
function mixSixteen(z: usize, c: usize, from: usize, to: usize): void {
  v128.store(to, mix(v128.load(z, 0), v128.load(from, 0), v128.load(c, 0)), 0);
  v128.store(to, mix(v128.load(z, 16), v128.load(from, 16), v128.load(c, 16)), 16);
  v128.store(to, mix(v128.load(z, 32), v128.load(from, 32), v128.load(c, 32)), 32);
  v128.store(to, mix(v128.load(z, 48), v128.load(from, 48), v128.load(c, 48)), 48);
}
