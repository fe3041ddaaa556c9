import { lastAxisParts } from "./arrange.ts";
import type { Ops } from "./ops.ts";
import { add, dot, multiply } from "../tensor/arithmetic.ts";
import { sizeOf } from "../tensor/shape.ts";
import { asFloat64, Tensor } from "../tensor/tensor.ts";
import { move } from "./moves.ts";

/** The equations in float64: what everything else is judged by. */
export const numbers: Ops<Tensor> = {
  given: asFloat64,
  numbers: (x) => x,
  affine: (terms, b) => add(...terms.map(([x, W]) => dot(x, W)), b ?? 0),
  sumOfProducts: (...pairs) => add(...pairs.map(([a, b]) => multiply(a, b))),
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
