// The operators that ONNX's exporters compute shapes and weights with, on numbers as far as they are
// known (onnx/defs).

import { sizeOf } from "../tensor/shape.ts";
import { hasAttribute, intOf, intsOf } from "./onnx_attributes.ts";
import {
  broadcastPlace,
  broadcastShape,
  checkCount,
  filled,
  listed,
  type Part,
  reshapedShape,
  slicedPlaces,
} from "./onnx_known.ts";
import { axisOf, UnreadNode } from "./onnx_errors.ts";
import type { Step } from "./onnx_step.ts";

/** What a node makes of what is known; undefined stands for an input that is not there. */
export type Fold = (
  operands: readonly (Part | undefined)[],
  step: Step,
  areWhole: boolean,
) => Part[];

type Binary = (a: number, b: number, areWhole: boolean) => number;

/** NaN of a truth value that is not known. */
const compared = (f: (a: number, b: number) => boolean): Binary => (a, b) =>
  Number.isNaN(a) || Number.isNaN(b) ? NaN : Number(f(a, b));

const BINARY: Readonly<Record<string, Binary>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b, areWhole) => areWhole ? Math.trunc(a / b) : a / b,
  Pow: (a, b) => a ** b,
  Min: (a, b) => Math.min(a, b),
  Max: (a, b) => Math.max(a, b),
  Equal: compared((a, b) => a === b),
  Less: compared((a, b) => a < b),
  LessOrEqual: compared((a, b) => a <= b),
  Greater: compared((a, b) => a > b),
  GreaterOrEqual: compared((a, b) => a >= b),
  And: compared((a, b) => a !== 0 && b !== 0),
  Or: compared((a, b) => a !== 0 || b !== 0),
};

/** Operators whose results are truth values, whatever they take. */
export const TRUTHS: readonly string[] = Object.keys(BINARY).slice(7).concat("Not");

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Sqrt: Math.sqrt,
  Exp: Math.exp,
  Log: Math.log,
  Abs: Math.abs,
  Floor: Math.floor,
  Ceil: Math.ceil,
  Reciprocal: (x) => 1 / x,
  Not: (x) => Number.isNaN(x) ? NaN : Number(x === 0),
  Sin: Math.sin,
  Cos: Math.cos,
};

const FOLDS: Readonly<Record<string, Fold>> = {
  Identity: ([x]) => [x!],
  Dropout: ([x]) => [x!],
  Shape: ([x], step) => {
    const end = hasAttribute(step, "end") ? intOf(step, "end", 0) : Infinity;
    return [listed(x!.shape.slice(intOf(step, "start", 0), end))];
  },
  Size: ([x]) => [{ shape: [], data: Float64Array.of(sizeOf(x!.shape)) }],
  Range: ([start, limit, step]) => {
    const [from, to, by] = [start, limit, step].map((part) => part?.data?.[0] ?? NaN);
    const count = Math.max(0, Math.ceil((to! - from!) / by!));
    return [filled([count], (k) => from! + k * by!)];
  },
  Concat: (parts, step) => {
    const all = parts as readonly Part[];
    const { shape: first } = all[0]!;
    const at = axisOf(intOf(step, "axis", NaN), first.length);
    const length = all.reduce((sum, { shape }) => sum + (shape[at] ?? NaN), 0);
    const inner = sizeOf(first.slice(at + 1));
    if (all.some(({ shape, data }) => data === undefined || shape.length !== first.length)) {
      return [{ shape: first.with(at, length), data: undefined }];
    }
    if (all.some(({ shape }) => shape.some((n, k) => k !== at && n !== first[k]))) {
      throw new UnreadNode("its shapes do not fit each other");
    }
    const ends: number[] = [];
    for (const { shape } of all) ends.push((ends.at(-1) ?? 0) + shape[at]! * inner);
    const row = length * inner;
    return [
      filled(first.with(at, length), (place) => {
        const within = place % row;
        const k = ends.findIndex((end) => within < end);
        const from = k === 0 ? 0 : ends[k - 1]!;
        const width = ends[k]! - from;
        return all[k]!.data![Math.floor(place / row) * width + within - from]!;
      }),
    ];
  },
  Gather: ([x, indices], step) => {
    const at = axisOf(intOf(step, "axis", 0), x!.shape.length);
    const shape = x!.shape.toSpliced(at, 1, ...indices!.shape);
    if (x!.data === undefined || indices!.data === undefined) return [{ shape, data: undefined }];
    return [
      along(x!, at, shape, [...indices!.data].map((index) => placeIn(index, x!.shape[at]!))),
    ];
  },
  Slice: ([x, ...lists], step) => {
    let part = x!;
    for (const { axis, places } of slicesOf(part.shape, step, lists)) {
      part = picked(part, axis, places);
    }
    return [part];
  },
  Split: ([x, sizes], step) => {
    const at = axisOf(intOf(step, "axis", 0), x!.shape.length);
    const lengths = splitLengths(x!.shape[at]!, step, sizes);
    let from = 0;
    return lengths.map((length) => {
      checkCount(length);
      const places = Array.from({ length }, (_, k) => from + k);
      from += length;
      return picked(x!, at, places);
    });
  },
  Squeeze: ([x], step) => [{ ...x!, shape: squeezedShape(x!.shape, step) }],
  Unsqueeze: ([x], step) => [{ ...x!, shape: unsqueezedShape(x!.shape, step) }],
  Reshape: ([x, target], step) => {
    const shape = reshapedShape(x!.shape, target!, intOf(step, "allowzero", 0) !== 0);
    return [{ shape, data: shape.some(Number.isNaN) ? undefined : x!.data }];
  },
  Flatten: ([x], step) => [{ ...x!, shape: flattenedShape(x!.shape, step) }],
  Transpose: ([x], step) => {
    const order = orderOf(x!.shape.length, step);
    const shape = order.map((axis) => x!.shape[axis]!);
    if (x!.data === undefined) return [{ shape, data: undefined }];
    const strides = order.map((axis) => sizeOf(x!.shape.slice(axis + 1)));
    return [
      filled(shape, (at) => {
        let [place, rest] = [0, at];
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          place += (rest % shape[axis]!) * strides[axis]!;
          rest = Math.floor(rest / shape[axis]!);
        }
        return x!.data![place]!;
      }),
    ];
  },
  Expand: ([x, target]) => {
    const wanted = target!.data === undefined ? [NaN] : [...target!.data];
    return [repeated(x!, broadcastShape(x!.shape, wanted))];
  },
  Where: ([condition, a, b]) => {
    const parts = [condition!, a!, b!];
    const shape = parts.map((part) => part.shape).reduce(broadcastShape);
    const [c, yes, no] = parts.map((part) => repeated(part, shape).data);
    if (c === undefined || yes === undefined || no === undefined) {
      return [{ shape, data: undefined }];
    }
    return [filled(shape, (k) => Number.isNaN(c[k]!) ? NaN : c[k] !== 0 ? yes[k]! : no[k]!)];
  },
  ReduceSum: reduction((a, b) => a + b, 0),
  ReduceProd: reduction((a, b) => a * b, 1),
  ReduceMax: reduction(Math.max, -Infinity),
  ReduceMin: reduction(Math.min, Infinity),
};

