// Convolutions and pooling of ONNX: [batch, channels, …space].

import type { Connection } from "../../layers/connection.ts";
import { conv1D, type Padding } from "../../layers/convolution.ts";
import type { Layer } from "../../layers/layer.ts";
import { averagePooling1D, maxPooling1D, meanOf } from "../../layers/pooling.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { join, permuted, placesOfWindows, type Windows, windowsOf } from "../../values/arrange.ts";
import { type Converted, turned } from "../conversion.ts";
import { intOf, intsOf, textOf } from "./attributes.ts";
import { permute } from "./movements.ts";
import { connectionOf, type Result, type Step, weightOf } from "./step.ts";
import { UnreadNode } from "./errors.ts";

interface Geometry {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** How many places before and after; of each axis. */
  readonly pads: readonly (readonly [before: number, after: number])[] | "upper" | "lower";
  /** Whether the last window may begin inside and end outside. */
  readonly ceil: boolean;
}

const MOST_TAPS = 2 ** 16;

function geometryOf(step: Step, kernel: readonly number[] | undefined, rank: number): Geometry {
  const sizes = intsOf(step, "kernel_shape", NaN) ?? kernel;
  const axes = rank - 2;
  const list = (name: string) => intsOf(step, name, NaN) ?? Array.from({ length: axes }, () => 1);
  const [strides, dilations] = [list("strides"), list("dilations")];
  const auto = textOf(step, "auto_pad", "NOTSET");
  const flat = intsOf(step, "pads", NaN) ?? new Array<number>(2 * axes).fill(0);
  const whole = (numbers: readonly number[], least: number, count: number) =>
    numbers.length === count && numbers.every((n) => Number.isInteger(n) && n >= least);
  const fits = sizes !== undefined && axes > 0 && whole(sizes, 1, axes) &&
    whole(strides, 1, axes) &&
    whole(dilations, 1, axes) && whole(flat, 0, 2 * axes) && sizeOf(sizes) <= MOST_TAPS &&
    (kernel === undefined || kernel.join() === sizes.join());
  if (!fits) throw new UnreadNode(`its windows do not fit ${Math.max(axes, 0)} axes of space`);
  if (!["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"].includes(auto)) {
    throw new UnreadNode(`its auto_pad is ${auto}`);
  }
  const pads = auto === "SAME_UPPER"
    ? "upper"
    : auto === "SAME_LOWER"
    ? "lower"
    : sizes.map((_, k) =>
      auto === "VALID" ? [0, 0] as const : [flat[k]!, flat[k + axes]!] as const
    );
  return { sizes, strides, dilations, pads, ceil: intOf(step, "ceil_mode", 0) !== 0 };
}

/** How many windows there are along each axis, and how many places come before. */
function windowsIn(space: readonly number[], geometry: Geometry): Windows {
  const { sizes, strides, dilations, pads, ceil } = geometry;
  const found = space.map((length, k): [before: number, count: number] => {
    const [stride, reach] = [strides[k]!, (sizes[k]! - 1) * dilations[k]! + 1];
    if (typeof pads === "string") {
      const count = Math.ceil(length / stride);
      const all = Math.max(0, (count - 1) * stride + reach - length);
      return [pads === "upper" ? Math.floor(all / 2) : Math.ceil(all / 2), count];
    }
    const [before, after] = pads[k]!;
    const last = (length + before + after - reach) / stride;
    let count = (ceil ? Math.ceil(last) : Math.floor(last)) + 1;
    if (ceil && (count - 1) * stride >= length + before) count--;
    return [before, count];
  });
  const counts = found.map(([, count]) => count);
  if (counts.some((count) => count < 1)) {
    throw new UnreadNode(`[${space}] is shorter than a window`);
  }
  return { sizes, strides, dilations, before: found.map(([before]) => before), counts };
}

const lastChannels = (rank: number) => [0, ...Array.from({ length: rank - 2 }, (_, k) => k + 2), 1];
const firstChannels = (rank: number) => [
  0,
  rank - 1,
  ...Array.from({ length: rank - 2 }, (_, k) => k + 1),
];

/** `Conv`: W `[filters, channels / groups, …sizes]`. */
export function convolve(step: Step): Result[] {
  const x = connectionOf(step, 0);
  const kernel = weightOf(step, 1, "kernel")!;
  const bias = weightOf(step, 2, "bias");
  const [filters, channels, ...sizes] = kernel.array.tensor.shape as [number, number, ...number[]];
  const rank = x.shape.length + 1;
  const geometry = geometryOf(step, sizes, rank);
  const groups = intOf(step, "group", 1);
  if (groups < 1 || filters % groups !== 0) throw new UnreadNode(`its group is ${groups}`);
  const check = (shape: readonly number[]) => {
    const all = shape[1]!;
    if (shape.length === rank && (all === channels * groups || Number.isNaN(all))) return;
    throw new UnreadNode(`it takes ${channels * groups} channels: its input is [${shape}]`);
  };
  const layer = x.shape[0] === channels * groups ? convolutionOf(geometry) : undefined;
  if (layer !== undefined) {
    const own = conv1D({ ...layer, filters, groups, useBias: bias !== undefined });
    const arrays = [turned(kernel.array, [2, 1, 0]), ...(bias ? [bias.array] : [])];
    return [channelsLast(step, x, own, arrays)];
  }
  return step.build.operate("Conv", [x, kernel, ...(bias ? [bias] : [])], {
    shapes: ([{ shape }]) => {
      check(shape);
      return [[shape[0]!, filters, ...windowsIn(shape.slice(2), geometry).counts]];
    },
    run: (o, [{ value, shape }, W, b]) => {
      check(shape);
      const windows = windowsIn(shape.slice(2), geometry);
      const last = permuted(o, value, lastChannels(rank));
      const taps = channels * sizeOf(sizes);
      const order = [...sizes.map((_, k) => k + 2), 1, 0];
      const rows = o.reshape(permuted(o, W!.value, order), [taps, filters]);
      const [xs, Ws] = [o.blocks(last, groups), o.blocks(rows, groups)];
      const bs = b === undefined ? undefined : o.blocks(b.value, groups);
      const parts = xs.map((part, k) => o.affine([[windowsOf(o, part, windows), Ws[k]!]], bs?.[k]));
      return [permuted(o, groups === 1 ? parts[0]! : join(o, parts), firstChannels(rank))];
    },
  });
}

