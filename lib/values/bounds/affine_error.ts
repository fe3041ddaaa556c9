// x·W + b with its errors: most of what a run computes.

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
  bias?: Estimate,
): Omit<Estimate, "back" | "origin"> {
  const [first, { shape: [, columns = 1] }] = terms[0]!;
  const rows = first.value.length / first.shape.at(-1)!;
  // One more where a library adds two biases.
  const n = terms.reduce((sum, [, W]) => sum + W.shape[0]!, bias === undefined ? 0 : 2);
  const rounding = gamma(n);
  const value = new Float64Array(rows * columns);
  const fresh = new Float64Array(rows * columns).fill(SMALLEST);
  const error = new Float64Array(rows * columns);
  const sameLocal = terms.every(([x]) => x.local === x.error);
  const local = sameLocal ? error : new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const out = r * columns;
    for (let c = 0; bias !== undefined && c < columns; c++) {
      value[out + c] = bias.value[c]!;
      fresh[out + c]! += rounding * Math.abs(bias.value[c]!) + bias.error[c]!;
    }
    for (const [x, { value: data, shape: [length = 0], error: off }] of terms) {
      for (let j = 0; j < length; j++) {
        const at = r * length + j;
        const [v, e, l] = [x.value[at]!, x.error[at]!, x.local[at]!];
        const magnitude = rounding * Math.abs(v);
        const row = j * columns;
        for (let c = 0; c < columns; c++) {
          const w = data[row + c]!;
          const W = Math.abs(w);
          value[out + c]! += v * w;
          fresh[out + c]! += magnitude * W;
          if (e !== 0) error[out + c]! += e * W * (1 + rounding);
          if (!sameLocal && l !== 0) local[out + c]! += l * W * (1 + rounding);
        }
        if (isOff(off)) {
          for (let c = 0; c < columns; c++) fresh[out + c]! += Math.abs(v) * off[row + c]!;
        }
      }
    }
  }
  addTo(error, fresh);
  if (!sameLocal) addTo(local, fresh);
  return { shape: first.shape.with(-1, columns), value, error, local, fresh };
}

/** Whether any of the matrix's numbers is off; asked once of each. */
export function isOff(error: Floats): boolean {
  const known = offs.get(error) ?? error.some((e) => e !== 0);
  offs.set(error, known);
  return known;
}
const offs = new WeakMap<Floats, boolean>();

/** gradient·Wᵀ, row by row, added to what is there. */
export function backAffine(gradient: Floats, W: Estimate, into: Floats): void {
  const [data, [rows, columns]] = [W.value, W.shape as [number, number]];
  const count = gradient.length / columns;
  for (let r = 0; r < count; r++) {
    for (let j = 0; j < rows; j++) {
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += gradient[r * columns + c]! * data[j * columns + c]!;
      into[r * rows + j]! += sum;
    }
  }
}

function addTo(into: Floats, more: Floats): void {
  for (let k = 0; k < into.length; k++) into[k]! += more[k]!;
}
