// What an activation does to an error: how far its result may be off where its argument is, and how
// far a float32 implementation is off by itself.

import { activationRows } from "../activation_rows.ts";
import type { Activation } from "../activations.ts";
import { isBuiltIn } from "../built_in.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { bendOf, bends, errorsNearby, growthNearby, OWN } from "./bends.ts";
import { already, type Estimate, type Floats, UNBOUNDED } from "./estimate.ts";
import { gamma, SMALLEST, UNIT_ROUNDOFF } from "./float32.ts";

/** By name: the error of a float32 evaluation at x, whose result is f; `OWN·(|f| + |x| + 1)` else. */
const ownErrors: Partial<Record<string, (f: number, x: number) => number>> = {
  linear: () => 0,
  relu6: () => 0,
  hard_tanh: () => 0,
  hard_shrink: () => 0,
  threshold: (f) => UNIT_ROUNDOFF * Math.abs(f),
  relu: (f, x) => 4 * UNIT_ROUNDOFF * (f === 0 || f === x ? 0 : Math.abs(f) + Math.abs(x)),
  leaky_relu: (f) => 4 * UNIT_ROUNDOFF * Math.abs(f),
  soft_shrink: (f, x) => f === 0 ? 0 : 2 * UNIT_ROUNDOFF * Math.abs(x),
  softsign: (f) => 4 * UNIT_ROUNDOFF * Math.abs(f),
  sigmoid: (f) => OWN * f + bends.sigmoid.least,
  tanh: (f) => OWN * Math.abs(f) + bends.tanh.least,
  exponential: (f) => OWN * f,
  softplus: (f) => OWN * f,
  inverse: (f) => OWN * Math.abs(f),
  inverse_root: (f) => OWN * f,
  absolute: () => 0,
  // Two roundings of sums up to 6, a sixth of them, and one of the result.
  hard_sigmoid: (_, x) => Math.abs(x) > 3.01 ? 0 : 4 * UNIT_ROUNDOFF,
  hard_sigmoid_keras2: (_, x) => Math.abs(x) > 2.51 ? 0 : 4 * UNIT_ROUNDOFF,
  sparse_sigmoid: (_, x) => Math.abs(x) > 1.01 ? 0 : 4 * UNIT_ROUNDOFF,
};

/** Whether the activation takes each number by itself, not a row at a time. */
function isElementwise({ activationName }: Activation): boolean {
  return !Object.hasOwn(activationRows, activationName);
}

/** How much more a function may be off by itself where its argument is off too: first order will do. */
const MORE = 2 ** -18;

/** What the errors of x become in y = f(x), and what f itself adds. */
export function appliedErrors(
  f: Activation,
  { value: x, error, local, shape }: Pick<Estimate, "value" | "error" | "local" | "shape">,
  y: Floats,
): Pick<Estimate, "error" | "local" | "fresh"> {
  const bent = isBuiltIn(f) ? bendOf(f) : undefined;
  const nearby = bent && errorsNearby(bent, y, error, local, MORE);
  if (nearby !== undefined) return nearby;
  const width = shape.at(-1)!;
  const fresh = ownError(f, x, y, width);
  // What f itself is off by is taken at x; a little more where x is off.
  const grown = (error: Floats) => {
    const found = growth(f, x, y, error, width);
    for (let k = 0; k < found.length; k++) found[k] = found[k]! * (1 + MORE) + fresh[k]!;
    return found;
  };
  const all = grown(error);
  return { fresh: already(fresh), error: all, local: local === error ? all : grown(local) };
}

/** How far a float32 evaluation of f is off by itself; x are rows of that width, y = f(x). */
export function ownError(f: Activation, x: Floats, y: Floats, width: number): Floats {
  if (!isBuiltIn(f)) return y.map(() => UNBOUNDED); // nobody knows how float32 evaluates it
  if (!isElementwise(f)) return rowOwnError(f, x, y, width);
  const own = ownErrors[f.activationName] ??
    ((f: number, x: number) => OWN * (Math.abs(f) + Math.abs(x) + 1));
  const errors = new Float64Array(y.length);
  for (let k = 0; k < errors.length; k++) {
    const v = y[k]!;
    errors[k] = Number.isFinite(v) ? own(v, x[k]!) + SMALLEST : Infinity;
  }
  return errors;
}

/**
 * How far f(x + δ) may be from f(x) = y, |δ| ≤ error. Exact where f rises (or falls) throughout;
 * else the steepest slope at both ends and in the middle speaks for what is between.
 */
export function growth(f: Activation, x: Floats, y: Floats, error: Floats, width: number): Floats {
  if (!isBuiltIn(f)) return y.map(() => UNBOUNDED); // a slope here and there bounds nothing
  if (!isElementwise(f)) return rowGrowth(f, x, y, error, width);
  const bent = bendOf(f);
  const nearby = bent && growthNearby(bent, x, y, error);
  if (nearby !== undefined) return nearby;
  const low = x.map((v, k) => v - error[k]!);
  const high = x.map((v, k) => v + error[k]!);
  const slopes = [x, low, high].map((at) => slopesAt(f, at));
  return y.map((v, k) => {
    const e = error[k]!;
    if (e === 0) return 0;
    const span = Math.max(size(v - f(low[k]!)), size(f(high[k]!) - v));
    if (!(e < Infinity)) return span;
    return Math.max(span, e * Math.max(...slopes.map((slope) => size(slope[k]!))));
  });
}

