// x·W in float64, by three loops or by whoever is faster at it.

import { dot } from "../tensor/arithmetic.ts";
import { asFloat64, Tensor } from "../tensor/tensor.ts";

/** Numbers of one kind. */
type Floats = Float64Array<ArrayBuffer>;

/** A factor `[rows, depth]` and its matrix `[depth, columns]`. */
export type Factors = readonly [x: Floats, W: Floats];

/**
 * Adds Σ xₖ·Wₖ to `into`, `[rows, columns]`, the sums taken in the order of depth; false where it is
 * left to the three loops. Rows from `signed` on meet |W|. One of lib/compute is made for one run, in
 * which nobody writes into a matrix.
 */
export type Product = (
  into: Floats,
  terms: readonly Factors[],
  columns: number,
  signed?: number,
) => boolean;

/** Always the three loops. */
export const byLoops: Product = () => false;

/** x·W of tensors: `[…, depth]` by `[depth, columns]`. */
export function dotBy(product: Product, x: Tensor, W: Tensor): Tensor {
  const [depth, columns] = W.shape;
  if (W.shape.length !== 2 || x.shape.at(-1) !== depth || depth === 0) return dot(x, W);
  const found = new Float64Array(x.data.length / depth! * columns!);
  const isDone = product(found, [[floatsOf(x), floatsOf(W)]], columns!);
  return isDone ? new Tensor(found, x.shape.with(-1, columns!)) : dot(x, W);
}

/** Adds Σ xₖ·Wₖ of numbers side by side; rows from `signed` on meet |W|. */
export function addProducts(
  product: Product,
  into: Floats,
  terms: readonly Factors[],
  columns: number,
  signed = Infinity,
): void {
  if (!product(into, terms, columns, signed)) {
    for (const [x, W] of terms) addByLoops(into, x, W, columns, signed);
  }
}

function addByLoops(into: Floats, x: Floats, W: Floats, columns: number, signed: number): void {
  const depth = W.length / columns;
  const rows = x.length / depth;
  for (let r = 0; r < rows; r++) {
    const to = r * columns;
    for (let j = 0; j < depth; j++) {
      const v = x[r * depth + j]!;
      const from = j * columns;
      if (r < signed) {
        for (let c = 0; c < columns; c++) into[to + c] = into[to + c]! + v * W[from + c]!;
      } else {
        for (let c = 0; c < columns; c++) into[to + c] = into[to + c]! + v * Math.abs(W[from + c]!);
      }
    }
  }
}

function floatsOf(x: Tensor): Floats {
  return asFloat64(x).data as Floats;
}
