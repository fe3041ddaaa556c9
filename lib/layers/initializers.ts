// How weights start, with Keras's distributions (keras/src/initializers/random_initializers.py).

import type { Random } from "../tensor/random.ts";
import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Makes an array of this shape. */
export type Initializer = (shape: readonly number[], random: Random) => Tensor;

/** Zeros, as biases start. */
export const zeros: Initializer = (shape) => new Tensor(new Float64Array(sizeOf(shape)), shape);

/** Ones, as factors start. */
export const ones: Initializer = (shape) =>
  new Tensor(new Float64Array(sizeOf(shape)).fill(1), shape);

/** An LSTM's bias `[4·units]`: 1 for the forget gate, which keeps what it has at first; 0 else. */
export const unitForgetBias: Initializer = (shape) => {
  const units = sizeOf(shape) / 4;
  return new Tensor(new Float64Array(4 * units).fill(1, units, 2 * units), shape);
};

/** Evenly spread over [−limit, limit). Keras's Embedding: 0.05. */
export function uniform(limit: number): Initializer {
  return (shape, random) =>
    new Tensor(
      Float64Array.from({ length: sizeOf(shape) }, () => (2 * random.uniform() - 1) * limit),
      shape,
    );
}

/** Evenly spread to ±√(6 / (rows + columns)) (Glorot and Bengio 2010, equation 16). */
export const glorotUniform: Initializer = (shape, random) => {
  const [rows, columns] = shape as [number, number];
  return uniform(Math.sqrt(6 / (rows + columns)))(shape, random);
};

/** How an array of that shape starts where nothing is said: as Keras's kernels, or at 0. */
export function startOf(shape: readonly number[]): Initializer {
  return shape.length > 1 ? glorotUniform : zeros;
}

/** So many vectors go through those before them at a time. */
const TOGETHER = 4;

/**
 * Rows (or columns, if fewer) of length 1 at right angles, in random directions (Saxe et al. 2014).
 *
 * Q of the QR decomposition of a normal matrix, with the signs that make R's diagonal positive:
 * which is what Gram and Schmidt's way gives by itself. Where it cancels digits, it is gone again
 * (Giraud et al. 2005, "twice is enough"). It takes 8·units³ steps, which is why no weights start
 * before they are needed.
 */
export const orthogonal: Initializer = (shape, random) => {
  const [rows, columns] = shape as [number, number];
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  const vectors: Float64Array[] = [];
  for (let first = 0; first < count; first += TOGETHER) {
    const drawn = Array.from(
      { length: Math.min(TOGETHER, count - first) },
      () => Float64Array.from({ length }, () => random.normal()),
    );
    const before = drawn.map(normOf);
    if (drawn.length === TOGETHER) subtractFromFour(drawn, vectors);
    else for (const vector of drawn) subtractAll(vector, vectors);
    drawn.forEach((vector, k) => {
      subtractAll(vector, vectors.slice(first));
      let [last, norm] = [before[k]!, normOf(vector)];
      while (norm < last * Math.SQRT1_2) {
        subtractAll(vector, vectors);
        [last, norm] = [norm, normOf(vector)];
      }
      vectors.push(vector.map((x) => x / norm));
    });
  }
  const data = new Float64Array(count * length);
  vectors.forEach((vector, k) => data.set(vector, k * length));
  const byRow = new Tensor(data, [count, length]);
  return rows <= columns ? byRow : byRow.transpose();
};

function normOf(a: Float64Array): number {
  return Math.sqrt(inner(a, a));
}

function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/** Takes from the vector what it has of each of the others, one after the other. */
function subtractAll(a: Float64Array, others: readonly Float64Array[]): void {
  for (const b of others) {
    const factor = inner(a, b);
    for (let k = 0; k < a.length; k++) a[k]! -= factor * b[k]!;
  }
}

/** The same of four vectors, to the bit: the processor need not wait for one sum's next term. */
function subtractFromFour(four: readonly Float64Array[], others: readonly Float64Array[]): void {
  const [a0, a1, a2, a3] = four as [Float64Array, Float64Array, Float64Array, Float64Array];
  const { length } = a0;
  for (const b of others) {
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let k = 0; k < length; k++) {
      const x = b[k]!;
      s0 += a0[k]! * x;
      s1 += a1[k]! * x;
      s2 += a2[k]! * x;
      s3 += a3[k]! * x;
    }
    for (let k = 0; k < length; k++) {
      const x = b[k]!;
      a0[k]! -= s0 * x;
      a1[k]! -= s1 * x;
      a2[k]! -= s2 * x;
      a3[k]! -= s3 * x;
    }
  }
}
