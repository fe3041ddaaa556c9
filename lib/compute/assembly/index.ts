// What JavaScript calls. Addresses are bytes in the memory, which JavaScript alone hands out.

import { denseForward, DensePlan } from "./dense";
import { denseBackward as backwardThroughDense, DenseBackwardPlan } from "./dense_backward";
import { gatedForward } from "./gated";
import { gatedBackward as backwardThroughGated } from "./gated_backward";
import { GatedBackwardPlan } from "./gated_backward_plan";
import { GatedPlan } from "./gated_plan";
import { pool as poolWindows, poolBackward as poolWindowsBackward, PoolingPlan } from "./pooling";

export { adamStep } from "./adam";
export { peak } from "./fma";
export { activateArray, slopeArray } from "./four";
export { trial, wide } from "./gemm";
export { addArray } from "./gemm_transposed";
export { packPanels, packPanelsTransposed, unpackPanels } from "./pack";

const GATED: i32 = 0;

/** Bytes from one plan to the next. */
export const PLAN_BYTES: usize = 192;
/** Where the memory is free to be handed out. */
export const FREE_FROM: usize = __heap_base;

/** Plans that follow each other in memory, each reading where the one before it wrote. */
export function forward(first: usize, count: i32): void {
  for (let k = 0; k < count; k++) {
    if (load<i32>(first) == GATED) gatedForward(changetype<GatedPlan>(first));
    else denseForward(changetype<DensePlan>(first));
    first += PLAN_BYTES;
  }
}

export function gatedBackward(plan: usize): void {
  backwardThroughGated(changetype<GatedBackwardPlan>(plan));
}

export function denseBackward(plan: usize): void {
  backwardThroughDense(changetype<DenseBackwardPlan>(plan));
}

export function pool(plan: usize): void {
  poolWindows(changetype<PoolingPlan>(plan));
}

export function poolBackward(plan: usize): void {
  poolWindowsBackward(changetype<PoolingPlan>(plan));
}
