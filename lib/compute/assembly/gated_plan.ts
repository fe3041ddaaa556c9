// What a gated cell's forward pass needs to know, and where its arrays are.

import { LINE } from "./tiles";

export const LSTM: i32 = 0;
export const GRU: i32 = 1;
export const GRU_BEFORE: i32 = 2;
export const SIMPLE_RNN: i32 = 3;

/**
 * Sizes, and where the arrays are, in the order in which ../gated_layer.ts writes them.
 *
 * Units go in groups, of an LSTM's 4, of another cell's 16. A group's panels hold its blocks one
 * after the other: i f c̃ o of 4 units are one panel, z r h̃ of 16 units are three.
 */
@unmanaged
export class GatedPlan {
  layerKind: i32;
  cell: i32;
  batch: i32;
  timesteps: i32;
  inputSize: i32;
  units: i32;
  blocks: i32;
  groups: i32;
  panels: i32;
  activation: i32;
  recurrentActivation: i32;
  activationAlpha: f32;
  recurrentActivationAlpha: f32;

  /**
   * x of the first step, and how far away the next step and the next sample are: 0 where all samples
   * have the same x.
   */
  x: usize;
  /** Where x's first number is: that of the last step, when going backwards. */
  xStart: usize;
  xStep: usize;
  xSample: usize;

  /** Packed by `packPanels`; the recurrent bias is a GRU's second one, where it has two. */
  kernel: usize;
  recurrentKernel: usize;
  bias: usize;
  recurrentBias: usize;

  /**
   * z, then the gates in its place, [step][panel][sample][16]: `chunk` steps at a time, of which
   * with keepSlots all stay.
   */
  gates: usize;
  chunk: i32;

  /** h [slot][sample][hiddenRow bytes]; slot 0 is the initial state. */
  hidden: usize;
  hiddenRow: usize;
  /** An LSTM's c [slot][panel][sample][4]. */
  cells: usize;
  /** A GRU's h·U + b as the gates are, or, reset before, r ⊙ h as h is; kept where slots are. */
  product: usize;
  productStep: usize;
  /** Two slots taking turns, or timesteps + 1 of them for a backward pass. */
  keepSlots: i32;
  /** The initial state, laid out as a slot is; 0 for zeros. */
  initialHidden: usize;
  initialCells: usize;

  /** Where to record [sample][timestep][unit], 0 for nowhere: the blocks, c and h. */
  recordBlocks: usize;
  recordBlock1: usize;
  recordBlock2: usize;
  recordBlock3: usize;
  recordCell: usize;
  recordHidden: usize;
  /** Where to leave the last hidden state [sample][unit]. */
  last: usize;
}

// @ts-ignore: decorator
@inline
export function slotOf(plan: GatedPlan, t: i32): i32 {
  return plan.keepSlots ? t : t & 1;
}

/** h before step t, or after the step before it. */
// @ts-ignore: decorator
@inline
export function hiddenBefore(plan: GatedPlan, t: i32): usize {
  return plan.hidden + <usize>(slotOf(plan, t) * plan.batch) * plan.hiddenRow;
}

/** Bytes from one panel's z to the next one's. */
// @ts-ignore: decorator
@inline
export function panelBytes(plan: GatedPlan): usize {
  return <usize>plan.batch * LINE;
}

// @ts-ignore: decorator
@inline
export function gatesOf(plan: GatedPlan, t: i32): usize {
  const stepBytes = <usize>plan.panels * panelBytes(plan);
  return plan.gates + <usize>(plan.keepSlots ? t : t % plan.chunk) * stepBytes;
}

// @ts-ignore: decorator
@inline
export function productOf(plan: GatedPlan, t: i32): usize {
  return plan.product + <usize>t * plan.productStep;
}
