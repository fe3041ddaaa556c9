// How float32 rounds (IEEE 754; Higham 2002, "Accuracy and Stability of Numerical Algorithms").

/** u, the unit roundoff: a result is off by at most u, relatively. */
export const UNIT_ROUNDOFF: number = 2 ** -24;

/** The smallest normal float32: what is below, many libraries take for 0. */
export const SMALLEST: number = 2 ** -126;

/** γₙ = n·u / (1 − n·u): n roundings, one upon the other (Higham 2002, lemma 3.1). */
export function gamma(n: number): number {
  const nu = n * UNIT_ROUNDOFF;
  return nu < 1 ? nu / (1 - nu) : Infinity;
}

/** The distance from |x| to the next float32 above it. */
export function ulpOf(x: number): number {
  const size = Math.abs(x);
  if (!Number.isFinite(size)) return NaN;
  if (size < SMALLEST) return 2 ** -149;
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent--; // log2 may round up to a whole number
  else if (2 ** (exponent + 1) <= size) exponent++;
  return 2 ** (exponent - 23);
}

/** |a − b|; 0 where both are the same infinity, NaN where either is NaN. */
export function distance(a: number, b: number): number {
  return a === b ? 0 : Math.abs(a - b);
}

/** A difference as it counts: absolute up to values of 1, relative to what is expected above. */
export function relativeDistance(actual: number, expected: number): number {
  const difference = distance(actual, expected);
  if (difference === Infinity) return Infinity;
  return difference / Math.max(1, Math.abs(expected));
}
