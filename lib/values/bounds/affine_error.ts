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
  const rows = first.value.length / first.shape.at(-1)!;
  // One more where a library adds two biases.
  const n = terms.reduce((sum, [, W]) => sum + W.shape[0]!, bias === undefined ? 0 : 2);
  const rounding = gamma(n);
  let value = bias === undefined ? new Float64Array(columns) : bias.value;
  const length = rows * columns;
  // Three parts one below the other, so that |W| is read once: fresh, error, local.
  const sameLocal = terms.every(([x]) => x.local === x.error);
  const isMoved = terms.some(([x]) => x.error.some(isNot0));
  const movesLocal = !sameLocal && terms.some(([x]) => x.local.some(isNot0));
  const parts = 1 + Number(isMoved) + Number(movesLocal);
  let sums = new Float64Array(parts * length);
  for (let k = 0, c = 0; k < length; k++, c = ++c === columns ? 0 : c) {
    sums[k] = bias === undefined
      ? SMALLEST
      : SMALLEST + (rounding * Math.abs(bias.value[c]!) + bias.error[c]!);
  }
  for (const [x, W] of terms) {
    const { length: size } = x.value;
    value = productBy(product, x.value, W.value, columns, value);
    const factors = new Float64Array(parts * size);
    putScaled(factors, 0, x.value, rounding);
    if (isMoved) putScaled(factors, size, x.error, 1 + rounding);
    if (movesLocal) putScaled(factors, size * (parts - 1), x.local, 1 + rounding);
    sums = productBy(product, factors, sizesOf(W.value), columns, sums);
    if (!isOff(W.error)) continue;
    const fresh = sums.subarray(0, length);
    fresh.set(productBy(product, x.value.map(Math.abs), W.error, columns, fresh));
  }
  const fresh = sums.subarray(0, length);
  const withFresh = (part: number) => {
    const found = fresh.slice();
    for (let k = 0, from = part * length; k < length; k++) found[k] = sums[from++]! + found[k]!;
    return found;
  };
  const error = isMoved ? withFresh(1) : fresh.slice();
  const local = () => movesLocal ? withFresh(parts - 1) : fresh.slice();
  return {
    shape: first.shape.with(-1, columns),
    value,
    error,
    local: sameLocal ? error : local(),
    fresh,
  };
}

const isNot0 = (e: number) => e !== 0;

/** |W|, kept, since it meets many rows. */
function sizesOf(W: Floats): Floats {
  const known = sizes.get(W);
  if (known !== undefined) return known;
  const found = W.map(Math.abs);
  sizes.set(W, found);
  return found;
}
const sizes = new WeakMap<Floats, Floats>();

/** |x| times a factor that is not negative. */
function putScaled(into: Floats, to: number, x: Floats, factor: number): void {
  for (let k = 0; k < x.length; k++) into[to + k] = Math.abs(x[k]!) * factor;
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
