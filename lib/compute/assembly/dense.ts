// y = φ(x·W + b) for rows of x; softmax, too.

import { activateFour } from "./activate_four";
import { activate, LINEAR, RELU, SIGMOID, SOFTMAX, TANH } from "./activations";
import { expBelow0 } from "./exponential";
import { activateSixteen } from "./four";
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
  /** x·W + b of some rows, [row][unit], each row padded to whole panels. */
  logits: usize;
  /** How many rows go together, so that they stay in the second cache. */
  chunk: i32;
  /** [row][unit] */
  output: usize;
}

export function denseForward(plan: DensePlan): void {
  const panels = (plan.units + 15) >> 4;
  const rowBytes = <usize>panels * LINE;
  for (let first = 0; first < plan.rows; first += plan.chunk) {
    const rows = min(plan.chunk, plan.rows - first);
    gemm(
      plan.x + <usize>first * plan.xRow, plan.xRow, rows, plan.inputSize, plan.kernel, panels,
      plan.bias, 0, LINE, plan.logits, rowBytes, LINE,
    );
    let logits = plan.logits;
    let output = plan.output + <usize>(first * plan.units) * 4;
    for (let n = 0; n < rows; n++) {
      if (plan.activation == SOFTMAX) softmaxRow(logits, output, plan.units);
      else activateRow(plan, logits, output);
      logits += rowBytes;
      output += <usize>plan.units * 4;
    }
  }
}

function activateRow(plan: DensePlan, from: usize, to: usize): void {
  const kind = plan.activation;
  let left = plan.units;
  if (kind == LINEAR || kind == RELU) {
    const least = f32x4.splat(kind == RELU ? 0 : -Infinity);
    for (; left >= 4; left -= 4) {
      v128.store(to, f32x4.pmax(v128.load(from), least));
      from += 16;
      to += 16;
    }
  } else {
    for (; left >= 16; left -= 16) {
      if (kind == SIGMOID) activateFour(from, to, SIGMOID, SIGMOID, SIGMOID, SIGMOID);
      else if (kind == TANH) activateFour(from, to, TANH, TANH, TANH, TANH);
      else activateSixteen(from, to, kind, plan.activationAlpha);
      from += 64;
      to += 64;
    }
  }
  for (; left > 0; left -= 4) {
    storeSome(to, activate(kind, v128.load(from), plan.activationAlpha), min(4, left));
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
