// What JavaScript calls. Addresses are bytes in the memory, which JavaScript alone hands out.

import { denseForward, DensePlan } from "./dense";
import { lstmForward, LstmPlan } from "./lstm";

export { activateArray } from "./activations";
export { peak } from "./fma";
export { packColumns, packGates, unpackGates } from "./pack";

const LSTM: i32 = 0;

/** Plans that follow each other in memory, PLAN_BYTES apart, each reading where the last one wrote. */
export function forward(first: usize, count: i32): void {
  for (let k = 0; k < count; k++) {
    if (load<i32>(first) == LSTM) lstmForward(changetype<LstmPlan>(first));
    else denseForward(changetype<DensePlan>(first));
    first += PLAN_BYTES;
  }
}

export const PLAN_BYTES: usize = 192;
/** Where the memory is free to be handed out. */
export const FREE_FROM: usize = __heap_base;
