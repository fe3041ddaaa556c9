// What an equation is written in. What a value is, an interpreter says (lib/values): numbers, numbers
// with their gradients, with bounds of their rounding errors, or texts.

import type { Activation } from "./activations.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Numbers that lie side by side, on their way to other places: four whole numbers each, which of the
 * sources, from where, to where, and how many.
 */
export type Moves = readonly number[];

/** The operations of all equations, over any kind of value. */
export interface Ops<V> {
  /** A value from outside: an input, a weight, a constant. */
  given(x: Tensor): V;
  /** A state of an earlier run; as it is given unless an interpreter knows better. */
  remembered?(x: Tensor): V;
  /** The numbers of a value, `[batch, …]`: what a mask or a shape is read from. */
  numbers(x: V): Tensor;
  /** Σ xₖ·Wₖ + b over the last axis. */
  affine(terms: readonly (readonly [x: V, W: V])[], b?: V): V;
  /** Batches of matrices: `[…, m, k]` times `[…, k, n]`. */
  matmul(a: V, b: V): V;
  /**
   * Σ aₖ ⊙ bₖ; one operation, so that its rounding can be bounded as a whole. A shorter shape that is
   * the tail of a longer one repeats for every row.
   */
  sumOfProducts(...pairs: readonly (readonly [a: V, b: V])[]): V;
  /** Σ xₖ; shapes as in `sumOfProducts`. */
  add(...xs: readonly V[]): V;
  /** factor · x */
  scale(x: V, factor: number): V;
  /** 1 − x */
  oneMinus(x: V): V;
  /** The largest number of each row: `[…, n]` becomes `[…]`. */
  largest(x: V): V;
  /** f(x), of each number or of each row. */
  apply(f: Activation, x: V): V;
  /** The last axis in so many parts. */
  blocks(x: V, count: number): V[];
  /** The same numbers in another shape. */
  reshape(x: V, shape: readonly number[]): V;
  /** Numbers of the sources at other places; 0 where nothing is moved to. */
  arrange(shape: readonly number[], sources: readonly V[], moves: Moves): V;
}
