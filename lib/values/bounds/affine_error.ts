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
  // Parts one below the other, so that W is read once: value, fresh, error, local.
  const sameLocal = terms.every(([x]) => x.local === x.error);
  const isMoved = terms.some(([x]) => hasAny(x.error));
  const movesLocal = !sameLocal && terms.some(([x]) => hasAny(x.local));
  const parts = 2 + Number(isMoved) + Number(movesLocal);
  const sums = new Float64Array(parts * length);
  const part = (k: number) => sums.subarray(k * length, (k + 1) * length);
  const [value, fresh] = [part(0), part(1)];
  for (let k = 0, c = 0; k < length; k++, c = ++c === columns ? 0 : c) {
    if (bias !== undefined) value[k] = bias.value[c]!;
    fresh[k] = bias === undefined
      ? SMALLEST
      : SMALLEST + (rounding * Math.abs(bias.value[c]!) + bias.error[c]!);
  }
  const factors = terms.map(([x, W]): Factors => {
    const { length: size } = x.value;
    const all = new Float64Array(parts * size);
    all.set(x.value);
    putScaled(all, size, x.value, rounding);
    if (isMoved) putScaled(all, 2 * size, x.error, 1 + rounding);
    if (movesLocal) putScaled(all, size * (parts - 1), x.local, 1 + rounding);
    return [all, W.value];
  });
  addProducts(product, sums, factors, columns, rows);
  const off = terms.filter(([, W]) => isOff(W.error));
  if (off.length > 0) {
    const ofWeights = off.map(([x, W]): Factors => [x.value.map(Math.abs), W.error]);
    addProducts(product, fresh, ofWeights, columns);
  }
  const withFresh = (moved: Floats) => {
    for (let k = 0; k < length; k++) moved[k] = moved[k]! + fresh[k]!;
    return moved;
  };
  const error = isMoved ? withFresh(part(2)) : fresh.slice();
  const local = () => movesLocal ? withFresh(part(parts - 1)) : fresh.slice();
  return {
    shape: first.shape.with(-1, columns),
    value,
    error,
    local: sameLocal ? error : local(),
    fresh,
  };
}

/** Whether any is not 0. */
function hasAny(errors: Floats): boolean {
  for (let k = 0; k < errors.length; k++) if (errors[k] !== 0) return true;
  return false;
}

/** |x| times a factor that is not negative. */
function putScaled(into: Floats, to: number, x: Floats, factor: number): void {
  for (let k = 0; k < x.length; k++) into[to + k] = Math.abs(x[k]!) * factor;
}

/** Whether any of the matrix's numbers is off; asked once of each. */
export function isOff(error: Floats): boolean {
  const known = offs.get(error) ?? hasAny(error);
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
