// x·W + b with its errors: most of what a run computes.

import type { Estimate, Floats, Matrix } from "./estimate.ts";
import { distance, gamma, SMALLEST } from "./float32.ts";

/** A factor `[…, rows]` and its matrix. */
export type AffineTerm = readonly [Estimate, Matrix];

/**
 * Σ xₖ·Wₖ + b over the last axis. In whatever order float32 adds, each of its n terms is rounded n
 * times at most, so that γₙ Σ|x|·|W| + γₙ|b| is what rounding adds (Higham 2002, section 3.1).
 */
export function affineErrors(
  terms: readonly AffineTerm[],
  bias?: Floats,
): Omit<Estimate, "back"> {
  const [first, { columns }] = terms[0]!;
  const rows = first.value.length / first.shape.at(-1)!;
  // One more where a library adds two biases.
  const n = terms.reduce((sum, [, W]) => sum + W.rows, bias === undefined ? 0 : 2);
  const [rounding, weightErrors] = [gamma(n), terms.map(([, W]) => float32Error(W.data))];
  const value = new Float64Array(rows * columns);
  const fresh = new Float64Array(rows * columns).fill(SMALLEST);
  const error = new Float64Array(rows * columns);
  const sameLocal = terms.every(([x]) => x.local === x.error);
  const local = sameLocal ? error : new Float64Array(rows * columns);
  const biasError = bias && float32Error(bias);
  for (let r = 0; r < rows; r++) {
    const out = r * columns;
    for (let c = 0; bias !== undefined && c < columns; c++) {
      value[out + c] = bias[c]!;
      fresh[out + c]! += rounding * Math.abs(bias[c]!) + (biasError?.[c] ?? 0);
    }
    terms.forEach(([x, { data, rows: length }], t) => {
      const off = weightErrors[t];
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
        if (off !== undefined) {
          for (let c = 0; c < columns; c++) fresh[out + c]! += Math.abs(v) * off[row + c]!;
        }
      }
    });
  }
  addTo(error, fresh);
  if (!sameLocal) addTo(local, fresh);
  return { shape: first.shape.with(-1, columns), value, error, local, fresh };
}

/** gradient·Wᵀ, row by row, added to what is there. */
export function backAffine(gradient: Floats, { data, rows, columns }: Matrix, into: Floats): void {
  const count = gradient.length / columns;
  for (let r = 0; r < count; r++) {
    for (let j = 0; j < rows; j++) {
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += gradient[r * columns + c]! * data[j * columns + c]!;
      into[r * rows + j]! += sum;
    }
  }
}

/** How far float32 is off in numbers that it cannot hold; undefined where it holds all. */
function float32Error(data: Floats): Floats | undefined {
  const known = float32Errors.get(data);
  if (known !== undefined) return known.length === 0 ? undefined : known;
  const exact = data.every((v) => Object.is(Math.fround(v), v) || Number.isNaN(v));
  const errors = exact ? new Float64Array() : data.map((v) => distance(Math.fround(v), v) || 0);
  float32Errors.set(data, errors);
  return exact ? undefined : errors;
}
const float32Errors = new WeakMap<Floats, Floats>();

function addTo(into: Floats, more: Floats): void {
  for (let k = 0; k < into.length; k++) into[k]! += more[k]!;
}
