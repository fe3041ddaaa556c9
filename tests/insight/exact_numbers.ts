// What the bound is held against: whole numbers of 2⁻¹⁶⁰, and float32 as libraries add it.

export const BITS = 160n;
const ONE = 1n << BITS;

/** A float as it is. */
export function exactly(x: number): bigint {
  let places = 0n;
  for (; !Number.isInteger(x); x *= 2) places++;
  return (BigInt(x) << BITS) >> places;
}

export const nearly = (x: bigint) => Number(x) / 2 ** Number(BITS);
const times = (a: bigint, b: bigint) => (a * b) >> BITS;
const over = (a: bigint, b: bigint) => (a << BITS) / b;

/** eˣ: Taylor's series of x/2¹⁰, squared ten times. */
function exp(x: bigint): bigint {
  const small = x >> 10n;
  let [sum, term] = [ONE, ONE];
  for (let n = 1n; term !== 0n && n < 80n; n++) sum += term = times(term, small) / n;
  for (let k = 0; k < 10; k++) sum = times(sum, sum);
  return sum;
}

const clip = (x: bigint, low: bigint, high: bigint) => x < low ? low : x > high ? high : x;

/** What a number goes through, and how many units of the last place float32 may add by itself. */
export interface Kind<V> {
  readonly sum: (products: readonly (readonly [V, V])[], bias: V | undefined) => V;
  readonly apply: (name: string, x: V) => V;
  readonly softmax: (row: V[]) => V[];
  readonly add: (a: V, b: V) => V;
  readonly multiply: (a: V, b: V) => V;
  readonly of: (x: number) => V;
  /** z·h + (1 − z)·h̃ */
  readonly mix: (z: V, h: V, candidate: V) => V;
}

export const mathematics: Kind<bigint> = {
  of: exactly,
  add: (a, b) => a + b,
  multiply: times,
  mix: (z, h, candidate) => times(z, h) + times(ONE - z, candidate),
  sum: (products, bias = 0n) => products.reduce((sum, [a, b]) => sum + times(a, b), bias),
  softmax(row) {
    const powers = row.map(exp);
    const total = powers.reduce((a, b) => a + b);
    return powers.map((power) => over(power, total));
  },
  apply(name, x) {
    switch (name) {
      case "linear":
        return x;
      case "relu":
        return x < 0n ? 0n : x;
      case "sigmoid":
        return over(ONE, ONE + exp(-x));
      case "tanh": {
        const square = exp(2n * x);
        return over(square - ONE, square + ONE);
      }
      case "softsign":
        return over(x, ONE + (x < 0n ? -x : x));
      case "hard_sigmoid":
        return clip(x + 3n * ONE, 0n, 6n * ONE) / 6n;
    }
    throw new Error(name);
  },
};

// In float32, as a library might.

const f = Math.fround;

export type Order = "forwards" | "backwards" | "pairwise" | "blocks of 4" | "fused";
export const ORDERS: readonly Order[] = [
  "forwards",
  "backwards",
  "pairwise",
  "blocks of 4",
  "fused",
];

function added(terms: readonly number[], order: Order): number {
  switch (order) {
    case "backwards":
      return terms.reduceRight((sum, term) => f(sum + term), 0);
    case "pairwise": {
      if (terms.length < 2) return terms[0] ?? 0;
      const half = terms.length >> 1;
      return f(added(terms.slice(0, half), order) + added(terms.slice(half), order));
    }
    case "blocks of 4": {
      const lanes = [0, 1, 2, 3].map((lane) =>
        added(terms.filter((_, k) => k % 4 === lane), "forwards")
      );
      return added(lanes, "pairwise");
    }
    default:
      return terms.reduce((sum, term) => f(sum + term), 0);
  }
}

/** A float32 library: its order of adding, and which way its functions are off, in such units. */
export function library(order: Order, off: () => number): Kind<number> {
  const nudged = (x: number) => {
    const ulp = x === 0 ? 0 : 2 ** (Math.floor(Math.log2(Math.abs(x))) - 23);
    return f(x + off() * ulp);
  };
  return {
    of: f,
    add: (a, b) => f(a + b),
    multiply: (a, b) => f(a * b),
    mix: (z, h, candidate) =>
      order === "backwards" // as PyTorch has it
        ? f(f(f(h - candidate) * z) + candidate)
        : f(f(z * h) + f(f(1 - z) * candidate)),
    sum(products, bias) {
      if (order === "fused") { // the product is not rounded: float64 holds it
        return products.reduce((sum, [a, b]) => f(sum + a * b), bias ?? 0);
      }
      const terms = products.map(([a, b]) => f(a * b));
      return bias === undefined
        ? added(terms, order)
        : order === "forwards"
        ? added([bias, ...terms], order)
        : f(added(terms, order) + bias);
    },
    softmax(row) {
      const most = Math.max(...row);
      const powers = row.map((x) => nudged(Math.exp(f(x - most))));
      const total = added(powers, order);
      return powers.map((power) => f(power / total));
    },
    apply(name, x) {
      switch (name) {
        case "linear":
          return x;
        case "relu":
          return Math.max(x, 0);
        case "sigmoid":
          return nudged(1 / (1 + Math.exp(-x)));
        case "tanh":
          return nudged(Math.tanh(x));
        case "softsign":
          return f(x / f(1 + Math.abs(x)));
        case "hard_sigmoid":
          return f(Math.min(Math.max(f(x + 3), 0), 6) / 6);
      }
      throw new Error(name);
    },
  };
}
