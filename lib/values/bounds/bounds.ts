// The operations of a run with the errors of their results, each of which remembers its operands. So one
// can ask the other way round, too: how much each rounding counts in one number of the result
// (Linnainmaa 1976).

import type { Work } from "../../base/work.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { asFloat64, Tensor } from "../../tensor/tensor.ts";
import type { Activation } from "../activations.ts";
import { lastAxisParts } from "../arrange.ts";
import { move, moveBack } from "../moves.ts";
import { numbers } from "../numbers.ts";
import type { Moves, Ops } from "../ops.ts";
import { operandsOf } from "../origin.ts";
import { byLoops, type Product } from "../product.ts";
import { appliedErrors, backThrough } from "./activation_error.ts";
import { affineErrors, type AffineTerm, backAffine, isOff } from "./affine_error.ts";
import { already, type Estimate, type Floats, UNBOUNDED } from "./estimate.ts";
import { distance, gamma, SMALLEST, UNIT_ROUNDOFF } from "./float32.ts";

const GIVEN = { op: "given" } as const;

const MAX_FLOAT32 = 2 ** 128 - 2 ** 104;

/** So many operations on the way back are one piece. */
const PIECE = 16;

/** What a state of an earlier run is known to, relative where above 1. */
const STATE_ERROR = 16 * UNIT_ROUNDOFF;

/** The operations of a run; what nobody holds any more is forgotten. */
export class Bounds implements Ops<Estimate> {
  #count = 0;
  #zeros: Floats = new Float64Array(0);
  /** Of each activation, as it is applied. */
  readonly #applies: (f: Activation) => void;
  readonly #product: Product;

