// What a gated cell is: its gates, its states, and one step of it.

import type { Activation } from "../values/activations.ts";
import type { Ops } from "../values/ops.ts";

/** A cell's arrays, the gates' blocks side by side. */
export interface CellWeights<V> {
  readonly W: V; // [inputSize, gates·units]
  readonly U: V; // [units, gates·units]
  readonly b: V | undefined; // [gates·units]
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
  /** The states after a step, from those before it; `[batch, units]` each. */
  readonly step: <V>(o: Ops<V>, x: V, before: readonly V[], cell: CellStep<V>) => V[];
}

/** z = x·W + h·U + b, by gate; with dropout, each gate's block meets its own x and h. */
export function preActivations<V>(
  o: Ops<V>,
  x: V,
  h: V,
  { W, U, b, drop }: Pick<CellStep<V>, "W" | "U" | "b" | "drop">,
  gates: number,
): V[] {
  if (drop.x === undefined && drop.h === undefined) {
    return o.blocks(o.affine([[x, W], [h, U]], b), gates);
  }
  const [Ws, Us] = [o.blocks(W, gates), o.blocks(U, gates)];
  const bs = b === undefined ? undefined : o.blocks(b, gates);
  const dropped = (value: V, factors: readonly V[] | undefined, k: number) =>
    factors === undefined ? value : o.sumOfProducts([value, factors[k]!]);
  return Ws.map((_, k) =>
    o.affine([[dropped(x, drop.x, k), Ws[k]!], [dropped(h, drop.h, k), Us[k]!]], bs?.[k])
  );
}
