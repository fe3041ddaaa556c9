// x·W in float64, by three loops or by whoever is faster at it.

import { dot } from "../tensor/arithmetic.ts";
import { asFloat64, Tensor } from "../tensor/tensor.ts";

/** Numbers of one kind. */
type Floats = Float64Array<ArrayBuffer>;

/**
 * `start` + x·W, `[rows, depth]` by `[depth, columns]`, its sums taken in the order of depth; undefined
 * where it is left to the three loops. One of lib/compute is made for one run, in which nobody writes
 * into a matrix.
 */
export type Product = (x: Floats, W: Floats, columns: number, start?: Floats) => Floats | undefined;

/** Always the three loops. */
export const byLoops: Product = () => undefined;

/** x·W of tensors: `[…, depth]` by `[depth, columns]`. */
export function dotBy(product: Product, x: Tensor, W: Tensor): Tensor {
  const [depth, columns] = W.shape;
  if (W.shape.length !== 2 || x.shape.at(-1) !== depth || depth === 0) return dot(x, W);
  const found = product(floatsOf(x), floatsOf(W), columns!);
  return found === undefined ? dot(x, W) : new Tensor(found, x.shape.with(-1, columns!));
}

/** `start` + x·W of numbers side by side, each row's start its own or the same. */
export function productBy(
  product: Product,
  x: Floats,
  W: Floats,
  columns: number,
  start: Floats,
): Floats {
  const found = product(x, W, columns, start);
  if (found !== undefined) return found;
  const depth = W.length / columns;
  const rows = x.length / depth;
  const result = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const to = r * columns;
    result.set(start.length === columns ? start : start.subarray(to, to + columns), to);
    for (let j = 0; j < depth; j++) {
      const v = x[r * depth + j]!;
      for (let c = 0; c < columns; c++) result[to + c]! += v * W[j * columns + c]!;
    }
  }
  return result;
}

function floatsOf(x: Tensor): Floats {
  return asFloat64(x).data as Floats;
}
