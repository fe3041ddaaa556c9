// The operations of a run with the errors of their results, remembered in their order. So one can ask
// the other way round, too: how much each rounding counts in one number of the result (Linnainmaa 1976).

import { sizeOf } from "../../tensor/shape.ts";
import { asFloat64, Tensor } from "../../tensor/tensor.ts";
import type { Activation } from "../activations.ts";
import { lastAxisParts } from "../arrange.ts";
import { move, moveBack } from "../moves.ts";
import type { Moves, Ops } from "../ops.ts";
import { backThrough, growth, ownError } from "./activation_error.ts";
import { affineErrors, type AffineTerm, backAffine } from "./affine_error.ts";
import { type Estimate, type Floats, UNBOUNDED } from "./estimate.ts";
import { distance, gamma, SMALLEST, UNIT_ROUNDOFF } from "./float32.ts";

/** How much more a function may be off by itself where its argument is off too: first order will do. */
const MORE = 2 ** -18;

const GIVEN = { op: "given" } as const;

const MAX_FLOAT32 = 2 ** 128 - 2 ** 104;

/** What a state of an earlier run is known to, relative where above 1. */
const STATE_ERROR = 16 * UNIT_ROUNDOFF;

/** The operations of a run, in the order in which they were done. */
export class Bounds implements Ops<Estimate> {
  readonly #estimates: Estimate[] = [];
  /** Of each activation, as it is applied. */
  readonly #applies: (f: Activation) => void;

  /** @param applies sees each activation before it is applied */
  constructor(applies: (f: Activation) => void = () => {}) {
    this.#applies = applies;
  }

  numbers({ value, shape }: Estimate): Tensor {
    return new Tensor(value, shape);
  }

  /** What an earlier run left, in whatever precision it was computed. */
  remembered(x: Tensor): Estimate {
    return this.given(x, STATE_ERROR);
  }

