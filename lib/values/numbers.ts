import { lastAxisParts } from "./arrange.ts";
import type { Ops } from "./ops.ts";
import { byLoops, dotBy, type Product } from "./product.ts";
import { add, dot, multiply } from "../tensor/arithmetic.ts";
import { sameShape, sizeOf } from "../tensor/shape.ts";
import { asFloat64, Tensor } from "../tensor/tensor.ts";
import { move } from "./moves.ts";

/** The equations in float64: what everything else is judged by. */
export const numbers: Ops<Tensor> = {
  given: asFloat64,
  numbers: (x) => x,
  affine: (terms, b) => affineBy(byLoops, terms, b),
  matmul: (a, b) => {
    const each = ofEach(a, b);
    return joined(each.map(([x, y]) => dot(x, y)), a.shape.with(-1, b.shape.at(-1)!));
  },
  largest: (x) => {
    const width = x.shape.at(-1)!;
    const data = new Float64Array(x.data.length / width).fill(-Infinity);
    for (let k = 0; k < x.data.length; k++) {
      const row = Math.floor(k / width);
      data[row] = Math.max(data[row]!, x.data[k]!); // NaN stays
    }
    return new Tensor(data, x.shape.slice(0, -1));
  },
  sumOfProducts: (...pairs) => {
    const { shape } = pairs[0]![0];
    const areAlike = pairs.every((pair) => pair.every((x) => sameShape(x.shape, shape)));
    if (!areAlike) return add(...pairs.map(([a, b]) => multiply(a, b)));
    const sums = new Float64Array(sizeOf(shape));
    for (const [{ data: a }, { data: b }] of pairs) {
      for (let k = 0; k < sums.length; k++) sums[k] = sums[k]! + a[k]! * b[k]!;
    }
    return new Tensor(sums, shape);
  },
  add: (...xs) => add(...xs),
  scale: (x, factor) => multiply(x, factor),
  oneMinus: (x) => new Tensor(asFloat64(x).data.map((v) => 1 - v), x.shape),
  apply: (f, x) => f(x),
  blocks: (x, count) => lastAxisParts(numbers, x, count),
  reshape: (x, shape) => x.reshape(shape),
  arrange: (shape, sources, moves) => {
    const data = move(new Float64Array(sizeOf(shape)), sources.map(({ data }) => data), moves);
    return new Tensor(data, shape);
  },
};

/** The same, with a faster product that gives the same bits. */
export function numbersBy(product: Product): Ops<Tensor> {
  return { ...numbers, affine: (terms, b) => affineBy(product, terms, b) };
}

function affineBy(
  product: Product,
  terms: readonly (readonly [x: Tensor, W: Tensor])[],
  b: Tensor | undefined,
): Tensor {
  const sums = terms.map(([x, W]) => dotBy(product, x, W));
  const [first, second] = sums as [Tensor, Tensor?];
  const { data, shape } = first;
  const width = shape.at(-1)!;
  const isUsual = sums.every((one) => sameShape(one.shape, shape)) && sums.length < 3 &&
    (b === undefined || sameShape(b.shape, [width]));
  if (!isUsual) return add(...sums, b ?? 0);
  const result = data as Float64Array<ArrayBuffer>; // the same sums in one go, in nobody else's array
  for (let k = 0, c = 0; k < result.length; k++, c = ++c === width ? 0 : c) {
    let sum = 0 + data[k]!;
    if (second !== undefined) sum += second.data[k]!;
    if (b !== undefined) sum += b.data[c]!;
    result[k] = sum;
  }
  return new Tensor(result, shape);
}

/** The matrices of two batches, one beside the other. */
export function ofEach(a: Tensor, b: Tensor): (readonly [Tensor, Tensor])[] {
  const count = sizeOf(a.shape.slice(0, -2));
  const matrix = ({ data, shape }: Tensor, k: number) => {
    const [rows, columns] = shape.slice(-2) as [number, number];
    const size = rows * columns;
    return new Tensor(data.slice(k * size, (k + 1) * size), [rows, columns]);
  };
  return Array.from({ length: count }, (_, k) => [matrix(a, k), matrix(b, k)] as const);
}

/** Matrices of one shape as a batch again. */
export function joined(matrices: readonly Tensor[], shape: readonly number[]): Tensor {
  const data = new Float64Array(sizeOf(shape));
  matrices.forEach((one, k) => data.set(one.data, k * one.data.length));
  return new Tensor(data, shape);
}