/**
 * The gradient with respect to x from the one with respect to f(x). Within `error` of a kink or a
 * jump the slope is the steepest one that float32 may see there.
 */
export function backThrough(
  f: Activation,
  x: Tensor,
  error: Floats,
  gradient: Floats,
): Floats {
  const back = f.backward(x, new Tensor(gradient, x.shape)).data as Floats;
  if (!isElementwise(f)) return back;
  return back.map((dx, k) => {
    const [v, dy] = [x.data[k]!, gradient[k]!];
    const reach = Math.min(error[k]!, NEAR);
    if (dy === 0 || !(reach > SMALLEST)) return dx;
    const y = f(v);
    const step = Math.max(size(y - f(v - reach)), size(f(v + reach) - y)) / reach;
    const steeper = step * Math.abs(dy);
    return steeper > Math.abs(dx) * CURVED + FLAT * Math.abs(dy) ? steeper : dx;
  });
}

/** How near a kink counts, at most. */
const NEAR = 1e-4;
/** What a smooth curve's slope may change within that, so that it is not taken for a kink. */
const CURVED = 1.001;
const FLAT = 1e-3;

/** |x|; infinity for NaN: nothing is known there. */
function size(x: number): number {
  return Number.isNaN(x) ? Infinity : Math.abs(x);
}

function slopesAt(f: Activation, x: Floats): Floats {
  const at = new Tensor(x, [x.length]);
  return f.backward(at, new Tensor(new Float64Array(x.length).fill(1), [x.length])).data as Floats;
}

function rowOwnError(f: Activation, x: Floats, y: Floats, width: number): Floats {
  return overRows(x, y, y, width, (row, result) => {
    if (f.activationName === "softmax") {
      const max = largest(row); // e⁰ is exact; the others are off by x − max and by exp itself
      const exponents = row.map((v) => v === max ? 0 : UNIT_ROUNDOFF * (max - v) + OWN);
      const rest = gamma(width) + UNIT_ROUNDOFF; // the sum of the row, the quotient
      return spread(result, exponents).map((e, k) => e + rest * result[k]! + SMALLEST);
    }
    if (f.activationName === "log_softmax") {
      const logSum = 2 * OWN * (1 + Math.log(width)) + gamma(width);
      return result.map((p) => 2 * UNIT_ROUNDOFF * Math.abs(p) + logSum);
    }
    const total = row.reduce((a, v) => a + Math.abs(v), 1);
    return result.map(() => gamma(width + 2) * total); // sparsemax: sums and a difference
  });
}

function rowGrowth(f: Activation, x: Floats, y: Floats, error: Floats, width: number): Floats {
  return overRows(x, y, error, width, (row, result, e) => {
    if (!row.every(Number.isFinite) || !e.every((v) => v < Infinity)) {
      return row.map(() => f.activationName === "log_softmax" ? Infinity : 1);
    }
    if (f.activationName === "softmax") return spread(result, e);
    if (f.activationName === "log_softmax") {
      const shift = largest(e);
      return e.map((v) => v + shift);
    }
    return row.map(() => norm(e)); // a projection brings no two points further apart
  });
}

/**
 * How far each probability of a softmax may be off where its logits are, exactly: the farthest is
 * where one logit is off upwards and all others downwards, or the other way round.
 */
function spread(p: Floats, e: Floats): Floats {
  // For pairs j ≠ k, eᵃ⁺ᵇ − 1 = (eᵇ − 1) + eᵇ(eᵃ − 1), so that two sums over all j serve every k.
  const reach = e.map((v) => Math.min(v, ENDLESS));
  const rest = othersSum(p);
  const ups = othersSum(p.map((pj, j) => -pj * Math.expm1(-reach[j]!)));
  const downs = othersSum(p.map((pj, j) => pj * Math.expm1(reach[j]!)));
  return p.map((pk, k) => {
    if (pk === 0) return 0;
    const own = reach[k]!;
    const up = -rest[k]! * Math.expm1(-own) + Math.exp(-own) * ups[k]!;
    const down = rest[k]! * Math.expm1(own) + Math.exp(own) * downs[k]!;
    const [higher, lower] = [pk * up / (1 - up), pk * (down === Infinity ? 1 : down / (1 + down))];
    return Math.min(1, Math.max(size(higher), lower));
  });
}

/** An error of a logit from which on a probability may be anything: e¹⁰⁰⁰ is above any float64. */
const ENDLESS = 500;

/** For each k, the sum of all others; not by subtraction, which would lose what is small. */
function othersSum(row: Floats): Floats {
  const sums = new Float64Array(row.length);
  let [before, after] = [0, 0];
  for (let k = 0; k < row.length; k++) {
    const back = row.length - 1 - k;
    sums[k]! += before;
    sums[back]! += after;
    before += row[k]!;
    after += row[back]!;
  }
  return sums;
}

/** Not by spreading: a row may be longer than a call has room for. NaN stays. */
function largest(row: Floats): number {
  return row.reduce((max, v) => Math.max(max, v), -Infinity);
}

function norm(row: Floats): number {
  return Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
}

function overRows(
  x: Floats,
  y: Floats,
  e: Floats,
  width: number,
  each: (x: Floats, y: Floats, e: Floats) => Floats,
): Floats {
  const out = new Float64Array(y.length);
  for (let start = 0; start < y.length; start += width) {
    const row = (all: Floats) => all.subarray(start, start + width);
    out.set(each(row(x), row(y), row(e)), start);
  }
  return out;
}
