// What ONNX's operators make of axes: which are dropped, cut, turned or summed over (onnx/defs).

import { sizeOf } from "../../tensor/shape.ts";
import { hasAttribute, intOf, intsOf } from "./attributes.ts";
import { axisOf, UnreadNode } from "./errors.ts";
import { type Part, slicedPlaces } from "./known.ts";
import type { Step } from "./step.ts";

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
