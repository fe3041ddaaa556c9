// The operators that ONNX's exporters compute shapes and weights with, on numbers as far as they are
// known (onnx/defs).

import { sizeOf } from "../../tensor/shape.ts";
import { hasAttribute, intOf } from "./attributes.ts";
import {
  broadcastPlace,
  broadcastShape,
  checkCount,
  filled,
  listed,
  type Part,
  reshapedShape,
} from "./known.ts";
import {
  flattenedShape,
  orderOf,
  placeIn,
  reducedAxes,
  slicesOf,
  splitLengths,
  squeezedShape,
  unsqueezedShape,
} from "./axes.ts";
import { axisOf, UnreadNode } from "./errors.ts";
import type { Step } from "./step.ts";

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
