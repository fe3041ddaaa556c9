// A running error analysis (Wilkinson 1963; Higham 2002, section 3.3): beside each float64 value of a
// run stands how far a float32 computation of it may be off, which is what its operands bring along
// and what its own operation adds.

import type { Origin } from "../origin.ts";

/** The error of what may be anything; small enough for products of two, so that no NaN comes of it. */
export const UNBOUNDED: number = 1e150;

/** Numbers of one kind. */
export type Floats = Float64Array<ArrayBuffer>;

/** Values of a run, `[batch, …]`, and how far float32 may be off in each. */
export interface Estimate {
  readonly shape: readonly number[];
  /** By the equations, in float64. */
  readonly value: Floats;
  /** |float32 − value| is at most this. */
  readonly error: Floats;
  /** The same, if what was given before had been exact; the same array where nothing was given. */
  readonly local: Floats;
  /**
   * The part of it that this operation adds by its own rounding, computed when it is asked for; none
   * where it only moves numbers.
   */
  readonly fresh: (() => Floats) | undefined;
  /** From the gradient with respect to this value, adds to those with respect to its operands. */
  readonly back: ((gradient: Floats, of: (operand: Estimate) => Floats) => void) | undefined;
  readonly origin: Origin<Estimate>;
  /** Operands have a smaller one. */
  readonly order: number;
}

/** What an operation adds by itself, where that is computed: it holds on to nothing else of the step. */
export function already(fresh: Floats): () => Floats {
  return () => fresh;
}
