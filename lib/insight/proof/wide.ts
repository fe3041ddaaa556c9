// Where rounding may move a number so far that a comparison tells nothing.

import { isGate, type SiteName } from "../../cells/sites.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { UNIT_ROUNDOFF } from "../../values/bounds/float32.ts";

/**
 * A run decides nothing where rounding may move a number by more than this share of its range: a
 * wrong gate, weight or timestep could hide there. Measured on the tests' 200 clean runs and 225
 * corrupted ones: the widest clean bound is 1.7e-5 of the range, and three in four corruptions move
 * the prediction by more than 3e-3.
 */
export const WIDE = 1e-3;

/** Nothing is wide that a float32 beside 1 would not show. */
export function isWide(bound: number, range: number): boolean {
  return bound > widest(range);
}

/** The largest bound that is not. */
function widest(range: number): number {
  return Math.max(WIDE * range, UNIT_ROUNDOFF);
}

/** The first of many bounds that is; -1 where none is. */
export function firstWide(
  bounds: ArrayLike<number>,
  range: number,
  from = 0,
  to: number = bounds.length,
): number {
  const limit = widest(range);
  for (let k = from; k < to; k++) if (bounds[k]! > limit) return k;
  return -1;
}

/** The range of a site whose numbers have that size at most: a gate's is 1, whatever it does here. */
export function rangeOf(site: SiteName, largest: number): number {
  return isGate(site) ? Math.max(1, largest) : largest;
}

/** The largest size of a tensor's finite numbers; of one unit where it is said. */
export function largestOf({ data, shape }: Pick<Tensor, "data" | "shape">, unit?: number): number {
  const width = unit === undefined ? 1 : shape.at(-1)!;
  let found = 0;
  for (let k = unit ?? 0; k < data.length; k += width) {
    const size = Math.abs(data[k]!);
    if (size < Infinity && size > found) found = size;
  }
  return found;
}
