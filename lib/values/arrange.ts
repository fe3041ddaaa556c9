// Values cut, joined and turned, over any kind of number: each is one `arrange`.

import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Ops } from "./ops.ts";

/** The shape of a value. */
export function shapeOf<V>(o: Ops<V>, x: V): readonly number[] {
  return o.numbers(x).shape;
}

/** One timestep of `[batch, timesteps, …]`: `[batch, …]`. */
export function stepOf<V>(o: Ops<V>, x: V, timestep: number): V {
  const [batch, timesteps, ...rest] = shapeOf(o, x) as [number, number, ...number[]];
  const size = sizeOf(rest);
  const moves: number[] = [];
  for (let n = 0; n < batch; n++) moves.push(0, (n * timesteps + timestep) * size, n * size, size);
  return o.arrange([batch, ...rest], [x], moves);
}

/** `[batch, …]` of each timestep become `[batch, timesteps, …]`. */
export function stackSteps<V>(o: Ops<V>, steps: readonly V[]): V {
  const [batch, ...rest] = shapeOf(o, steps[0]!) as [number, ...number[]];
  const [size, { length }] = [sizeOf(rest), steps];
  const moves: number[] = [];
  for (let t = 0; t < length; t++) {
    for (let n = 0; n < batch; n++) moves.push(t, n * size, (n * length + t) * size, size);
  }
  return o.arrange([batch, length, ...rest], steps, moves);
}

/** The last timestep first. */
export function reverseSteps<V>(o: Ops<V>, x: V): V {
  const shape = shapeOf(o, x);
  const [batch, timesteps, ...rest] = shape as [number, number, ...number[]];
  const size = sizeOf(rest);
  const moves: number[] = [];
  for (let n = 0; n < batch; n++) {
    for (let t = 0; t < timesteps; t++) {
      const from = ((n + 1) * timesteps - 1 - t) * size;
      moves.push(0, from, (n * timesteps + t) * size, size);
    }
  }
  return o.arrange(shape, [x], moves);
}

/**
 * Rows of `a` where the mask is not 0, of `b` elsewhere, of zeros where there is no `b`; chosen, so
 * that a NaN stays out.
 *
 * @param mask as many numbers as there are rows
 */
export function where<V>(o: Ops<V>, mask: Tensor, a: V, b?: V): V {
  const shape = shapeOf(o, a);
  const size = sizeOf(shape) / mask.data.length;
  const moves: number[] = [];
  for (let n = 0; n < mask.data.length; n++) {
    if (mask.data[n] !== 0) moves.push(0, n * size, n * size, size);
    else if (b !== undefined) moves.push(1, n * size, n * size, size);
  }
  return o.arrange(shape, b === undefined ? [a] : [a, b], moves);
}

/** The last axis in so many parts of the same length. */
export function lastAxisParts<V>(o: Ops<V>, x: V, count: number): V[] {
  const shape = shapeOf(o, x);
  const width = shape.at(-1)! / count;
  const rows = sizeOf(shape.slice(0, -1));
  return Array.from({ length: count }, (_, k) => {
    const moves: number[] = [];
    for (let r = 0; r < rows; r++) moves.push(0, (r * count + k) * width, r * width, width);
    return o.arrange(shape.with(-1, width), [x], moves);
  });
}

/** Side by side along an axis: `[…, m]` and `[…, n]` become `[…, m + n]`. */
export function join<V>(o: Ops<V>, xs: readonly V[], axis = -1): V {
  const shapes = xs.map((x) => shapeOf(o, x));
  const at = axis < 0 ? shapes[0]!.length + axis : axis;
  const outer = sizeOf(shapes[0]!.slice(0, at));
  const sizes = shapes.map((shape) => sizeOf(shape.slice(at)));
  const whole = sizes.reduce((a, b) => a + b, 0);
  const moves: number[] = [];
  for (let r = 0; r < outer; r++) {
    let to = r * whole;
    for (const [k, size] of sizes.entries()) {
      moves.push(k, r * size, to, size);
      to += size;
    }
  }
  const length = shapes.reduce((sum, shape) => sum + shape[at]!, 0);
  return o.arrange(shapes[0]!.with(at, length), xs, moves);
}

/** The rows of a matrix that are named, in their order: `[…]` of whole numbers becomes `[…, width]`. */
export function rowsOf<V>(o: Ops<V>, matrix: V, { data, shape }: Tensor): V {
  const width = shapeOf(o, matrix)[1]!;
  const moves: number[] = [];
  data.forEach((row, k) => moves.push(0, row * width, k * width, width));
  return o.arrange([...shape, width], [matrix], moves);
}