/** How an operator computes with what is known; undefined where it is none of these. */
export function foldOf(operator: string): Fold | undefined {
  if (Object.hasOwn(FOLDS, operator)) return FOLDS[operator];
  if (Object.hasOwn(UNARY, operator)) {
    const f = UNARY[operator]!;
    return ([x]) => [{ shape: x!.shape, data: x!.data?.map(f) }];
  }
  if (!Object.hasOwn(BINARY, operator)) return undefined;
  const f = BINARY[operator]!;
  return (parts, _, areWhole) => [
    (parts as readonly Part[]).reduce((a, b) => {
      const shape = broadcastShape(a.shape, b.shape);
      const [x, y] = [repeated(a, shape).data, repeated(b, shape).data];
      if (x === undefined || y === undefined) return { shape, data: undefined };
      return { shape, data: x.map((v, k) => f(v, y[k]!, areWhole)) };
    }),
  ];
}

function repeated(part: Part, shape: readonly number[]): Part {
  const { data } = part;
  if (data === undefined) return { shape, data: undefined };
  if (sizeOf(shape) === data.length) return { shape, data };
  const place = broadcastPlace(part.shape, shape);
  return filled(shape, (k) => data[place(k)]!);
}

/** Numbers picked along an axis, which becomes any axes. */
function along(
  { shape: from, data }: Part,
  at: number,
  shape: readonly number[],
  places: readonly number[],
): Part {
  const [inner, length] = [sizeOf(from.slice(at + 1)), from[at]!];
  return filled(shape, (k) => {
    const within = Math.floor(k / inner) % places.length;
    const outer = Math.floor(k / inner / places.length);
    const place = places[within]!;
    return Number.isNaN(place) ? NaN : data![(outer * length + place) * inner + k % inner]!;
  });
}

function picked(part: Part, at: number, places: readonly number[] | undefined): Part {
  const shape = part.shape.with(at, places?.length ?? NaN);
  if (places === undefined || part.data === undefined) return { shape, data: undefined };
  return along(part, at, shape, places);
}

/** An index from the front; NaN where it is not known. */
export function placeIn(index: number, length: number): number {
  const place = index < 0 ? index + length : index;
  if (Number.isNaN(place) || Number.isInteger(place) && place >= 0 && place < length) return place;
  if (Number.isNaN(length)) return place;
  throw new UnreadNode(`the place ${index} is none of ${length}`);
}

/** What Slice takes of each axis, as it is written: from attributes before opset 10, from inputs after. */
export function sliceListsOf(
  step: Step,
  lists: readonly (Part | undefined)[],
): {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}[] {
  const list = (name: string, k: number) =>
    lists[k] === undefined
      ? hasAttribute(step, name) ? intsOf(step, name, NaN) : undefined
      : lists[k].data === undefined
      ? undefined
      : [...lists[k].data];
  const [starts, ends] = [list("starts", 0), list("ends", 1)];
  if (starts === undefined || ends === undefined || starts.length !== ends.length) {
    throw new UnreadNode("where it starts and ends is not known");
  }
  const axes = list("axes", 2) ?? starts.map((_, k) => k);
  const steps = list("steps", 3) ?? starts.map(() => 1);
  if (axes.length !== starts.length || steps.length !== starts.length) {
    throw new UnreadNode("its starts, ends, axes and steps differ in number");
  }
  return starts.map((start, k) => ({ axis: axes[k]!, start, end: ends[k]!, step: steps[k]! }));
}

