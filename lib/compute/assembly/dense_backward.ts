// Through a dense layer: dl = φ'(l) ⊙ dy (softmax: y ⊙ (dy − Σ dy·y)), dW = xᵀ·dl, db = Σ dl,
// dx = dl·Wᵀ.

import { slope, SOFTMAX } from "./activations";
import { DensePlan } from "./dense";
import { gemm } from "./gemm";
import { gemmTurned, sumRows, transpose } from "./gemm_transposed";
import { loadSome, storeSome } from "./pack";
import { LINE } from "./tiles";

/** What a backward pass needs besides the forward plan, as ../dense_training.ts writes it. */
@unmanaged
export class DenseBackwardPlan {
  forward: usize;
  /** The gradient with respect to the output, [row][unit]. */
  byOutput: usize;
  /** Packed by `packPanelsTransposed`. */
  kernelTransposed: usize;
  /** dl as [row][panels · 16] and as [panel][row][16]. */
  dlRows: usize;
  dlPanels: usize;
  /** xᵀ, each row `turnedRow` bytes. */
  turned: usize;
  turnedRow: usize;
  /** dx [row][dxRow bytes], and [row][input]; or 0. */
  dxRows: usize;
  dxRow: usize;
  dx: usize;
  dKernel: usize;
  dBias: usize;
  zeros: usize;
}

export function denseBackward(backward: DenseBackwardPlan): void {
  const plan = changetype<DensePlan>(backward.forward);
  const panels = (plan.units + 15) >> 4;
  const rows = plan.rows;
  for (let n = 0; n < rows; n++) logitGradients(backward, plan, n, panels);
  transpose(plan.x, plan.xRow, rows, plan.inputSize, backward.turned, backward.turnedRow);
  gemmTurned(
    backward.turned, backward.turnedRow, plan.inputSize, rows,
    backward.dlPanels, panels, backward.zeros, backward.dKernel,
  );
  sumRows(backward.dlPanels, rows, panels, backward.dBias);
  if (backward.dx) inputGradient(backward, plan, panels);
}

function logitGradients(
  backward: DenseBackwardPlan, plan: DensePlan, n: i32, panels: i32,
): void {
  const units = plan.units;
  const y = plan.output + <usize>(n * units) * 4;
  const dy = backward.byOutput + <usize>(n * units) * 4;
  const row = backward.dlRows + <usize>(n * panels) * LINE;
  let mean: f32 = 0;
  if (plan.activation == SOFTMAX) {
    for (let k = 0; k < units; k++) mean += load<f32>(dy + k * 4) * load<f32>(y + k * 4);
  }
  for (let k = 0; k < panels * 16; k += 4) {
    let dl = f32x4.splat(0);
    const filled = units - k;
    if (filled > 0) {
      const result = loadSome(y + k * 4, filled);
      const gradient = loadSome(dy + k * 4, filled);
      dl = plan.activation == SOFTMAX
        ? f32x4.mul(result, f32x4.sub(gradient, f32x4.splat(mean)))
        : f32x4.mul(slope(plan.activation, result, plan.activationAlpha), gradient);
    }
    v128.store(row + k * 4, dl);
    v128.store(backward.dlPanels + <usize>((k >> 4) * plan.rows + n) * LINE + (k & 15) * 4, dl);
  }
}

function inputGradient(backward: DenseBackwardPlan, plan: DensePlan, panels: i32): void {
  const inputSize = plan.inputSize;
  gemm(
    backward.dlRows, <usize>panels * LINE, plan.rows, panels * 16,
    backward.kernelTransposed, (inputSize + 15) >> 4,
    backward.zeros, 0, 0, backward.dxRows, backward.dxRow, LINE,
  );
  let to = backward.dx;
  for (let n = 0; n < plan.rows; n++) {
    let from = backward.dxRows + <usize>n * backward.dxRow;
    for (let left = inputSize; left > 0; left -= 4) {
      const count = min(4, left);
      storeSome(to, v128.load(from), count);
      from += 16;
      to += <usize>count * 4;
    }
  }
}
