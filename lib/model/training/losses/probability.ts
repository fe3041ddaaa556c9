// How near to 0 and 1 a probability may come before its logarithm is taken.

// keras/src/backend/config.py: epsilon() is 1e-7. Keras clips in float32, where 1 − 1e-7 is the
// number 1 − 2⁻²³; a prediction that is sure and right costs 1.19e-7 there, and so here.
const LOWEST = Math.fround(1e-7);
const HIGHEST = Math.fround(1 - 1e-7);

/** The probability, kept within [1e-7, 1 − 1e-7] as Keras keeps it. */
export function clipProbability(p: number): number {
  return p < LOWEST ? LOWEST : p > HIGHEST ? HIGHEST : p; // NaN stays NaN
}
