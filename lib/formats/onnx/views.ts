// A result as a graph looks at it: the axes of what a layer gives, in another order, joined, parted,
// or backwards. What only moves numbers changes the view; where two undo each other nothing is left.

import type { Connection } from "../../layers/connection.ts";
import type { Layer } from "../../layers/layer.ts";
import { permute } from "../../layers/permute.ts";
import { reshape } from "../../layers/reshape.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { permuted, pickedAlong } from "../../values/arrange.ts";
import { fullShape, type Operation } from "./node_layers.ts";

/** An axis, or a part of one: lengths multiply. Told apart by identity; of length 1 there is none. */
export interface Factor {
  /** NaN where it is not known. */
  readonly length: number;
}

/** How a result is looked at. */
export interface View {
  readonly of: Connection;
  /** Its own axes, the first included. */
  readonly own: readonly (readonly Factor[])[];
  /** The axes as they are seen. */
  readonly axes: readonly (readonly Factor[])[];
  /** Those that are seen from their end. */
  readonly backwards: ReadonlySet<Factor>;
}

/** A result as it is. */
export function plainView(of: Connection): View {
  const own = fullShape(of).map((length) => length === 1 ? [] : [{ length }]);
  return { of, own, axes: own, backwards: new Set() };
}

/** The result of a layer whose axes have parts: the lengths of each, NaN where it is not known. */
export function partedView(of: Connection, parts: readonly (readonly number[])[]): View {
  const own = parts.map((lengths) =>
    lengths.filter((length) => length !== 1).map((length) => ({ length }))
  );
  return { of, own, axes: own, backwards: new Set() };
}

/** Whether it is the result as it is. */
export function isPlain({ own, axes, backwards }: View): boolean {
  return backwards.size === 0 && axes.length === own.length &&
    axes.every((factors, k) => sameFactors(factors, own[k]!));
}

/** Whether two axes are of the same factors. */
export function sameFactors(a: readonly Factor[], b: readonly Factor[]): boolean {
  return a.length === b.length && a.every((factor, k) => factor === b[k]);
}

/** How long the factors are where the result has this shape. */
export function lengthsOfFactors(
  { own }: Pick<View, "own">,
  shape: readonly number[],
): ReadonlyMap<Factor, number> {
  const lengths = new Map<Factor, number>();
  own.forEach((factors, axis) => {
    const known = product(factors.map(({ length }) => length).filter((n) => !Number.isNaN(n)));
    for (const factor of factors) {
      const isOpen = Number.isNaN(factor.length);
      lengths.set(factor, isOpen ? shape[axis]! / known : factor.length);
    }
  });
  return lengths;
}

/** What computes a view of a result. */
export function operationOf(view: View): Operation {
  const { own, axes, backwards } = view;
  const flat = own.flat();
  const order = axes.flat().map((factor) => flat.indexOf(factor));
  const lengthsIn = (shape: readonly number[]) => lengthsOfFactors(view, shape);
  const shapeIn = (lengths: ReadonlyMap<Factor, number>) =>
    axes.map((factors) => product(factors.map((factor) => lengths.get(factor)!)));
  return {
    shapes: ([{ shape }]) => [shapeIn(lengthsIn(shape))],
    run: (o, [{ value, shape }]) => {
      const lengths = lengthsIn(shape);
      let x = o.reshape(value, flat.map((factor) => lengths.get(factor)!));
      if (order.some((from, to) => from !== to)) x = permuted(o, x, order);
      axes.flat().forEach((factor, axis) => {
        if (!backwards.has(factor)) return;
        const length = lengths.get(factor)!;
        const places = Array.from({ length }, (_, k) => length - 1 - k);
        x = pickedAlong(o, x, axis, places);
      });
      return [o.reshape(x, shapeIn(lengths))];
    },
  };
}

/** The layer of Keras's that computes a view, where one does: of each sample by itself. */
export function movingLayer({ own, axes, backwards }: View): Layer | undefined {
  const isOfSamples = own.length > 1 && axes.length > 1 && backwards.size === 0 &&
    own[0]!.length === 1 && sameFactors(own[0]!, axes[0]!);
  if (!isOfSamples) return undefined;
  const [from, to] = [own.slice(1), axes.slice(1)];
  const dims = to.map((factors) => 1 + from.findIndex((one) => sameFactors(one, factors)));
  if (dims.length === from.length && new Set(dims).size === dims.length && !dims.includes(0)) {
    return permute({ dims });
  }
  const lengths = to.map((factors) => product(factors.map(({ length }) => length)));
  const isSame = sameFactors(from.flat(), to.flat()) &&
    lengths.filter(Number.isNaN).length <= 1;
  return isSame
    ? reshape({ targetShape: lengths.map((length) => Number.isNaN(length) ? -1 : length) })
    : undefined;
}

const product = (lengths: readonly number[]) => sizeOf(lengths);

/** The lengths of its axes as far as they are known. */
export function lengthsOfView({ axes }: View): number[] {
  return axes.map((factors) => product(factors.map(({ length }) => length)));
}

/** Which factors, or parts of them, an axis of another shape is of: their places, and the parts' lengths. */
type Grouping = readonly (readonly (readonly [factor: number, part?: number])[])[];

/**
 * How a shape groups the factors, whose lengths are these; undefined where it cuts through one that
 * is not known beforehand, or where which axis of length 1 is which cannot be told.
 */
export function groupingOf(
  { axes }: View,
  lengths: ReadonlyMap<Factor, number>,
  target: readonly number[],
): Grouping | undefined {
  const flat = axes.flat();
  const left = flat.map((factor) => lengths.get(factor)!);
  // Axes of length 1 that a call could give another length, one after the other.
  const sizeIn = (factors: readonly Factor[]) => product(factors.map((one) => lengths.get(one)!));
  const ones = left.includes(1) ? axes.filter((factors) => sizeIn(factors) === 1) : undefined;
  if (ones && ones.length !== target.filter((length) => length === 1).length) return undefined;
  let [at, one] = [0, 0];
  const groups: (readonly [number, number?])[][] = [];
  for (const wanted of target) {
    const group: (readonly [number, number?])[] = [];
    if (ones && wanted === 1) { for (const _ of ones[one++]!) group.push([at++]); }
    let size = 1;
    while (size !== wanted) {
      const factor = left[at];
      const missing = wanted / size;
      if (factor === undefined || factor === 1) return undefined;
      if (missing % factor === 0) {
        group.push(factor === lengths.get(flat[at]!) ? [at] : [at, factor]);
        size *= factor;
        at++;
      } else if (factor % missing === 0 && !Number.isNaN(flat[at]!.length)) {
        group.push([at, missing]);
        left[at] = factor / missing;
        size = wanted;
      } else return undefined;
    }
    groups.push(group);
  }
  return at === flat.length ? groups : undefined;
}

/** The view with its axes grouped otherwise. */
export function regrouped(view: View, grouping: Grouping): View {
  const flat = view.axes.flat();
  const pieces = flat.map((): Factor[] => []);
  const axes = grouping.map((group) =>
    group.map(([k, part]) => {
      const piece = part === undefined ? flat[k]! : { length: part };
      pieces[k]!.push(piece);
      return piece;
    })
  );
  const own = view.own.map((factors) =>
    factors.flatMap((factor) => {
      const k = flat.indexOf(factor);
      return k < 0 ? [factor] : pieces[k]!;
    })
  );
  const backwards = new Set(
    flat.flatMap((factor, k) => view.backwards.has(factor) ? pieces[k]! : []),
  );
  return { ...view, own, axes, backwards };
}
