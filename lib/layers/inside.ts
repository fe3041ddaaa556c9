import type { Cell, CellFunctions } from "../cells/cell.ts";
import type { Recurrence } from "../cells/recurrence.ts";
import type { Mask } from "./layer.ts";

/** What happened inside of a recurrent layer: each step, and what it was computed from. */
export interface Inside<V> {
  /** `lstm`, `bidirectional/forward_layer`, … */
  readonly name: string;
  readonly cell: Cell;
  readonly recurrence: Recurrence<V>;
  readonly x: V; // [batch, timesteps, inputSize]
  readonly weights: readonly V[]; // in Keras's order
  readonly functions: CellFunctions;
  readonly goBackwards: boolean;
  readonly mask: Mask | undefined;
  /** Where it started; undefined is zeros. */
  readonly before: readonly V[] | undefined;
  /** Whether it hands on all hidden states, not the last one alone. */
  readonly returnSequences: boolean;
}