/** What Slice takes of each axis. */
export function slicesOf(
  shape: readonly number[],
  step: Step,
  lists: readonly (Part | undefined)[],
): { readonly axis: number; readonly places: number[] | undefined }[] {
  return sliceListsOf(step, lists).map(({ axis: given, start, end, step }) => {
    const axis = axisOf(given, shape.length);
    return { axis, places: slicedPlaces(shape[axis]!, start, end, step) };
  });
}

/** How long each part of a Split is. */
export function splitLengths(length: number, step: Step, sizes: Part | undefined): number[] {
  const given = sizes === undefined
    ? hasAttribute(step, "split") ? intsOf(step, "split", NaN) : undefined
    : sizes.data && [...sizes.data];
  const count = step.node.outputs?.length ?? 1;
  if (given !== undefined) {
    const sum = given.reduce((a, b) => a + b, 0);
    if (given.length === count && (sum === length || Number.isNaN(length))) return given;
    throw new UnreadNode(`it splits ${length} into [${given}] for ${count} results`);
  }
  if (sizes !== undefined || Number.isNaN(length)) throw new UnreadNode("its parts are not known");
  const each = Math.ceil(length / count);
  return Array.from({ length: count }, (_, k) => Math.max(0, Math.min(each, length - k * each)));
}

/** Without axes of length 1. */
export function squeezedShape(shape: readonly number[], step: Step): number[] {
  const axes = intsOf(step, "axes", 1)?.map((axis) => axisOf(axis, shape.length));
  const wrong = axes?.find((axis) => shape[axis] !== 1 && !Number.isNaN(shape[axis]));
  if (wrong !== undefined) throw new UnreadNode(`it drops axis ${wrong} of [${shape}]`);
  if (axes === undefined && shape.some(Number.isNaN)) {
    throw new UnreadNode(`which axes it drops of [${shape}] is not known`);
  }
  return shape.filter((length, k) => axes === undefined ? length !== 1 : !axes.includes(k));
}

/** With axes of length 1. */
export function unsqueezedShape(shape: readonly number[], step: Step): number[] {
  const added = intsOf(step, "axes", 1) ?? [];
  const rank = shape.length + added.length;
  const at = new Set(added.map((axis) => axisOf(axis, rank)));
  if (at.size !== added.length) throw new UnreadNode("it adds an axis twice");
  const rest = [...shape];
  return Array.from({ length: rank }, (_, k) => at.has(k) ? 1 : rest.shift()!);
}

/** Two axes: those before one, and those from it on. */
export function flattenedShape(shape: readonly number[], step: Step): number[] {
  const axis = intOf(step, "axis", 1);
  const at = axis < 0 ? axis + shape.length : axis;
  if (at < 0 || at > shape.length) throw new UnreadNode(`axis ${axis} is none of ${shape.length}`);
  return [sizeOf(shape.slice(0, at)), sizeOf(shape.slice(at))];
}

/** The order in which Transpose puts axes. */
export function orderOf(rank: number, step: Step): number[] {
  const order = hasAttribute(step, "perm")
    ? intsOf(step, "perm", NaN)!
    : Array.from({ length: rank }, (_, k) => rank - 1 - k);
  if (order.length !== rank || new Set(order).size !== rank) {
    throw new UnreadNode(`its perm is [${order}] for ${rank} axes`);
  }
  return order.map((axis) => axisOf(axis, rank));
}

/** Which axes a reduction goes over, and the shape that is left; none are all. */
export function reducedAxes(
  shape: readonly number[],
  step: Step,
): { readonly axes: number[]; readonly left: number[] } {
  const given = intsOf(step, "axes", 1)?.map((axis) => axisOf(axis, shape.length)) ?? [];
  const isNone = given.length === 0 && intOf(step, "noop_with_empty_axes", 0) !== 0;
  const axes = given.length === 0 && !isNone ? shape.map((_, k) => k) : [...new Set(given)];
  const keeps = intOf(step, "keepdims", 1) !== 0;
  const left = shape.flatMap((length, k) => axes.includes(k) ? keeps ? [1] : [] : [length]);
  return { axes: axes.toSorted((a, b) => a - b), left };
}

function reduction(f: (a: number, b: number) => number, start: number): Fold {
  return ([x], step) => {
    const { axes, left } = reducedAxes(x!.shape, step);
    if (x!.data === undefined) return [{ shape: left, data: undefined }];
    const kept = x!.shape.map((length, k) => axes.includes(k) ? 1 : length);
    const place = broadcastPlace(kept, x!.shape);
    const { data } = filled(left, () => start);
    x!.data.forEach((value, k) => data![place(k)] = f(data![place(k)]!, value));
    return [{ shape: left, data }];
  };
}
