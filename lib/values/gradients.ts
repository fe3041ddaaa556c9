// Reverse mode (Linnainmaa 1976): each operation remembers how a gradient goes back through it.

import { finish, part, resultOf, type Work } from "../base/work.ts";
import { add, dot, multiply } from "../tensor/arithmetic.ts";
import { sizeOf } from "../tensor/shape.ts";
import { asFloat64, Tensor } from "../tensor/tensor.ts";
import type { Activation } from "./activations.ts";
import { lastAxisParts } from "./arrange.ts";
import { move, moveBack } from "./moves.ts";
import { joined, numbers, numbersBy, ofEach } from "./numbers.ts";
import type { Moves, Ops } from "./ops.ts";
import { operandsOf, type Origin } from "./origin.ts";
import { addProducts, byLoops, dotBy, type Factors, type Product } from "./product.ts";

/** A value of which gradients are wanted, or one that leads to none. */
export interface Variable {
  readonly value: Tensor;
  /** Whether the result depends, through it, on a leaf. */
  readonly needed: boolean;
  /** Whether a gradient goes on through it, on the way back that is under way. */
  wanted: boolean;
  /** Adds to the gradients of what it was computed from; undefined of a leaf. */
  readonly back: ((gradient: Tensor) => void) | undefined;
  readonly origin: Origin<Variable>;
  /** Whose operation it was: the name of a layer. */
  readonly scope: string;
  gradient: Tensor | undefined;
  /** Whether nobody else holds the gradient's numbers, so that they may be added to. */
  owned: boolean;
  /** Of a matrix: each x that met it, and the gradient there. */
  uses: (readonly [x: Tensor, gradient: Tensor])[];
}

/** So many operations on the way back are one piece. */
const PIECE = 16;
/** So many rows of those that met a matrix are one piece. */
const ROWS = 512;

/** The gradient with respect to a value, and what it is. */
export type Seed = readonly [variable: Variable, gradient: Tensor];

/** The operations of a run, in the order in which they were done. */
export class Gradients implements Ops<Variable> {
  readonly #variables: Variable[] = [];
  readonly #leaves: Variable[] = [];
  readonly #transposed = new Map<Variable, Tensor>();
  readonly #numbers: Ops<Tensor>;
  readonly #product: Product;
  /** Whose operations come next. */
  scope = "";

  /** @param product who multiplies. Default: three loops. */
  constructor(product: Product = byLoops) {
    this.#product = product;
    this.#numbers = numbersBy(product);
  }

  /** A run whose operations are those of a scope. */
  *within<T extends object>(scope: string, run: () => T | Work<T>): Work<T> {
    const outer = this.scope;
    this.scope = scope;
    const result = yield* resultOf(run());
    this.scope = outer;
    return result;
  }

  /** What was computed from leaves, in order. */
  get variables(): readonly Variable[] {
    return this.#variables;
  }

  /** A constant. */
  given(x: Tensor): Variable {
    return variable(asFloat64(x), false, GIVEN);
  }

  /** A value whose gradient is wanted. */
  leaf(x: Tensor): Variable {
    const leaf = variable(x, true, GIVEN);
    this.#leaves.push(leaf);
    return leaf;
  }

  numbers({ value }: Variable): Tensor {
    return value;
  }

