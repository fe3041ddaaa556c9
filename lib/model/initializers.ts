// How weights start, with Keras's distributions (keras/src/initializers/random_initializers.py).

import type { Random } from "../tensor/random.ts";
import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Makes an array of this shape. */
export type Initializer = (shape: readonly number[], random: Random) => Tensor;

/** Zeros, as biases start. */
export const zeros: Initializer = (shape) => new Tensor(new Float64Array(sizeOf(shape)), shape);

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

/**
 * Rows (or columns, if fewer) of length 1 at right angles, in random directions (Saxe et al. 2014).
 *
 * Q of the QR decomposition of a normal matrix, with the signs that make R's diagonal positive:
 * which is what Gram and Schmidt's way gives by itself. Where it cancels digits, it is gone again
 * (Giraud et al. 2005, "twice is enough").
 */
export const orthogonal: Initializer = (shape, random) => {
  const [rows, columns] = shape as [number, number];
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  const vectors: Float64Array[] = [];
  for (let k = 0; k < count; k++) {
    const vector = Float64Array.from({ length }, () => random.normal());
    let [before, norm] = [Infinity, normOf(vector)];
    while (norm < before * Math.SQRT1_2) {
      for (const other of vectors) subtract(vector, inner(vector, other), other);
      [before, norm] = [norm, normOf(vector)];
    }
    vectors.push(vector.map((x) => x / norm));
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

/** a −= factor·b */
function subtract(a: Float64Array, factor: number, b: Float64Array): void {
  for (let k = 0; k < a.length; k++) a[k]! -= factor * b[k]!;
}