/** A convolution over time as Keras has it; undefined where its zeros lie otherwise, or it is none. */
function convolutionOf({ sizes, strides, dilations, pads }: Geometry) {
  const [kernelSize, strideLength, dilationRate] = [sizes[0]!, strides[0]!, dilations[0]!];
  if (sizes.length !== 1 || strideLength > 1 && dilationRate > 1) return undefined;
  const reach = (kernelSize - 1) * dilationRate;
  const padding = paddingOf(pads, reach, strideLength);
  return padding && { kernelSize, strides: strideLength, dilationRate, padding };
}

function paddingOf(
  pads: Geometry["pads"],
  reach: number,
  stride: number,
): Padding | undefined {
  if (typeof pads === "string") return pads === "upper" ? "same" : undefined;
  const [before, after] = pads[0]!;
  if (before === 0 && after === 0) return "valid";
  if (before === reach && after === 0) return "causal";
  const isSame = stride === 1 && before === Math.floor(reach / 2) && before + after === reach;
  return isSame ? "same" : undefined;
}

/** A layer of Keras's, whose channels are the last axis. */
function channelsLast(
  { build }: Step,
  x: Connection,
  layer: Layer,
  arrays: readonly Converted[] = [],
): Connection {
  const last = permute(build, x, [0, 2, 1]);
  const result = build.apply(layer, [last], arrays)[0]!;
  build.keepFirst(last, result);
  return permute(build, result, [0, 2, 1]);
}

/** `MaxPool` and `AveragePool`. */
export function pool(step: Step): Result[] {
  if ((step.uses[1] ?? 0) > 0) throw new UnreadNode("it hands on its indices");
  const x = connectionOf(step, 0);
  const rank = x.shape.length + 1;
  const geometry = geometryOf(step, undefined, rank);
  const isMax = step.operator === "MaxPool";
  const counted = intOf(step, "count_include_pad", 0) !== 0;
  const [poolSize, strides] = [geometry.sizes[0]!, geometry.strides[0]!];
  const isPlain = geometry.sizes.length === 1 && geometry.dilations[0] === 1 && !geometry.ceil &&
    typeof geometry.pads !== "string" && geometry.pads[0]!.every((count) => count === 0);
  if (isPlain && typeof x.shape[0] === "number") {
    const make = isMax ? maxPooling1D : averagePooling1D;
    return [channelsLast(step, x, make({ poolSize, strides }))];
  }
  return step.build.operate(step.operator, [x], {
    shapes: ([{ shape }]) => {
      return [[shape[0]!, shape[1]!, ...windowsIn(shape.slice(2), geometry).counts]];
    },
    run: (o, [{ value, shape }]) => {
      const space = shape.slice(2);
      const windows = windowsIn(space, geometry);
      const last = permuted(o, value, lastChannels(rank));
      const outside = o.given(new Tensor(Float64Array.of(isMax ? -Infinity : 0), [1]));
      const seen = windowsOf(o, last, windows, { outside });
      const found = isMax ? o.largest(seen) : meanOf(
        o,
        seen,
        counted ? paddedCounts(space, windows, geometry) : countsIn(space, windows),
      );
      return [permuted(o, found, firstChannels(rank))];
    },
  });
}

function countsIn(space: readonly number[], windows: Windows): number[] {
  return placesOfWindows(space, windows).map((taps) => taps.filter((place) => place >= 0).length);
}

/** With the places that padding adds, not those beyond them. */
function paddedCounts(space: readonly number[], windows: Windows, { pads }: Geometry): number[] {
  if (typeof pads === "string") return countsIn(space, windows).map(() => sizeOf(windows.sizes));
  const wide = space.map((length, k) => length + pads[k]![0] + pads[k]![1]);
  return countsIn(wide, { ...windows, before: windows.before.map(() => 0) });
}

/** `GlobalAveragePool` and `GlobalMaxPool`: over all of space, whose axes stay. */
export function poolAll(step: Step): Result[] {
  const x = connectionOf(step, 0);
  const isMax = step.operator === "GlobalMaxPool";
  return step.build.operate(step.operator, [x], {
    shapes: ([{ shape }]) => [shape.map((length, k) => k < 2 ? length : 1)],
    run: (o, [{ value, shape }]) => {
      const [batch, channels, ...space] = shape as [number, number, ...number[]];
      const count = sizeOf(space);
      const flat = o.reshape(value, [batch * channels, count]);
      const shares = new Tensor(new Float64Array(count).fill(1 / count), [count, 1]);
      const found = isMax ? o.largest(flat) : o.affine([[flat, o.given(shares)]]);
      return [o.reshape(found, [batch, channels, ...space.map(() => 1)])];
    },
  });
}
