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

/** How windows lie over axes of space, `[batch, …space, channels]`; a number for each axis. */
export interface Windows {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** How many places before the first one a window may begin. */
  readonly before: readonly number[];
  /** How many windows there are. */
  readonly counts: readonly number[];
}

/** What each window sees: which places of space, by number, −1 outside; `[windows][taps]`. */
export function placesOfWindows(
  space: readonly number[],
  { sizes, strides, dilations, before, counts }: Windows,
): number[][] {
  const all = (lengths: readonly number[]): number[][] =>
    lengths.reduce<number[][]>(
      (found, length) => found.flatMap((one) => Array.from({ length }, (_, k) => [...one, k])),
      [[]],
    );
  const taps = all(sizes);
  return all(counts).map((window) =>
    taps.map((tap) => {
      let place = 0;
      for (const [axis, length] of space.entries()) {
        const at = window[axis]! * strides[axis]! + tap[axis]! * dilations[axis]! - before[axis]!;
        if (at < 0 || at >= length) return -1;
        place = place * length + at;
      }
      return place;
    })
  );
}

/**
 * The windows of `[batch, …space, channels]`: `[batch, …counts, taps·channels]`, zeros outside; or,
 * where each channel is looked at by itself, `[batch, …counts, channels, taps]`, `outside` outside.
 */
export function windowsOf<V>(
  o: Ops<V>,
  x: V,
  windows: Windows,
  byChannel?: { readonly outside: V }, // [1]
): V {
  const [batch, ...rest] = shapeOf(o, x) as [number, ...number[]];
  const [space, channels] = [rest.slice(0, -1), rest.at(-1)!];
  const places = placesOfWindows(space, windows);
  const [taps, length] = [sizeOf(windows.sizes), sizeOf(space)];
  const moves: number[] = [];
  for (let n = 0, to = 0; n < batch; n++) {
    for (const window of places) {
      if (byChannel === undefined) {
        for (const place of window) {
          if (place >= 0) moves.push(0, (n * length + place) * channels, to, channels);
          to += channels;
        }
      } else {
        for (let channel = 0; channel < channels; channel++) {
          for (const place of window) {
            if (place >= 0) moves.push(0, (n * length + place) * channels + channel, to++, 1);
            else moves.push(1, 0, to++, 1);
          }
        }
      }
    }
  }
  const last = byChannel === undefined ? [taps * channels] : [channels, taps];
  const sources = byChannel === undefined ? [x] : [x, byChannel.outside];
  return o.arrange([batch, ...windows.counts, ...last], sources, moves);
}

/** Axes in another order, the batch included: NumPy's transpose. */
export function permuted<V>(o: Ops<V>, x: V, axes: readonly number[]): V {
  const shape = shapeOf(o, x);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const result = axes.map((axis) => shape[axis]!);
  const moves: number[] = [];
  const visit = (axis: number, from: number) => {
    if (axis === result.length) moves.push(0, from, moves.length / 4, 1);
    else for (let k = 0; k < result[axis]!; k++) visit(axis + 1, from + k * strides[axes[axis]!]!);
  };
  visit(0, 0);
  return o.arrange(result, [x], moves);
}

/** Some of the entries along axis 1 in their order, each as often as it is named; −1 gives zeros. */
export function pickedSteps<V>(o: Ops<V>, x: V, steps: readonly number[]): V {
  const [batch, timesteps, ...rest] = shapeOf(o, x) as [number, number, ...number[]];
  const size = sizeOf(rest);
  const moves: number[] = [];
  for (let n = 0; n < batch; n++) {
    steps.forEach((t, k) => {
      if (t >= 0) moves.push(0, (n * timesteps + t) * size, (n * steps.length + k) * size, size);
    });
  }
  return o.arrange([batch, steps.length, ...rest], [x], moves);
}

/** A part of the axes after the batch, NumPy's `x[:, …]`: a number takes an axis away. */
export type Index = readonly (number | readonly [start: number, stop: number])[];

/** The part at these indices; axes that are not named stay whole. */
export function partAt<V>(o: Ops<V>, x: V, index: Index): V {
  const [batch, ...shape] = shapeOf(o, x) as [number, ...number[]];
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const ranges = shape.map((length, axis) => {
    const one = index[axis] ?? [0, length] as const;
    return typeof one === "number" ? [one, one + 1] as const : one;
  });
  const kept = ranges.flatMap(([start, stop], axis) =>
    typeof index[axis] === "number" ? [] : [stop - start]
  );
  const starts = ranges.reduce<number[]>(
    (found, [start, stop], axis) =>
      found.flatMap((at) =>
        Array.from({ length: stop - start }, (_, k) => at + (start + k) * strides[axis]!)
      ),
    [0],
  );
  const moves: number[] = [];
  for (let n = 0; n < batch; n++) {
    starts.forEach((at, k) => moves.push(0, n * sizeOf(shape) + at, n * starts.length + k, 1));
  }
  return o.arrange([batch, ...kept], [x], moves);
}
