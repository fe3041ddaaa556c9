// y = φ(x·W + b) for rows of x; softmax, too.

import { activate, SOFTMAX } from "./activations";
import { expBelow0 } from "./exponential";
import { gemm } from "./gemm";
import { storeSome } from "./pack";
import { LINE } from "./tiles";

/** Sizes, and where the arrays are. ../dense_plan.ts writes it in this order. */
@unmanaged
export class DensePlan {
  layerKind: i32;
  rows: i32;
  inputSize: i32;
  units: i32;
  activation: i32;
  activationAlpha: f32;

  x: usize;
  xRow: usize;
  /** Packed by `packPanels`; under softmax the bias is −Infinity where units end. */
  kernel: usize;
  bias: usize;
  /** x·W + b, [row][unit], each row padded to whole panels. */
  logits: usize;
  /** [row][unit] */
  output: usize;
}

export function denseForward(plan: DensePlan): void {
  const panels = (plan.units + 15) >> 4;
  const rowBytes = <usize>panels * LINE;
  gemm(
    plan.x, plan.xRow, plan.rows, plan.inputSize, plan.kernel, panels,
    plan.bias, 0, LINE, plan.logits, rowBytes, LINE,
  );
  let logits = plan.logits;
  let output = plan.output;
  for (let n = 0; n < plan.rows; n++) {
    if (plan.activation == SOFTMAX) softmaxRow(logits, output, plan.units);
    else activateRow(plan, logits, output);
    logits += rowBytes;
    output += <usize>plan.units * 4;
  }
}

function activateRow(plan: DensePlan, from: usize, to: usize): void {
  for (let left = plan.units; left > 0; left -= 4) {
    const y = activate(plan.activation, v128.load(from), plan.activationAlpha);
    storeSome(to, y, min(4, left));
    from += 16;
    to += 16;
  }
}

/** e^(xₖ − max x) / Σ; the padding holds −Infinity and adds nothing. */
function softmaxRow(from: usize, to: usize, units: i32): void {
  let largest = v128.load(from);
  for (let k = 4; k < units; k += 4) {
    largest = f32x4.pmax(largest, v128.load(from + <usize>k * 4));
  }
  largest = f32x4.pmax(largest, v128.shuffle<f32>(largest, largest, 2, 3, 0, 1));
  largest = f32x4.pmax(largest, v128.shuffle<f32>(largest, largest, 1, 0, 3, 2));
  let sum = f32x4.splat(0);
  for (let k = 0; k < units; k += 4) {
    const at = from + <usize>k * 4;
    const e = expBelow0(f32x4.sub(v128.load(at), largest));
    v128.store(at, e);
    sum = f32x4.add(sum, e);
  }
  sum = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
  sum = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 1, 0, 3, 2));
  for (let k = 0; k < units; k += 4) {
    const y = f32x4.div(v128.load(from + <usize>k * 4), sum);
    storeSome(to + <usize>k * 4, y, min(4, units - k));
  }
}
