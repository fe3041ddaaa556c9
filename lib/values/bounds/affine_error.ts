// x·W + b with its errors: most of what a run computes.

import { type Product, productBy } from "../product.ts";
import type { Estimate, Floats } from "./estimate.ts";
import { gamma, SMALLEST } from "./float32.ts";

/** A factor `[…, rows]` and its matrix `[rows, columns]`, which was given. */
export type AffineTerm = readonly [Estimate, Estimate];

/**
 * Σ xₖ·Wₖ + b over the last axis. In whatever order float32 adds, each of its n terms is rounded n
 * times at most, so that γₙ Σ|x|·|W| + γₙ|b| is what rounding adds (Higham 2002, section 3.1).
 */
export function affineErrors(
  terms: readonly AffineTerm[],
  bias: Estimate | undefined,
  product: Product,
): Omit<Estimate, "back" | "origin" | "order"> {
  const [first, { shape: [, columns = 1] }] = terms[0]!;
  const { length } = first.shape;
  const rows = first.value.length / first.shape[length - 1]!;
  // One more where a library adds two biases.
  const n = terms.reduce((sum, [, W]) => sum + W.shape[0]!, bias === undefined ? 0 : 2);
  const rounding = gamma(n);
  let value = bias === undefined ? new Float64Array(columns) : bias.value;
  let fresh = new Float64Array(columns);
  for (let c = 0; c < columns; c++) {
    fresh[c] = SMALLEST;
    if (bias !== undefined) fresh[c]! += rounding * Math.abs(bias.value[c]!) + bias.error[c]!;
  }
  const [none, sameLocal] = [new Float64Array(columns), terms.every(([x]) => x.local === x.error)];
  let [error, local] = [none, none];
  for (const [x, W] of terms) {
    const sizes = sizesOf(W.value);
    const add = (sum: Floats, factors: Floats, matrix = sizes) =>
      productBy(product, factors, matrix, columns, sum);
    value = add(value, x.value, W.value);
    fresh = add(fresh, scaled(sizesOf(x.value, false), rounding));
    if (isOff(W.error)) fresh = add(fresh, sizesOf(x.value, false), W.error);
    if (x.error.some(isNot0)) error = add(error, scaled(x.error, 1 + rounding));
    if (!sameLocal && x.local.some(isNot0)) local = add(local, scaled(x.local, 1 + rounding));
  }
  const whole = plus(error, fresh, rows * columns);
  return {
    shape: first.shape.with(-1, columns),
    value,
    error: whole,
    local: sameLocal ? whole : plus(local, fresh, rows * columns),
    fresh,
  };
}

const isNot0 = (e: number) => e !== 0;

/** |x|; of a matrix kept, since it meets many rows. */
function sizesOf(x: Floats, isKept = true): Floats {
  const known = isKept ? sizes.get(x) : undefined;
  if (known !== undefined) return known;
  const found = new Float64Array(x.length);
  for (let k = 0; k < x.length; k++) found[k] = Math.abs(x[k]!);
  if (isKept) sizes.set(x, found);
  return found;
}
const sizes = new WeakMap<Floats, Floats>();

function scaled(x: Floats, factor: number): Floats {
  const found = new Float64Array(x.length);
  for (let k = 0; k < x.length; k++) found[k] = x[k]! * factor;
  return found;
}

/** a + b, where a may be one row for all. */
function plus(a: Floats, b: Floats, length: number): Floats {
  const found = new Float64Array(length);
  if (a.length === length) { for (let k = 0; k < length; k++) found[k] = a[k]! + b[k]!; }
  else found.set(b); // a row of zeros
  return found;
}

/** Whether any of the matrix's numbers is off; asked once of each. */
export function isOff(error: Floats): boolean {
  const known = offs.get(error) ?? error.some((e) => e !== 0);
  offs.set(error, known);
  return known;
}
const offs = new WeakMap<Floats, boolean>();

/** gradient·Wᵀ, row by row, added to what is there. */
export function backAffine(gradient: Floats, W: Estimate, into: Floats, product: Product): void {
  const [rows, columns] = W.shape as [number, number];
  let turned = transposed.get(W.value);
  if (turned === undefined) {
    turned = new Float64Array(W.value.length);
    for (let j = 0; j < rows; j++) {
      for (let c = 0; c < columns; c++) turned[c * rows + j] = W.value[j * columns + c]!;
    }
    transposed.set(W.value, turned);
  }
  into.set(productBy(product, gradient, turned, rows, into));
}
const transposed = new WeakMap<Floats, Floats>();
