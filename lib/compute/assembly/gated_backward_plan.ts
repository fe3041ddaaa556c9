// What a gated cell's backward pass needs besides the forward plan, as ../gated_training.ts writes it.

import { GatedPlan } from "./gated_plan";

/**
 * Rows, [sample][… bytes], go into the products with Wᵀ and Uᵀ; panels, [panel][step][sample][16],
 * into those with xᵀ and hᵀ. What meets x and what meets h is the same dz, unless a GRU's reset gate
 * stands between them.
 */
@unmanaged
export class GatedBackwardPlan {
  forward: usize;
  /** The gradient with respect to the hidden states, [sample][step][unit]; or 0. */
  bySequence: usize;
  /** Those with respect to the last states, [sample][unit]; or 0. */
  byHidden: usize;
  byCells: usize;
  /** Where to leave those with respect to the states before the first step, [sample][unit]; or 0. */
  dHidden: usize;
  dCells: usize;
  /** Packed by `packPanelsTransposed`; that of a GRU's candidate alone where r comes before it. */
  kernelTransposed: usize;
  recurrentTransposed: usize;
  candidateTransposed: usize;

  /** xᵀ and below it hᵀ and (r ⊙ h)ᵀ, [number][step][sample], each row `turnedRow` bytes. */
  turned: usize;
  turnedRow: usize;
  /** dz of all steps. */
  inputPanels: usize;
  recurrentPanels: usize;
  /** dz of one step, and of a GRU's candidate alone. */
  inputRows: usize;
  recurrentRows: usize;
  candidateRows: usize;
  dzRow: usize;
  /** dh [sample][dhRow bytes] and dc [panel][sample][4]; d(r ⊙ h) as dh. */
  dh: usize;
  dhRow: usize;
  dc: usize;
  dReset: usize;
  /** dx of one step, [sample][dxRow bytes], and where it goes, [sample][timestep][input]; or 0. */
  dxStep: usize;
  dxRow: usize;
  dx: usize;

  /** Gradients with respect to the weights, in panels. */
  dKernel: usize;
  dRecurrentKernel: usize;
  dBias: usize;
  dRecurrentBias: usize;
  /** 64 bytes of zeros. */
  zeros: usize;
}

/** The plan of the run that it goes back through. */
// @ts-ignore: decorator
@inline
export function forwardOf(backward: GatedBackwardPlan): GatedPlan {
  return changetype<GatedPlan>(backward.forward);
}