  affine(terms: readonly (readonly [x: Variable, W: Variable])[], b?: Variable): Variable {
    const value = this.#numbers.affine(terms.map(([x, W]) => [x.value, W.value]), b?.value);
    const origin = { op: "affine", terms, b } as const;
    return this.#put(value, [...terms.flat(), ...(b ? [b] : [])], origin, (g) => {
      for (const [x, W] of terms) {
        if (W.wanted) W.uses.push([x.value, g]); // all at once, at the end
        if (x.wanted) this.#give(x, dotBy(this.#product, g, this.#transpose(W)), true);
      }
      if (b?.wanted) this.#give(b, sumRows(g), true);
    });
  }

  sumOfProducts(...pairs: readonly (readonly [a: Variable, b: Variable])[]): Variable {
    const value = numbers.sumOfProducts(...pairs.map(([a, b]) => [a.value, b.value] as const));
    return this.#put(value, pairs.flat(), { op: "products", pairs }, (g) => {
      for (const [a, b] of pairs) {
        if (a.wanted) this.#giveProduct(a, g, b.value);
        if (b.wanted) this.#giveProduct(b, g, a.value);
      }
    });
  }

  matmul(a: Variable, b: Variable): Variable {
    return this.#put(
      numbers.matmul(a.value, b.value),
      [a, b],
      { op: "computed", xs: [a, b] },
      (g) => {
        if (a.wanted) {
          const each = ofEach(g, b.value).map(([dy, y]) => dot(dy, y.transpose()));
          this.#give(a, joined(each, a.value.shape), true);
        }
        if (b.wanted) {
          const each = ofEach(a.value, g).map(([x, dy]) => dot(x.transpose(), dy));
          this.#give(b, joined(each, b.value.shape), true);
        }
      },
    );
  }

  largest(x: Variable): Variable {
    const value = numbers.largest(x.value);
    const width = x.value.shape.at(-1)!;
    return this.#put(value, [x], { op: "computed", xs: [x] }, (g) => {
      const into = this.#own(x); // to the first of equals
      for (let row = 0; row < value.data.length; row++) {
        const at = x.value.data.subarray(row * width, (row + 1) * width)
          .indexOf(value.data[row]!);
        if (at >= 0) into[row * width + at]! += g.data[row]!;
      }
    });
  }

  add(...xs: readonly Variable[]): Variable {
    const value = add(...xs.map(({ value }) => value));
    return this.#put(value, xs, { op: "sum", xs, factor: 1 }, (g) => {
      for (const x of xs) if (x.wanted) this.#give(x, sumTo(x, g));
    });
  }

  scale(x: Variable, factor: number): Variable {
    const origin = { op: "sum", xs: [x], factor } as const;
    const back = (g: Tensor) => this.#give(x, multiply(g, factor), true);
    return this.#put(multiply(x.value, factor), [x], origin, back);
  }

  oneMinus(x: Variable): Variable {
    const back = (g: Tensor) => this.#give(x, multiply(g, -1), true);
    return this.#put(numbers.oneMinus(x.value), [x], { op: "computed", xs: [x] }, back);
  }

  apply(f: Activation, x: Variable): Variable {
    const value = f(x.value);
    const back = (g: Tensor) => this.#give(x, f.backward(x.value, g, value), true);
    return this.#put(value, [x], { op: "apply", f, x }, back);
  }

  blocks(x: Variable, count: number): Variable[] {
    return lastAxisParts(this, x, count);
  }

  reshape(x: Variable, shape: readonly number[]): Variable {
    const back = (g: Tensor) => this.#give(x, g.reshape(x.value.shape));
    return this.#put(x.value.reshape(shape), [x], { op: "reshape", x }, back);
  }

  arrange(shape: readonly number[], sources: readonly Variable[], moves: Moves): Variable {
    const data = move(new Float64Array(sizeOf(shape)), sources.map((x) => x.value.data), moves);
    const origin = { op: "arrange", sources, moves } as const;
    return this.#put(new Tensor(data, shape), sources, origin, (g) => {
      sources.forEach((x, k) => {
        if (x.wanted) moveBack(this.#own(x), k, g.data, moves);
      });
    });
  }

  /**
   * A value that was computed elsewhere.
   *
   * @param back from its gradient to those of the operands, undefined where one is not wanted
   */
  computed(
    value: Tensor,
    operands: readonly Variable[],
    back: (gradient: Tensor) => readonly (Tensor | undefined)[],
  ): Variable {
    return this.#put(value, operands, { op: "computed", xs: operands }, (g) => {
      const gradients = back(g);
      operands.forEach((x, k) => {
        if (x.wanted && gradients[k] !== undefined) this.#give(x, gradients[k]);
      });
    });
  }

  /** From the gradients of the seeds to those of all that they were computed from. */
  backward(seeds: readonly Seed[]): void {
    finish(this.backwardWork(seeds));
  }

  /**
   * The same, in pieces.
   *
   * @param kept the variables whose gradients are asked for: no others are kept, nor taken where they
   * lead to none of these. Default: all.
   */
  *backwardWork(seeds: readonly Seed[], kept?: ReadonlySet<Variable>): Work<void> {
    for (const one of [...this.#leaves, ...this.#variables]) {
      [one.gradient, one.owned, one.uses] = [undefined, false, []];
      one.wanted = kept === undefined || kept.has(one) ||
        operandsOf(one.origin).some(({ wanted }) => wanted);
    }
    for (const [seed, gradient] of seeds) if (seed.wanted) this.#give(seed, gradient);
    const { length } = this.#variables;
    for (let k = length - 1; k >= 0; k--) {
      const one = this.#variables[k]!;
      const done = 1 - (k + 1) / length;
      if (one.uses.length > 0) one.gradient = yield* part(this.gradientWork(one), done, done);
      if (one.gradient === undefined) continue;
      one.back!(one.gradient);
      if (kept?.has(one) === false) one.gradient = undefined;
      if (k % PIECE === 0) yield 1 - k / length;
    }
  }

  /** The gradient with respect to a value, after {@linkcode backward}; zeros where it does not count. */
  gradientOf(variable: Variable): Tensor {
    return finish(this.gradientWork(variable));
  }

  /** The same, in pieces. */
  *gradientWork(variable: Variable): Work<Tensor> {
    const { value: { data, shape }, gradient, uses } = variable;
    if (uses.length > 0) {
      const matrix = yield* gradientOfMatrix(uses, this.#product);
      variable.uses = [];
      variable.gradient = gradient === undefined ? matrix : add(gradient, matrix);
      variable.owned = true;
    }
    return variable.gradient ?? new Tensor(new Float64Array(data.length), shape);
  }

  #put(
    value: Tensor,
    operands: readonly Variable[],
    origin: Origin<Variable>,
    back: (gradient: Tensor) => void,
  ): Variable {
    const needed = operands.some((operand) => operand.needed);
    const one = variable(value, needed, origin, back, this.scope);
    if (needed) this.#variables.push(one);
    return one;
  }

  #give(to: Variable, gradient: Tensor, isNew = false): void {
    if (to.gradient === undefined) {
      [to.gradient, to.owned] = [gradient, isNew && gradient.data instanceof Float64Array];
      return;
    }
    const into = this.#own(to);
    for (let k = 0; k < into.length; k++) into[k]! += gradient.data[k]!;
  }

  #giveProduct(to: Variable, g: Tensor, factor: Tensor): void {
    const { length } = g.data;
    if (to.value.data.length < length || factor.data.length < length) {
      return this.#give(to, sumTo(to, multiply(g, factor)), true);
    }
    const product = new Float64Array(length);
    for (let k = 0; k < length; k++) product[k] = g.data[k]! * factor.data[k]!;
    this.#give(to, new Tensor(product, g.shape), true);
  }

  /** The gradient's numbers, to be added to. */
  #own(to: Variable): Float64Array {
    if (!to.owned) {
      const { gradient, value } = to;
      to.gradient = new Tensor(
        gradient === undefined
          ? new Float64Array(value.data.length)
          : Float64Array.from(gradient.data),
        value.shape,
      );
      to.owned = true;
    }
    return to.gradient!.data as Float64Array;
  }

  #transpose(W: Variable): Tensor {
    const known = this.#transposed.get(W) ?? W.value.transpose();
    this.#transposed.set(W, known);
    return known;
  }
}

