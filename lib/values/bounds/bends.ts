// The functions of gates, of which most numbers of a run are: what they do to an error, without taking
// them again.

import type { Activation } from "../activations.ts";
import { already, type Estimate, type Floats } from "./estimate.ts";
import { SMALLEST, UNIT_ROUNDOFF } from "./float32.ts";

/**
 * How far a float32 library may be off in a function such as exp or tanh, in units of the last
 * place. The least accurate one known here, the fast path of this package, is off by 4.7.
 */
const ULPS = 5;

/** The same, relative to a value: a unit of the last place is at most 2u. */
export const OWN: number = 2 * ULPS * UNIT_ROUNDOFF;

/** So far from x, a slope is told by the one at x and by how it bends there. */
const NEARBY = 2 ** -10;

/** What rounding in float64 may hide of a slope. */
const HIDDEN = 2 ** -51;

/**
 * What the slope is at x, from y = f(x); how fast ln f′ changes there, at most; and how fast that
 * changes, at most anywhere, halved. So f′(x + δ) ≤ f′(x)·e^(bend·|δ| + most·δ²).
 * f′ = y·(sum − y) + steepest, (ln f′)′ = sum − 2y.
 */
export interface Bend {
  readonly sum: number;
  readonly steepest: number;
  readonly most: number;
  /** What float32 is off by at least, besides {@linkcode OWN}·|y|. */
  readonly least: number;
}

/** σ′ = σ(1 − σ), (ln σ′)′ = 1 − 2σ, (ln σ′)″ = −2σ′; tanh′ = 1 − tanh², (ln tanh′)′ = −2 tanh. */
export const bends: Readonly<Record<"sigmoid" | "tanh", Bend>> = {
  // Some libraries hold e⁻ˣ back from overflowing, which leaves u where the result is 0.
  sigmoid: { sum: 1, steepest: 0, most: 0.25, least: UNIT_ROUNDOFF },
  tanh: { sum: 0, steepest: 1, most: 1, least: 0 },
};

/** Of a function that has one. */
export function bendOf({ activationName }: Activation): Bend | undefined {
  return Object.hasOwn(bends, activationName)
    ? bends[activationName as keyof typeof bends]
    : undefined;
}

/** How far f(x + δ) may be from f(x) = y, |δ| ≤ e: the slope is at most so steep on the way. */
function grows(y: number, e: number, sum: number, steepest: number, most: number): number {
  const bent = e * (Math.abs(sum - 2 * y) + e * most);
  return e * (y * (sum - y) + steepest + HIDDEN) * (1 + bent + bent * bent); // eᵇ ≤ 1 + b + b² up to b = 1
}

/** The same of many, NaN's infinite; undefined where that is too far. */
export function growthNearby(
  { sum, steepest, most }: Bend,
  x: Floats,
  y: Floats,
  error: Floats,
): Floats | undefined {
  const grown = new Float64Array(y.length);
  for (let k = 0; k < grown.length; k++) {
    const e = error[k]!;
    if (e === 0) continue;
    if (!(e < NEARBY)) return undefined;
    grown[k] = Number.isNaN(x[k]) ? Infinity : grows(y[k]!, e, sum, steepest, most);
  }
  return grown;
}

/**
 * The errors of y in one go, with what float32 itself adds; undefined where one of x's is too far, or
 * infinite, as those of NaN are.
 *
 * @param more how much more what is grown counts
 */
export function errorsNearby(
  { sum, steepest, most, least }: Bend,
  y: Floats,
  error: Floats,
  local: Floats,
  more: number,
): Pick<Estimate, "fresh" | "error" | "local"> | undefined {
  const { length } = y;
  const [fresh, all] = [new Float64Array(length), new Float64Array(length)];
  const alone = local === error ? all : new Float64Array(length);
  for (let k = 0; k < length; k++) {
    const [v, e, l] = [y[k]!, error[k]!, local[k]!];
    if (!(e < NEARBY && l < NEARBY)) return undefined;
    const own = OWN * Math.abs(v) + least + SMALLEST;
    fresh[k] = own;
    all[k] = grows(v, e, sum, steepest, most) * (1 + more) + own;
    if (alone !== all) alone[k] = grows(v, l, sum, steepest, most) * (1 + more) + own;
  }
  return { fresh: already(fresh), error: all, local: alone };
}