  /**
   * Numbers that come from outside; float32 rounds those that it cannot hold.
   *
   * @param known to what they are known, relative where above 1: exactly, unless said
   */
  given(x: Tensor, known: number = 0): Estimate {
    const value = Float64Array.from(x.data);
    const rounding = value.map((v) =>
      (distance(Math.fround(v), v) || 0) + known * Math.max(1, Math.abs(v))
    );
    return this.#add({
      shape: x.shape,
      value,
      error: rounding,
      local: rounding,
      fresh: rounding.some((e) => e !== 0) ? rounding : undefined,
      back: undefined,
      origin: GIVEN,
    });
  }

  /**
   * In an estimate's place, the numbers that somebody else got there: known to their own rounding.
   *
   * @param mask `[batch]`: what a masked step carries on is known as it was in the step before
   */
  anchored(estimate: Estimate, given: ArrayLike<number>, mask?: Floats): Estimate {
    const known = (k: number) => Number.isFinite(given[k]!);
    const { value, shape } = estimate;
    const units = shape[1]!;
    const error = mask === undefined
      ? estimate.local
      : estimate.local.map((local, k) =>
        mask[Math.floor(k / units)] === 0 ? estimate.error[k]! : local
      );
    return this.#add({
      shape,
      value: value.map((v, k) => known(k) ? given[k]! : v),
      error,
      local: new Float64Array(error.length),
      fresh: error,
      back: undefined,
      origin: GIVEN,
    });
  }

  /** Σ xₖ·Wₖ + b over the last axis. */
  affine(terms: readonly AffineTerm[], b?: Estimate): Estimate {
    return this.#add({
      ...affineErrors(terms, b),
      origin: { op: "affine", terms, b },
      back: (gradient, of) => terms.forEach(([x, W]) => backAffine(gradient, W, of(x))),
    });
  }

  /** f(x), of each number or of each row. */
  apply(f: Activation, x: Estimate): Estimate {
    this.#applies(f);
    const width = x.shape.at(-1)!;
    const tensor = new Tensor(x.value, x.shape);
    const value = asFloat64(f(tensor)).data;
    const fresh = ownError(f, x.value, value, width);
    // What f itself is off by is taken at x; a little more where x is off.
    const grown = (error: Floats) =>
      growth(f, x.value, value, error, width).map((e, k) => e * (1 + MORE) + fresh[k]!);
    const error = grown(x.error);
    return this.#add({
      shape: x.shape,
      origin: { op: "apply", f, x },
      value,
      error,
      local: x.local === x.error ? error : grown(x.local),
      fresh,
      back: (gradient, of) => addTo(of(x), backThrough(f, tensor, x.error, gradient)),
    });
  }

  /** Σ aₖ ⊙ bₖ: a rounding for each product and each sum. */
  sumOfProducts(...pairs: readonly (readonly [Estimate, Estimate])[]): Estimate {
    const { shape, value: { length } } = pairs[0]![0];
    const rounding = gamma(pairs.length);
    const value = new Float64Array(length);
    const fresh = new Float64Array(length).fill(SMALLEST);
    const sameLocal = pairs.every((pair) => pair.every((x) => x.local === x.error));
    const error = new Float64Array(length);
    const local = sameLocal ? error : new Float64Array(length);
    for (const [a, b] of pairs) {
      for (let k = 0; k < length; k++) {
        const [x, y] = [a.value[k]!, b.value[k]!];
        value[k]! += x * y;
        fresh[k]! += rounding * Math.abs(x * y);
        error[k]! += productError(x, y, a.error[k]!, b.error[k]!) * (1 + rounding);
        if (sameLocal) continue;
        local[k]! += productError(x, y, a.local[k]!, b.local[k]!) * (1 + rounding);
      }
    }
    addTo(error, fresh);
    if (!sameLocal) addTo(local, fresh);
    return this.#add({
      shape,
      origin: { op: "products", pairs },
      value,
      error,
      local,
      fresh,
      back: (gradient, of) => {
        for (const [a, b] of pairs) {
          const [da, db] = [of(a), of(b)];
          gradient.forEach((g, k) => {
            if (g === 0) return;
            da[k]! += g * b.value[k]!;
            db[k]! += g * a.value[k]!;
          });
        }
      },
    });
  }

  /** Σ xₖ: a rounding for each sum. */
  add(...xs: readonly Estimate[]): Estimate {
    const [rounding, { shape, value: { length } }] = [gamma(xs.length - 1), xs[0]!];
    const value = new Float64Array(length);
    const fresh = new Float64Array(length).fill(SMALLEST);
    const [error, local] = [new Float64Array(length), new Float64Array(length)];
    for (const x of xs) {
      for (let k = 0; k < length; k++) {
        value[k]! += x.value[k]!;
        fresh[k]! += rounding * Math.abs(x.value[k]!);
        error[k]! += x.error[k]! * (1 + rounding);
        local[k]! += x.local[k]! * (1 + rounding);
      }
    }
    return this.#add({
      shape,
      value,
      error: plus(error, fresh),
      local: plus(local, fresh),
      fresh,
      back: (gradient, of) => xs.forEach((x) => addTo(of(x), gradient)),
      origin: { op: "sum", xs, factor: 1 },
    });
  }

  /** factor · x: exact where the factor is a power of two. */
  scale(x: Estimate, factor: number): Estimate {
    const [scaled, size] = [(v: number) => v * factor, Math.abs(factor)];
    const value = x.value.map(scaled);
    const isExact = Number.isInteger(Math.log2(size));
    const fresh = isExact ? undefined : value.map((v) => 2 * gamma(1) * Math.abs(v) + SMALLEST);
    const off = (errors: Floats) =>
      errors.map((e, k) => e * size * (1 + gamma(1)) + (fresh?.[k] ?? 0));
    return this.#add({
      shape: x.shape,
      value,
      error: off(x.error),
      local: off(x.local),
      fresh,
      back: (gradient, of) => addTo(of(x), gradient.map(scaled)),
      origin: { op: "sum", xs: [x], factor },
    });
  }

  /** 1 − x: one rounding. */
  oneMinus(x: Estimate): Estimate {
    const value = x.value.map((v) => 1 - v);
    const fresh = value.map((v) => gamma(1) * Math.abs(v) + SMALLEST);
    const off = (errors: Floats) => errors.map((e, k) => e * (1 + gamma(1)) + fresh[k]!);
    return this.#add({
      shape: x.shape,
      value,
      error: off(x.error),
      local: off(x.local),
      fresh,
      back: (gradient, of) => addTo(of(x), gradient.map((g) => -g)),
      origin: { op: "computed", xs: [x] },
    });
  }

  blocks(x: Estimate, count: number): Estimate[] {
    return lastAxisParts(this, x, count);
  }

  arrange(shape: readonly number[], sources: readonly Estimate[], moves: Moves): Estimate {
    const length = sizeOf(shape);
    const pick = (what: "value" | "error" | "local") =>
      move(new Float64Array(length), sources.map((source) => source[what]), moves);
    const error = pick("error");
    return this.#add({
      shape,
      value: pick("value"),
      error,
      local: sources.every((x) => x.local === x.error) ? error : pick("local"),
      fresh: undefined,
      back: (gradient, of) => sources.forEach((x, k) => moveBack(of(x), k, gradient, moves)),
      origin: { op: "arrange", sources, moves },
    });
  }

  reshape(x: Estimate, shape: readonly number[]): Estimate {
    return this.#add({
      ...x,
      shape,
      fresh: undefined,
      back: (gradient, of) => addTo(of(x), gradient),
      origin: { op: "reshape", x },
    });
  }

  /**
   * How far roundings together may move one number of each sample's result: each counted by the
   * gradient of that number, to first order.
   *
   * @param result `[batch, …]`
   * @param element which number of a sample, counted through
   * @returns one bound a sample
   */
  sensitivity(result: Estimate, element: number): Floats {
    const batch = result.shape[0]!;
    const bound = new Float64Array(batch);
    const gradients = new Map<Estimate, Floats>();
    const of = (estimate: Estimate) => {
      let gradient = gradients.get(estimate);
      if (gradient === undefined) {
        gradient = new Float64Array(estimate.value.length);
        gradients.set(estimate, gradient);
      }
      return gradient;
    };
    const each = result.value.length / batch;
    for (let n = 0; n < batch; n++) of(result)[n * each + element] = 1;
    for (const estimate of this.#estimates.toReversed()) {
      const gradient = gradients.get(estimate);
      if (gradient === undefined) continue;
      gradients.delete(estimate);
      const { fresh, back } = estimate;
      const perSample = gradient.length / batch; // samples stay the first axis throughout
      for (let k = 0; fresh !== undefined && k < gradient.length; k++) {
        const g = gradient[k]!;
        if (g !== 0) bound[Math.floor(k / perSample)]! += Math.abs(g) * fresh[k]!;
      }
      back?.(gradient, of);
    }
    return bound;
  }

  #add(estimate: Estimate): Estimate {
    const { value, error, local, fresh } = estimate;
    for (let k = 0; k < value.length; k++) {
      const reach = Math.abs(value[k]!) + error[k]!;
      if (reach <= MAX_FLOAT32) continue; // float32 may overflow, and NaN is no number at all
      error[k] = UNBOUNDED;
      if (!(Math.abs(value[k]!) + local[k]! <= MAX_FLOAT32)) local[k] = UNBOUNDED;
      if (fresh !== undefined && !(fresh[k]! <= MAX_FLOAT32)) fresh[k] = UNBOUNDED;
    }
    this.#estimates.push(estimate);
    return estimate;
  }
}

/** |(x + dx)(y + dy) − xy|, at most; 0 where a factor is 0 for sure, whatever the other one. */
function productError(x: number, y: number, dx: number, dy: number): number {
  const left = dy === 0 ? 0 : (Math.abs(x) + dx) * dy;
  const right = dx === 0 || y === 0 ? 0 : Math.abs(y) * dx;
  return left + right;
}

function addTo(into: Floats, more: Floats): void {
  for (let k = 0; k < into.length; k++) into[k]! += more[k]!;
}

function plus(a: Floats, b: Floats): Floats {
  return a.map((x, k) => x + b[k]!);
}