const GIVEN = { op: "given" } as const;

function variable(
  value: Tensor,
  needed: boolean,
  origin: Origin<Variable>,
  back?: Variable["back"],
  scope = "",
): Variable {
  const wanted = needed;
  return {
    value,
    needed,
    wanted,
    origin,
    back,
    scope,
    gradient: undefined,
    owned: false,
    uses: [],
  };
}

/** Σ xᵀ·g over all uses of a matrix: their rows one below the other, added in this order. */
function* gradientOfMatrix(uses: Variable["uses"], product: Product): Work<Tensor> {
  const [xs, gs] = [rowsOf(uses.map(([x]) => x)), rowsOf(uses.map(([, g]) => g))];
  const [rows, size, width] = [xs.shape[0]!, xs.shape[1]!, gs.shape[1]!];
  if (rows <= ROWS) return dotBy(product, xs.transpose(), gs);
  const sums = new Float64Array(size * width);
  for (let from = 0; from < rows; from += ROWS) {
    const to = Math.min(rows, from + ROWS);
    const x = new Tensor(xs.data.subarray(from * size, to * size), [to - from, size]).transpose();
    const g = gs.data.subarray(from * width, to * width);
    addProducts(product, sums, [[x.data, g] as Factors], width);
    yield to / rows;
  }
  return new Tensor(sums, [size, width]);
}

function rowsOf(tensors: readonly Tensor[]): Tensor {
  const width = tensors[0]!.shape.at(-1)!;
  const length = tensors.reduce((sum, { data }) => sum + data.length, 0);
  const all = new Float64Array(length);
  let at = 0;
  for (const { data } of tensors) {
    all.set(data, at);
    at += data.length;
  }
  return new Tensor(all, [length / width, width]);
}

/** `[…, n]` becomes `[n]`. */
function sumRows(g: Tensor): Tensor {
  const rows = sizeOf(g.shape.slice(0, -1));
  return dot(
    new Tensor(new Float64Array(rows).fill(1), [rows]),
    g.reshape([rows, g.shape.at(-1)!]),
  );
}

/** A shorter shape repeated for every row: so its gradient is the sum over the rows. */
function sumTo({ value: { data, shape } }: Variable, g: Tensor): Tensor {
  if (data.length === g.data.length) return g;
  const sum = new Float64Array(data.length);
  for (let k = 0; k < g.data.length; k++) sum[k % sum.length]! += g.data[k]!;
  return new Tensor(sum, shape);
}
