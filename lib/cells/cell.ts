// What a gated cell is: its gates, its states, and one step of it.

import type { Activation } from "../values/activations.ts";
import type { Ops } from "../values/ops.ts";

/** A cell's arrays, the gates' blocks side by side. */
export interface CellWeights<V> {
  readonly W: V; // [inputSize, gates·units]
  readonly U: V; // [units, gates·units]
  readonly b: V | undefined; // [gates·units]; of a cell with two biases [2, gates·units]
  /** All arrays in the layer's order, which is what a cell of one's own reads. */
  readonly all?: readonly V[] | undefined;
}

/** A cell's two functions. */
export interface CellFunctions {
  readonly φ: Activation;
  readonly σ: Activation;
}

/** Factors that drop parts of x and of h, one for each gate: `[batch, size]` each. */
export interface CellDropout<V> {
  readonly x?: readonly V[] | undefined;
  readonly h?: readonly V[] | undefined;
}

/** What a step has besides its values. */
export interface CellStep<V> extends CellWeights<V>, CellFunctions {
  readonly drop: CellDropout<V>;
  /** A named site: what it returns is used in the value's place. */
  readonly at: (site: string, value: V) => V;
}

/** A gated cell. */
export interface Cell {
  /** Keras's name: `LSTM`. */
  readonly kind: string;
  /** In the order of the fused blocks, Keras's. */
  readonly gates: readonly string[];
  /** What goes from step to step; the last one is handed on. */
  readonly states: readonly string[];
  /** The named sites of a step, in the order in which it passes them. */
  readonly sites: readonly string[];
  /** How many rows of biases it has: 2 where the recurrent kernel has its own. */
  readonly biases: 1 | 2;
  /** Which of the two functions it has; a cell of one's own writes its functions itself. */
  readonly functions: readonly ("φ" | "σ")[];
  /** The names of its arrays, where they are not Keras's, and the gates side by side in each. */
  readonly arrays?: readonly string[];
  readonly arrayGates?: readonly (readonly string[])[];
  /** What a trace calls it, where another cell has the same gates and states. Default: nothing. */
  readonly traceName?: string;
  /** The states after a step, from those before it; `[batch, units]` each. */
  readonly step: <V>(o: Ops<V>, x: V, before: readonly V[], cell: CellStep<V>) => V[];
}

/** How many blocks lie side by side in a cell's arrays: a SimpleRNN has no gate, and one block. */
export function blocksOf({ gates }: Cell): number {
  return Math.max(1, gates.length);
}

/** A value, by what multiplies it. */
export interface Term<V> {
  readonly x: V;
  readonly W: V;
  /** Dropout's factors of x, for each block. */
  readonly drop?: readonly V[] | undefined;
}

/** Σ x·W + b, by block; with dropout, each block meets its own x. */
export function projections<V>(
  o: Ops<V>,
  terms: readonly Term<V>[],
  b: V | undefined,
  count: number,
): V[] {
  if (terms.every(({ drop }) => drop === undefined)) {
    return o.blocks(o.affine(terms.map(({ x, W }) => [x, W]), b), count);
  }
  const bs = b === undefined ? undefined : o.blocks(b, count);
  const parts = terms.map(({ W }) => o.blocks(W, count));
  return parts[0]!.map((_, k) =>
    o.affine(terms.map(({ x, drop }, n) => [dropped(o, x, drop, k), parts[n]![k]!]), bs?.[k])
  );
}

/** The value as the k-th block meets it. */
export function dropped<V>(o: Ops<V>, x: V, drop: readonly V[] | undefined, k: number): V {
  return drop === undefined ? x : o.sumOfProducts([x, drop[k]!]);
}

/** z = x·W + h·U + b, by gate. */
export function preActivations<V>(
  o: Ops<V>,
  x: V,
  h: V,
  { W, U, b, drop }: Pick<CellStep<V>, "W" | "U" | "b" | "drop">,
  count: number,
): V[] {
  return projections(o, [{ x, W, drop: drop.x }, { x: h, W: U, drop: drop.h }], b, count);
}
