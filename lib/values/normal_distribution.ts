// The normal distribution, which gelu and its slope are made of.

/** The density at x: e^(−x²/2) / √(2π). */
export function normalPdf(x: number): number {
  return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}

/** The share of the distribution below x, accurate to its last digits in the lower tail too. */
export function normalCdf(x: number): number {
  return x > 0 ? 1 - normalCdf(-x) : erfc(-x / Math.SQRT2) / 2;
}

/** The complement of the error function, for x ≥ 0. */
export function erfc(x: number): number {
  return x < 1 ? 1 - erfSeries(x) : erfcFraction(x);
}

/** erf(x) = 2/√π · e^(−x²) · Σₙ 2ⁿ x²ⁿ⁺¹ / (2n+1)!! (Abramowitz and Stegun 1964, 7.1.6) */
export function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

/** erfc(x) = e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 1½/(x + …)))) (ibid., 7.1.14) */
export function erfcFraction(x: number): number {
  let tail = x;
  for (let n = Math.ceil(20 + 200 / (x * x)); n > 0; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / tail;
}
