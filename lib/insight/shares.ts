// A weighted sum's way back: what of it each operand of a value has, by the value's operation.

import type { Work } from "../base/work.ts";
import { add, dot, multiply } from "../tensor/arithmetic.ts";
import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Variable } from "../values/gradients.ts";
import { move, moveBack } from "../values/moves.ts";
import { operandsOf } from "../values/origin.ts";
import { absolute, rescale } from "./rescale.ts";

/** Of an array that each step meets: once. */
function once(f: (array: Tensor) => Tensor): (array: Tensor) => Tensor {
  const known = new WeakMap<Tensor, Tensor>();
  return (array) => {
    const found = known.get(array) ?? f(array);
    known.set(array, found);
    return found;
  };
}
const transposed = once((array) => array.transpose());
const magnitudes = once(absolute);

/** One operand of a value v, of which a sum has factor ⊙ v. */
export interface Operand {
  readonly x: Variable;
  /** By what the sum has x. */
  readonly factor: () => Tensor;
  /** What it is in factor ⊙ v, of v's shape. */
  readonly share: () => Tensor;
}

/** factor ⊙ v = Σ shares of its operands + rest */
export interface Shares {
  readonly operands: readonly Operand[];
  /** What an activation gave that no operand is held to. */
  readonly rest?: Tensor;
}

/**
 * What the operands of a value have in factor ⊙ value; a product is of its one operand that is
 * followed, the other one taken as it was. Undefined where the operation cannot be shared.
 */
export function sharesOf(
  { origin, value }: Variable,
  factor: Tensor,
  isFollowed: (x: Variable) => boolean,
  sizes: (x: Variable) => Tensor,
): Shares | undefined {
  const each = (xs: readonly Variable[], of: (k: number) => Omit<Operand, "x">): Shares => ({
    operands: xs.map((x, k) => ({ x, ...of(k) })),
  });
  switch (origin.op) {
    case "affine": {
      const { terms, b } = origin;
      const { operands } = each(terms.map(([x]) => x), (k) => {
        const [x, W] = terms[k]!;
        return {
          factor: () => dot(factor, transposed(W.value)),
          share: () => multiply(factor, dot(x.value, W.value)),
        };
      });
      const bias = { factor: () => factor, share: () => multiply(factor, b!.value) };
      return { operands: b === undefined ? operands : [...operands, { x: b, ...bias }] };
    }
    case "apply": {
      const { factor: m, rest } = rescale(origin.f, origin.x.value, sizes(origin.x));
      const back = multiply(factor, m);
      const shared = each([origin.x], () => ({
        factor: () => back,
        share: () => multiply(back, origin.x.value),
      }));
      return { ...shared, rest: multiply(factor, rest) };
    }
    case "products": {
      const { pairs } = origin;
      if (pairs.some((pair) => pair.every(isFollowed))) return undefined;
      return each(pairs.map((pair) => pair.find(isFollowed) ?? pair[0]), (k) => {
        const [a, b] = pairs[k]!;
        return {
          factor: () => multiply(factor, isFollowed(b) ? a.value : b.value),
          share: () => multiply(factor, a.value, b.value),
        };
      });
    }
    case "sum": {
      const back = multiply(factor, origin.factor);
      return each(origin.xs, (k) => ({
        factor: () => back,
        share: () => multiply(back, origin.xs[k]!.value),
      }));
    }
    case "reshape":
      return each([origin.x], () => ({
        factor: () => factor.reshape(origin.x.value.shape),
        share: () => multiply(factor, value),
      }));
    case "arrange": {
      const { sources, moves } = origin;
      return each(sources, (k) => ({
        factor: () => {
          const back = new Float64Array(sources[k]!.value.data.length);
          moveBack(back, k, factor.data, moves);
          return new Tensor(back, sources[k]!.value.shape);
        },
        share: () => {
          const own = sources.map(({ value: { data } }, n) =>
            n === k ? data : new Float64Array(data.length)
          );
          const moved = move(new Float64Array(value.data.length), own, moves);
          return multiply(factor, new Tensor(moved, value.shape));
        },
      }));
    }
    default:
      return undefined;
  }
}

/** So many values are one piece. */
const PIECE = 16;

/**
 * Σ|addend| of each value followed: of all that was added up since the last activation. Where it is
 * much more than the value, little is left of large addends.
 */
export function* sizesOf(
  variables: readonly Variable[],
  isFollowed: (x: Variable) => boolean,
): Work<(x: Variable) => Tensor> {
  const sizes = new Map<Variable, Tensor>();
  const size = (x: Variable) => sizes.get(x) ?? absolute(x.value);
  for (const [k, x] of variables.entries()) {
    const { origin, value: { shape } } = x;
    if (!isFollowed(x)) continue;
    if (k % PIECE === 0) yield k / variables.length;
    if (origin.op === "affine") {
      const terms = origin.terms.map(([x, W]) => dot(size(x), magnitudes(W.value)));
      sizes.set(x, add(...terms, origin.b === undefined ? 0 : size(origin.b)));
    } else if (origin.op === "products") {
      sizes.set(x, add(...origin.pairs.map(([a, b]) => multiply(size(a), size(b)))));
    } else if (origin.op === "sum") {
      sizes.set(x, multiply(add(...origin.xs.map(size)), Math.abs(origin.factor)));
    } else if (origin.op === "reshape") sizes.set(x, size(origin.x).reshape(shape));
    else if (origin.op === "arrange") {
      const moved = origin.sources.map((one) => size(one).data);
      const data = move(new Float64Array(sizeOf(shape)), moved, origin.moves);
      sizes.set(x, new Tensor(data, shape));
    }
  }
  return size;
}

/** Adds to what a sum has of a value. */
export function give(to: Map<Variable, Tensor>, x: Variable, factor: Tensor): void {
  const known = to.get(x);
  to.set(x, known === undefined ? factor : add(known, factor));
}

/** All that was computed from these values, themselves too; not by way of those that are cut. */
export function dependents(
  variables: readonly Variable[],
  values: Iterable<Variable>,
  cut: ReadonlySet<Variable> = new Set(),
): Set<Variable> {
  const found = new Set(values);
  for (const one of variables) {
    if (!cut.has(one) && operandsOf(one.origin).some((x) => found.has(x))) found.add(one);
  }
  return found;
}
