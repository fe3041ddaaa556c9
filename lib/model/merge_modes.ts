// How Bidirectional makes one result of its two, and the gradients by them.

import { add, multiply } from "../tensor/arithmetic.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Keras's merge modes that give one result. */
export type MergeMode = "concat" | "sum" | "mul" | "ave";

/** The result of two, and from the gradient by it those by the two. */
export interface Merge {
  readonly merge: (forward: Tensor, backward: Tensor) => Tensor;
  readonly gradients: (
    gradient: Tensor,
    forward: Tensor,
    backward: Tensor,
  ) => readonly [Tensor, Tensor];
}

/** The modes by name. */
export const mergeModes: Readonly<Record<MergeMode, Merge>> = {
  concat: {
    merge: joinLastAxis,
    gradients: (gradient, { shape }) => splitLastAxis(gradient, shape.at(-1)!),
  },
  sum: {
    merge: (a, b) => add(a, b),
    gradients: (gradient) => [gradient, gradient],
  },
  mul: {
    merge: (a, b) => multiply(a, b),
    gradients: (gradient, a, b) => [multiply(gradient, b), multiply(gradient, a)],
  },
  ave: {
    merge: (a, b) => multiply(add(a, b), 0.5),
    gradients: (gradient) => [multiply(gradient, 0.5), multiply(gradient, 0.5)],
  },
};

/** `[…, m]` and `[…, n]` become `[…, m + n]`. */
export function joinLastAxis(a: Tensor, b: Tensor): Tensor {
  const [m, n] = [a.shape.at(-1)!, b.shape.at(-1)!];
  const rows = a.data.length / m;
  const data = new Float64Array(rows * (m + n));
  for (let r = 0; r < rows; r++) {
    data.set(a.data.subarray(r * m, (r + 1) * m), r * (m + n));
    data.set(b.data.subarray(r * n, (r + 1) * n), r * (m + n) + m);
  }
  return new Tensor(data, a.shape.with(-1, m + n));
}

/** `[…, m + n]` becomes `[…, m]` and `[…, n]`. */
export function splitLastAxis(x: Tensor, m: number): readonly [Tensor, Tensor] {
  const width = x.shape.at(-1)!;
  const rows = x.data.length / width;
  const part = (start: number, end: number) => {
    const data = new Float64Array(rows * (end - start));
    for (let r = 0; r < rows; r++) {
      data.set(x.data.subarray(r * width + start, r * width + end), r * (end - start));
    }
    return new Tensor(data, x.shape.with(-1, end - start));
  };
  return [part(0, m), part(m, width)];
}