  /**
   * @param applies sees each activation before it is applied
   * @param product who multiplies. Default: three loops.
   */
  constructor(applies: (f: Activation) => void = () => {}, product: Product = byLoops) {
    this.#applies = applies;
    this.#product = product;
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
   * @param known to what they are known, relative where above 1. Default: exactly.
   */
  given(x: Tensor, known: number = 0): Estimate {
    const value = Float64Array.from(x.data);
    const rounding = value.map((v) =>
      (distance(Math.fround(v), v) || 0) + (known && known * Math.max(1, Math.abs(v)))
    );
    return this.#add({
      shape: x.shape,
      value,
      error: rounding,
      local: rounding,
      fresh: rounding.some((e) => e !== 0) ? already(rounding) : undefined,
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
    const { shape } = estimate;
    const units = shape[1]!;
    const error = mask === undefined
      ? estimate.local
      : estimate.local.map((local, k) =>
        mask[Math.floor(k / units)] === 0 ? estimate.error[k]! : local
      );
    const value = estimate.value.slice();
    let isLarge = false;
    for (let k = 0; k < value.length; k++) {
      const theirs = given[k]!;
      if (theirs - theirs === 0) value[k] = theirs; // finite
      if (!(Math.abs(value[k]!) <= MAX_FLOAT32)) isLarge = true;
    }
    return this.#add({
      shape,
      value,
      error,
      local: isLarge ? new Float64Array(value.length) : this.#zerosOf(value.length),
      fresh: already(error),
      back: undefined,
      origin: GIVEN,
    });
  }

  /** Σ xₖ·Wₖ + b over the last axis. */
  affine(terms: readonly AffineTerm[], b?: Estimate): Estimate {
    return this.#add({
      ...affineErrors(terms, b, this.#product),
      origin: { op: "affine", terms, b },
      back: (gradient, of) =>
        terms.forEach(([x, W]) => backAffine(gradient, W, of(x), this.#product)),
    });
  }

  /** f(x), of each number or of each row. */
  apply(f: Activation, x: Estimate): Estimate {
    this.#applies(f);
    const tensor = new Tensor(x.value, x.shape);
    const value = asFloat64(f(tensor)).data;
    return this.#add({
      ...appliedErrors(f, x, value),
      shape: x.shape,
      origin: { op: "apply", f, x },
      value,
      back: (gradient, of) => addTo(of(x), backThrough(f, tensor, x.error, gradient)),
    });
  }

  /** Σ aₖ ⊙ bₖ: a rounding for each product and each sum. */
  sumOfProducts(...pairs: readonly (readonly [Estimate, Estimate])[]): Estimate {
    const { shape, value: { length } } = longest(pairs.flat());
    const rounding = gamma(pairs.length);
    const value = new Float64Array(length);
    const fresh = new Float64Array(length).fill(SMALLEST);
    const sameLocal = pairs.every((pair) => pair.every((x) => x.local === x.error));
    const error = new Float64Array(length);
    const local = sameLocal ? error : new Float64Array(length);
    for (const [a, b] of pairs) {
      const { value: xs, error: dxs, local: lxs } = a;
      const { value: ys, error: dys, local: lys } = b;
      const [m, n] = [xs.length, ys.length];
      if (m === length && n === length) { // as most are: the same as below, and nothing repeats
        for (let k = 0; k < length; k++) {
          const x = xs[k]!;
          const y = ys[k]!;
          value[k] = value[k]! + x * y;
          fresh[k] = fresh[k]! + rounding * Math.abs(x * y);
          error[k] = error[k]! + productError(x, y, dxs[k]!, dys[k]!) * (1 + rounding);
          if (sameLocal) continue;
          local[k] = local[k]! + productError(x, y, lxs[k]!, lys[k]!) * (1 + rounding);
        }
        continue;
      }
      for (let k = 0, i = 0, j = 0; k < length; k++, i = ++i === m ? 0 : i, j = ++j === n ? 0 : j) {
        const x = xs[i]!;
        const y = ys[j]!;
        value[k] = value[k]! + x * y;
        let own = fresh[k]! + rounding * Math.abs(x * y);
        const da = dxs[i]!;
        const db = dys[j]!;
        if (n < length) own += (Math.abs(x) + da) * db; // repeated: no sample's own
        if (m < length) own += (Math.abs(y) + db) * da;
        fresh[k] = own;
        const off = productError(x, y, m < length ? 0 : da, n < length ? 0 : db);
        error[k] = error[k]! + off * (1 + rounding);
        if (sameLocal) continue;
        const alone = productError(x, y, m < length ? 0 : lxs[i]!, n < length ? 0 : lys[j]!);
        local[k] = local[k]! + alone * (1 + rounding);
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
      fresh: already(fresh),
      back: (gradient, of) => {
        for (const [a, b] of pairs) {
          const [m, n] = [a.value.length, b.value.length];
          const [da, db] = [m < length ? undefined : of(a), n < length ? undefined : of(b)];
          const [xs, ys] = [a.value, b.value];
          for (let k = 0, i = 0, j = 0; k < length; k++) {
            const g = gradient[k]!;
            if (g !== 0) {
              if (da !== undefined) da[k] = da[k]! + g * ys[j]!;
              if (db !== undefined) db[k] = db[k]! + g * xs[i]!;
            }
            if (++i === m) i = 0;
            if (++j === n) j = 0;
          }
        }
      },
    });
  }

  /** Batches of matrices: the sums of products of `affine`, with errors on both sides. */
  matmul(a: Estimate, b: Estimate): Estimate {
    const [m, inner] = a.shape.slice(-2) as [number, number];
    const n = b.shape.at(-1)!;
    const shape = a.shape.with(-1, n);
    const length = sizeOf(shape);
    const rounding = gamma(inner);
    const value = new Float64Array(length);
    const fresh = new Float64Array(length).fill(SMALLEST);
    const [error, local] = [new Float64Array(length), new Float64Array(length)];
    const each = (visit: (k: number, i: number, j: number) => void) => {
      for (let k = 0; k < length; k++) {
        const [row, column] = [Math.floor(k / n), k % n];
        const first = Math.floor(row / m) * inner;
        for (let t = 0; t < inner; t++) visit(k, row * inner + t, (first + t) * n + column);
      }
    };
    each((k, i, j) => {
      const [x, y] = [a.value[i]!, b.value[j]!];
      value[k]! += x * y;
      fresh[k]! += rounding * Math.abs(x * y);
      error[k]! += productError(x, y, a.error[i]!, b.error[j]!) * (1 + rounding);
      local[k]! += productError(x, y, a.local[i]!, b.local[j]!) * (1 + rounding);
    });
    return this.#add({
      shape,
      origin: { op: "computed", xs: [a, b] },
      value,
      error: plus(error, fresh),
      local: plus(local, fresh),
      fresh: already(fresh),
      back: (gradient, of) => {
        const [da, db] = [of(a), of(b)];
        each((k, i, j) => {
          da[i]! += gradient[k]! * b.value[j]!;
          db[j]! += gradient[k]! * a.value[i]!;
        });
      },
    });
  }

  /** The largest of each row, which is off no farther than any of them. */
  largest(x: Estimate): Estimate {
    const width = x.shape.at(-1)!;
    const rows = x.value.length / width;
    const most = (of: Floats) => {
      const found = new Float64Array(rows);
      for (let k = 0; k < of.length; k++) {
        const row = Math.floor(k / width);
        found[row] = Math.max(found[row]!, of[k]!);
      }
      return found;
    };
    const { data: value } = asFloat64(numbers.largest(new Tensor(x.value, x.shape)));
    return this.#add({
      shape: x.shape.slice(0, -1),
      origin: { op: "computed", xs: [x] },
      value,
      error: most(x.error),
      local: most(x.local),
      fresh: undefined,
      back: (gradient, of) => { // any that may be the largest may be what float32 took
        const into = of(x);
        for (let k = 0; k < into.length; k++) {
          const row = Math.floor(k / width);
          if (x.value[k]! + x.error[k]! >= value[row]! - x.error[k]!) into[k]! += gradient[row]!;
        }
      },
    });
  }

  /** Σ xₖ: a rounding for each sum. */
  add(...xs: readonly Estimate[]): Estimate {
    const [rounding, { shape, value: { length } }] = [gamma(xs.length - 1), longest(xs)];
    const value = new Float64Array(length);
    const fresh = new Float64Array(length).fill(SMALLEST);
    const [error, local] = [new Float64Array(length), new Float64Array(length)];
    for (const x of xs) {
      const n = x.value.length;
      for (let k = 0; k < length; k++) {
        const j = k % n;
        value[k]! += x.value[j]!;
        fresh[k]! += rounding * Math.abs(x.value[j]!);
        const into = n < length ? [fresh] : [error, local]; // repeated: no sample's own
        into[0]![k]! += x.error[j]! * (1 + rounding);
        if (into[1] !== undefined) local[k]! += x.local[j]! * (1 + rounding);
      }
    }
    return this.#add({
      shape,
      value,
      error: plus(error, fresh),
      local: plus(local, fresh),
      fresh: already(fresh),
      back: (gradient, of) => {
        for (const x of xs) if (x.value.length === length) addTo(of(x), gradient);
      },
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
      fresh: fresh && already(fresh),
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
      fresh: already(fresh),
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
    const isGiven = ({ origin, error }: Estimate) => origin.op === "given" && isOff(error);
    const givenMoves = () => moves.filter((_, m) => isGiven(sources[moves[m - m % 4]!]!));
    return this.#add({
      shape,
      value: pick("value"),
      error,
      local: sources.every((x) => x.local === x.error) ? error : pick("local"),
      // what was given, a table of words for example, is off here and there alone
      fresh: sources.some(isGiven)
        ? () => move(new Float64Array(length), sources.map((x) => x.error), givenMoves())
        : undefined,
      back: (gradient, of) =>
        sources.forEach((x, k) => {
          if (x.origin.op !== "given") moveBack(of(x), k, gradient, moves);
        }),
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
  *sensitivity(result: Estimate, element: number): Work<Floats> {
    const batch = result.shape[0]!;
    const each = result.value.length / batch;
    const seeds = Array.from({ length: batch }, (_, n) => n * each + element);
    return yield* this.#sensitivity(result, seeds, batch);
  }

  /** The same for one number of the result, whatever becomes of the first axis on the way. */
  *sensitivityOf(result: Estimate, place: number): Work<number> {
    const [bound] = yield* this.#sensitivity(result, [place], 1);
    return bound!;
  }

  /** Whether no number moved from one sample to another, the samples being the first axis throughout. */
  keepsSamples(result: Estimate, batch: number): boolean {
    const fixed = new Set<Estimate>(); // what was given exactly, moved
    return wayTo(result).every((estimate) => {
      const { origin, value } = estimate;
      const isExact = !isOff(estimate.error);
      if (origin.op === "reshape" && isExact && isFixed(origin.x, fixed)) fixed.add(estimate);
      if (origin.op !== "arrange") return true;
      const { sources, moves } = origin;
      if (sources.every((x) => isFixed(x, fixed))) {
        if (isExact) fixed.add(estimate);
        return true;
      }
      const each = value.length / batch;
      for (let m = 0; m < moves.length; m += 4) {
        const source = sources[moves[m]!]!;
        if (isFixed(source, fixed)) continue;
        const own = source.value.length / batch;
        const [from, to, length] = [moves[m + 1]!, moves[m + 2]!, moves[m + 3]!];
        const sample = Math.floor(from / own);
        const isKept = Math.floor((from + length - 1) / own) === sample &&
          Math.floor(to / each) === sample && Math.floor((to + length - 1) / each) === sample;
        if (!isKept) return false;
      }
      return true;
    });
  }

  /** One bound for each of so many parts of the first axis. */
  *#sensitivity(result: Estimate, seeds: readonly number[], batch: number): Work<Floats> {
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
    for (const seed of seeds) of(result)[seed] = 1;
    const way = wayTo(result);
    for (let n = way.length - 1; n >= 0; n--) {
      const estimate = way[n]!;
      const gradient = gradients.get(estimate);
      if (gradient === undefined) continue;
      gradients.delete(estimate);
      const { back } = estimate;
      const fresh = estimate.fresh?.();
      const perSample = gradient.length / batch; // samples stay the first axis throughout
      for (let k = 0; fresh !== undefined && k < gradient.length; k++) {
        const g = gradient[k]!;
        if (g === 0) continue;
        const own = fresh[k]! <= MAX_FLOAT32 ? fresh[k]! : UNBOUNDED;
        bound[Math.floor(k / perSample)]! += Math.abs(g) * own;
      }
      back?.(gradient, of);
      if (n % PIECE === 0) yield 1 - n / way.length;
    }
    return bound;
  }

  /** Zeros for one step after the other, into which nobody writes. */
  #zerosOf(length: number): Floats {
    if (this.#zeros.length !== length) this.#zeros = new Float64Array(length);
    return this.#zeros;
  }

  #add(added: Omit<Estimate, "order">): Estimate {
    const { value, error, local, origin: { op } } = added;
    const isMoved = op === "arrange" || op === "reshape"; // seen where it came from
    for (let k = 0; !isMoved && k < value.length; k++) {
      const reach = Math.abs(value[k]!) + error[k]!;
      if (reach <= MAX_FLOAT32) continue; // float32 may overflow, and NaN is no number at all
      if (op === "given" && error[k] === 0 && value[k] === -Infinity) continue; // what a pooling pads with
      error[k] = UNBOUNDED;
      if (!(Math.abs(value[k]!) + local[k]! <= MAX_FLOAT32)) local[k] = UNBOUNDED;
    }
    return { ...added, order: this.#count++ };
  }
}

/** What a result was computed from, itself among it, in the order in which it was computed. */
function wayTo(result: Estimate): Estimate[] {
  const found = new Set([result]);
  for (const estimate of found) {
    for (const operand of operandsOf(estimate.origin)) found.add(operand);
  }
  return [...found].sort((a, b) => a.order - b.order);
}

function isFixed(estimate: Estimate, fixed: ReadonlySet<Estimate>): boolean {
  return estimate.origin.op === "given" || fixed.has(estimate);
}

function longest(xs: readonly Estimate[]): Estimate {
  return xs.reduce((a, b) => b.shape.length > a.shape.length ? b : a);
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
