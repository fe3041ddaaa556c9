// What an equation of one's own is written in: the operations, and what is put together from them.

import { type Activation, type ActivationName, getActivation } from "./activations.ts";
import { join, shapeOf } from "./arrange.ts";
import { inverse, logarithm } from "./functions.ts";
import type { Ops } from "./ops.ts";

/**
 * The operations of an equation of one's own, over any kind of value: numbers, numbers with their
 * gradients, with bounds of their rounding errors. Whoever writes with them alone gets training and
 * {@linkcode prove} as well.
 */
export interface Equations<V> extends Ops<V> {
  /** f(x), of each number or of each row; by Keras's name too: `apply("softplus", x)`. */
  apply(f: Activation | ActivationName, x: V): V;
  /** σ(x) = 1 / (1 + e⁻ˣ) */
  sigmoid(x: V): V;
  /** tanh x */
  tanh(x: V): V;
  /** eˣ */
  exp(x: V): V;
  /** ln x */
  log(x: V): V;
  /** a ⊙ b */
  multiply(a: V, b: V): V;
  /** a / b, number by number */
  divide(a: V, b: V): V;
  /** a − b */
  subtract(a: V, b: V): V;
  /** The larger of a and b, number by number; both of one shape. */
  max(a: V, b: V): V;
  /** The smaller of a and b, number by number; both of one shape. */
  min(a: V, b: V): V;
}

const known = new WeakMap<object, unknown>();

/** The same operations with those that are put together from them. */
export function equationsOf<V>(o: Ops<V>): Equations<V> {
  const found = known.get(o as object);
  if (found !== undefined) return found as Equations<V>;
  const apply = (f: Activation | ActivationName, x: V) =>
    o.apply(typeof f === "string" ? getActivation(f) : f, x);
  const negative = (x: V) => o.scale(x, -1);
  const max = (a: V, b: V) => {
    const each = [a, b].map((x) => o.reshape(x, [...shapeOf(o, x), 1]));
    return o.largest(join(o, each));
  };
  const equations: Equations<V> = {
    given: (x) => o.given(x),
    ...(o.remembered && { remembered: (x) => o.remembered!(x) }),
    numbers: (x) => o.numbers(x),
    affine: (terms, b) => o.affine(terms, b),
    matmul: (a, b) => o.matmul(a, b),
    sumOfProducts: (...pairs) => o.sumOfProducts(...pairs),
    add: (...xs) => o.add(...xs),
    scale: (x, factor) => o.scale(x, factor),
    oneMinus: (x) => o.oneMinus(x),
    largest: (x) => o.largest(x),
    blocks: (x, count) => o.blocks(x, count),
    reshape: (x, shape) => o.reshape(x, shape),
    arrange: (shape, sources, moves) => o.arrange(shape, sources, moves),
    apply,
    sigmoid: (x) => apply("sigmoid", x),
    tanh: (x) => apply("tanh", x),
    exp: (x) => apply("exponential", x),
    log: (x) => o.apply(logarithm, x),
    multiply: (a, b) => o.sumOfProducts([a, b]),
    divide: (a, b) => o.sumOfProducts([a, o.apply(inverse, b)]),
    subtract: (a, b) => o.add(a, negative(b)),
    max,
    min: (a, b) => negative(max(negative(a), negative(b))),
  };
  known.set(o as object, equations);
  known.set(equations, equations);
  return equations;
}
