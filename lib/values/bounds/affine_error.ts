// x·W + b with its errors: most of what a run computes.

import { addProducts, type Factors, type Product } from "../product.ts";
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
  const length = rows * columns;
  // |W| meets γ|x| and what x brings along in one product. Parts one below the other, so that W is
  // read once: value, error, local.
  const sameLocal = terms.every(([x]) => x.local === x.error);
  const parts = sameLocal ? 2 : 3;
  const sums = new Float64Array(parts * length);
  const part = (k: number) => sums.subarray(k * length, (k + 1) * length);
  // What b and W themselves are off by; a row is the same for all.
  const own = new Float64Array(columns).fill(SMALLEST);
  for (let c = 0; bias !== undefined && c < columns; c++) {
    own[c] = own[c]! + (rounding * Math.abs(bias.value[c]!) + bias.error[c]!);
  }
  const off = terms.filter(([, W]) => isOff(W.error));
  const putOwn = (into: Floats) => {
    putRows(own, into);
    if (off.length === 0) return into;
    const ofWeights = off.map(([x, W]): Factors => [x.value.map(Math.abs), W.error]);
    addProducts(product, into, ofWeights, columns);
    return into;
  };
  if (bias !== undefined) putRows(bias.value, part(0));
  const error = putOwn(part(1));
  const local = sameLocal ? error : part(2);
  if (!sameLocal) local.set(error);
  const factors = terms.map(([x, W]): Factors => {
    const { length: size } = x.value;
    const all = new Float64Array(parts * size);
    all.set(x.value);
    putErrors(all, size, x.value, rounding, x.error);
    if (!sameLocal) putErrors(all, 2 * size, x.value, rounding, x.local);
    return [all, W.value];
  });
  addProducts(product, sums, factors, columns, rows);
  let fresh: Floats | undefined;
  const freshOf = () => {
    const found = putOwn(new Float64Array(length));
    const rounded = terms.map(([x, W]): Factors => [
      x.value.map((v) => rounding * Math.abs(v)),
      W.value,
    ]);
    addProducts(product, found, rounded, columns, 0);
    return found;
  };
  return {
    shape: first.shape.with(-1, columns),
    value: part(0),
    error,
    local,
    fresh: () => fresh ??= freshOf(),
  };
}

/** The same row, one after the other. */
function putRows(row: Floats, into: Floats): void {
  for (let k = 0; k < into.length; k += row.length) into.set(row, k);
}

/** γ|x| + (1 + γ) · error */
function putErrors(into: Floats, to: number, x: Floats, γ: number, error: Floats): void {
  for (let k = 0; k < x.length; k++) into[to + k] = γ * Math.abs(x[k]!) + (1 + γ) * error[k]!;
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
  addProducts(product, into, [[gradient, turned]], rows);
}
const transposed = new WeakMap<Floats, Floats>();
