// Parts of results that Keras's layers give: a place or a stretch of an axis, one direction of two, the
// last step, which a recurrent layer gives by itself.

import type { Connection } from "../../layers/connection.ts";
import { getItem, type ItemIndex } from "../../layers/get_item.ts";
import type { GraphBuild } from "./build.ts";
import { UnreadNode } from "./errors.ts";
import { type Factor, sameFactors, type View } from "./views.ts";

/** Where exporters end a slice that goes to the end. */
const FAR_END = 2 ** 31 - 1;

/** A place of an axis, which is gone; undefined where no layer of Keras's gives it. */
export function pickPlace(
  build: GraphBuild,
  x: Connection,
  axis: number,
  place: number,
  isAlone = false,
): Connection | undefined {
  const joined = build.joined.get(x);
  if (joined?.axis === axis) {
    const total = joined.lengths.reduce((a, b) => a + b, 0);
    let rest = place < 0 ? place + total : place;
    const k = joined.lengths.findIndex((length) => (rest -= length) < 0);
    if (k >= 0 && rest + joined.lengths[k]! >= 0) {
      return pickPlace(build, joined.parts[k]!, axis, rest + joined.lengths[k]!);
    }
  }
  const view = build.viewOf(x);
  const picked = pickedOf(build, view, axis, place, isAlone);
  return picked && build.show(picked, "Pick");
}

function pickedOf(
  build: GraphBuild,
  view: View,
  axis: number,
  place: number,
  isAlone: boolean,
): View | undefined {
  const { of, own, axes, backwards } = view;
  const factors = axes[axis]!;
  if (factors.length === 0) {
    if (place !== 0 && place !== -1) throw new UnreadNode(`the place ${place} is none of 1`);
    return { ...view, axes: axes.toSpliced(axis, 1) };
  }
  const [factor] = factors as [Factor];
  const at = own.findIndex((one) => one.includes(factor));
  if (factors.length > 1 || at === 0 || own[at]![0] !== factor) return undefined;
  const rest = own[at]!.slice(1);
  const gone = new Set(backwards);
  gone.delete(factor);
  const left = (result: Connection, own: View["own"]): View => ({
    of: result,
    own,
    axes: axes.toSpliced(axis, 1),
    backwards: gone,
  });
  const index = backwards.has(factor) ? -1 - place : place;
  if (rest.length === 0) {
    const last = isAlone && at === 1 && index === -1 ? lastStep(build, view, factor) : undefined;
    const result = last ?? part(build, of, at, index);
    return left(result, own.toSpliced(at, 1));
  }
  const width = rest.reduce((product, { length }) => product * length, 1);
  if (Number.isNaN(width + factor.length) || rest.some((one) => backwards.has(one))) {
    return undefined;
  }
  const from = index < 0 ? index + factor.length : index;
  if (from < 0 || from >= factor.length) {
    throw new UnreadNode(`the place ${place} is none of ${factor.length}`);
  }
  const result = part(build, of, at, [from * width, (from + 1) * width]);
  build.picked.set(result, { from: view, factor, at: place < 0 ? place + factor.length : place });
  return left(result, own.with(at, rest));
}

function part(build: GraphBuild, of: Connection, axis: number, index: ItemIndex): Connection {
  const whole: ItemIndex[] = Array.from({ length: axis - 1 }, () => [null, null]);
  return build.apply(getItem({ index: [...whole, index] }), [of])[0]!;
}

/** The last step of a sequence that a recurrent layer goes through in the order of time. */
function lastStep(build: GraphBuild, { of, own }: View, factor: Factor): Connection | undefined {
  const { layer, inputs } = of.call ?? {};
  const vary = layer && build.variants.get(layer);
  const { className, config } = layer ?? {};
  if (vary === undefined || className === "Bidirectional" || own[1]![0] !== factor) {
    return undefined;
  }
  const isPlain = config!.return_sequences === true && config!.return_state === false &&
    config!.go_backwards === false;
  if (!isPlain) return undefined;
  return build.apply(vary({ returnSequences: false }), inputs!, build.arraysOf(layer!))[0]!;
}

/** A stretch of an axis, or all of it backwards; undefined where it is no such thing. */
export function pickStretch(
  build: GraphBuild,
  x: Connection,
  axis: number,
  { start, end, step }: { readonly start: number; readonly end: number; readonly step: number },
  isAlone: boolean,
): Connection | undefined {
  const view = build.viewOf(x);
  const { of, own, axes, backwards } = view;
  const [factor] = axes[axis]!;
  if (factor === undefined || axes[axis]!.length > 1) return undefined;
  const length = factor.length;
  const isFromEnd = start === -1 || start >= FAR_END || start >= length - 1;
  if (step === -1 && isFromEnd && (end <= -FAR_END || end < -length)) {
    const turned = new Set(backwards);
    if (!turned.delete(factor)) turned.add(factor);
    return build.show({ ...view, backwards: turned }, "Reverse");
  }
  if (step !== 1) return undefined;
  const isToEnd = end >= FAR_END || end >= length;
  if (isToEnd && start === 0) return x;
  const isLast = isToEnd && (start === -1 || start === length - 1);
  if (isLast || end - start === 1 && start >= 0 === end >= 0) {
    const one = pickedOf(build, view, axis, isLast ? -1 : start, isAlone);
    return one && build.show({ ...one, axes: one.axes.toSpliced(axis, 0, []) }, "Pick");
  }
  const at = own.findIndex((one) => one.includes(factor));
  if (at === 0 || own[at]!.length > 1 || backwards.has(factor)) return undefined;
  const index = [start === 0 ? null : start, isToEnd ? null : end] as const;
  const result = part(build, of, at, index);
  const left = { length: result.shape[at - 1] ?? NaN };
  const shown = left.length === 1 ? [] : [left];
  return build.show({
    of: result,
    own: own.with(at, shown),
    axes: axes.with(axis, shown),
    backwards,
  }, "Pick");
}

/** Places of one axis, one after the other and all of them, joined again: as if none were picked. */
export function rejoined(
  build: GraphBuild,
  parts: readonly Connection[],
  axis: number,
): Connection | undefined {
  const views = parts.map((one) => build.viewOf(one));
  const found = views.map(({ of }) => build.picked.get(of));
  const [first] = found;
  const isWhole = first !== undefined && parts.length === first.factor.length &&
    found.every((one, k) =>
      one !== undefined && one.at === k && one.factor === first.factor &&
      one.from.of === first.from.of
    );
  const { axes, backwards } = views[0]!;
  const areAlike = isWhole && views.every((view) =>
    view.axes.length === axes.length &&
    view.axes.every((factors, k) => sameFactors(factors, axes[k]!)) &&
    [...view.backwards].join() === [...backwards].join()
  );
  if (!areAlike) return undefined;
  const { from, factor } = first!;
  const turned = new Set(backwards);
  if (from.backwards.has(factor)) turned.add(factor);
  const whole = axes.with(axis, [factor, ...axes[axis]!]);
  return build.show({ ...from, axes: whole, backwards: turned }, "Concat");
}
