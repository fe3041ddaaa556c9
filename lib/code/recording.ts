// An interpreter of equations: each operation is written down, to be done later by a program. What is
// known by now (weights, constants, and what follows from them alone) is computed now, in float64.

import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Activation } from "../values/activations.ts";
import { lastAxisParts } from "../values/arrange.ts";
import { isBuiltIn, isNamed } from "../values/built_in.ts";
import { numbers } from "../values/numbers.ts";
import type { Moves, Ops } from "../values/ops.ts";
import { lengthOf, type Operation, type Recorded } from "./recorded.ts";

/** Thrown where an equation asks for numbers that are not there yet. */
export class NotYetKnown extends Error {}

/** The operations of one routine, in the order in which they were asked for. */
export class Recording implements Ops<Recorded> {
  readonly values: Recorded[] = [];

  /** A value that comes in. */
  input(index: number, shape: readonly number[], label?: string): Recorded {
    return this.#add(shape, { kind: "input", index }, label);
  }

  /** A value that stays from call to call. */
  state(index: number, shape: readonly number[], label: string): Recorded {
    return this.#add(shape, { kind: "state", index }, label);
  }

  given(x: Tensor): Recorded {
    return this.#constant(numbers.given(x));
  }

  /** Another one of its kind, for a routine inside of this one. */
  another(): Recording {
    return new Recording();
  }

  /** A constant with a name of its own: a weight. */
  named(x: Tensor, label: string): Recorded {
    return this.#constant(numbers.given(x), label);
  }

  /** The numbers of a constant; of all else the shape, and whoever reads more is told. */
  numbers({ op, shape }: Recorded): Tensor {
    if (op.kind === "constant") return op.tensor;
    return Object.create(Tensor.prototype, {
      shape: { value: shape },
      data: {
        get: () => {
          throw new NotYetKnown();
        },
      },
    });
  }

  affine(terms: readonly (readonly [Recorded, Recorded])[], b?: Recorded): Recorded {
    const known = tensorsOf([...terms.flat(), ...(b === undefined ? [] : [b])]);
    if (known !== undefined) {
      const pairs = terms.map((_, k) => [known[2 * k]!, known[2 * k + 1]!] as const);
      return this.#constant(numbers.affine(pairs, b && known.at(-1)));
    }
    const [x, W] = terms[0]!;
    return this.#add(x.shape.with(-1, W.shape[1]!), { kind: "affine", terms, b });
  }

  matmul(a: Recorded, b: Recorded): Recorded {
    const known = tensorsOf([a, b]);
    if (known !== undefined) return this.#constant(numbers.matmul(known[0]!, known[1]!));
    return this.#add(a.shape.with(-1, b.shape.at(-1)!), { kind: "matmul", a, b });
  }

  sumOfProducts(...pairs: readonly (readonly [Recorded, Recorded])[]): Recorded {
    const known = tensorsOf(pairs.flat());
    if (known !== undefined) {
      const all = pairs.map((_, k) => [known[2 * k]!, known[2 * k + 1]!] as const);
      return this.#constant(numbers.sumOfProducts(...all));
    }
    const { shape } = longest(pairs.flat());
    const [[a, b]] = pairs as [readonly [Recorded, Recorded]];
    if (pairs.length === 1 && isAll(b, 1) && sizeOf(shape) === lengthOf(a)) return a;
    return this.#add(shape, { kind: "products", pairs });
  }

  add(...xs: readonly Recorded[]): Recorded {
    const known = tensorsOf(xs);
    if (known !== undefined) return this.#constant(numbers.add(...known));
    const { shape } = longest(xs);
    const rest = xs.filter((x) => !isAll(x, 0));
    const isWhole = rest.some((x) => lengthOf(x) === sizeOf(shape));
    const kept = isWhole ? rest : xs;
    return kept.length === 1 ? kept[0]! : this.#add(shape, { kind: "sum", xs: kept });
  }

  scale(x: Recorded, factor: number): Recorded {
    const known = tensorsOf([x]);
    if (known !== undefined) return this.#constant(numbers.scale(known[0]!, factor));
    return factor === 1 ? x : this.#add(x.shape, { kind: "scale", x, factor });
  }

  oneMinus(x: Recorded): Recorded {
    const known = tensorsOf([x]);
    if (known !== undefined) return this.#constant(numbers.oneMinus(known[0]!));
    return this.#add(x.shape, { kind: "oneMinus", x });
  }

  largest(x: Recorded): Recorded {
    const known = tensorsOf([x]);
    if (known !== undefined) return this.#constant(numbers.largest(known[0]!));
    return this.#add(x.shape.slice(0, -1), { kind: "largest", x });
  }

  apply(f: Activation, x: Recorded): Recorded {
    const known = tensorsOf([x]);
    if (known !== undefined && isBuiltIn(f)) return this.#constant(f(known[0]!));
    if (isNamed(f, "linear")) return x;
    const halves = isNamed(f, "glu");
    const shape = halves ? x.shape.with(-1, x.shape.at(-1)! / 2) : x.shape;
    return this.#add(shape, { kind: "apply", f, x });
  }

  blocks(x: Recorded, count: number): Recorded[] {
    return count === 1 ? [x] : lastAxisParts(this, x, count);
  }

  reshape(x: Recorded, shape: readonly number[]): Recorded {
    if (x.op.kind === "constant") return this.#constant(x.op.tensor.reshape(shape), x.label);
    return this.#part(x, 0, shape);
  }

  arrange(shape: readonly number[], sources: readonly Recorded[], moves: Moves): Recorded {
    const known = tensorsOf(sources);
    if (known !== undefined) {
      const label = sources.length === 1 ? sources[0]!.label : undefined; // a part of it
      return this.#constant(numbers.arrange(shape, known, moves), label);
    }
    const merged = mergedMoves(moves);
    const isPart = merged.length === 4 && merged[2] === 0 && merged[3] === sizeOf(shape);
    if (isPart) return this.#part(sources[merged[0]!]!, merged[1]!, shape);
    return this.#add(shape, { kind: "moved", sources, moves: merged });
  }

  /** The rows of a table that whole numbers name. */
  lookup(table: Recorded, x: Recorded): Recorded {
    return this.#add([...x.shape, table.shape[1]!], { kind: "lookup", table, x });
  }

  /** Any other operation. */
  add1(shape: readonly number[], op: Operation, label?: string): Recorded {
    return this.#add(shape, op, label);
  }

  /**
   * Numbers that lie side by side in a value, computed without the others where an operation takes
   * each row by itself: of a causal convolution over a window, the last timestep.
   */
  narrowed(value: Recorded, offset: number, shape: readonly number[]): Recorded {
    const size = sizeOf(shape);
    const { op } = value;
    if (offset === 0 && size === lengthOf(value)) return this.reshape(value, shape);
    const width = value.shape.at(-1) ?? 1;
    const isWhole = offset % width === 0 && size % width === 0;
    const row = (x: Recorded, of = width) => {
      const own = x.shape.at(-1) ?? 1;
      return this.narrowed(x, offset / of * own, [size / of, own]);
    };
    // a shorter operand repeats along the rows
    const each = (x: Recorded) =>
      lengthOf(x) === lengthOf(value) ? this.narrowed(x, offset, [size / width, width]) : x;
    const repeats = (x: Recorded) => lengthOf(x) === lengthOf(value) || width % lengthOf(x) === 0;
    const known = (x: Recorded) => this.reshape(x, shape);
    if (op.kind === "part") return this.narrowed(op.x, op.offset + offset, shape);
    if (op.kind === "affine" && isWhole) {
      return known(this.affine(op.terms.map(([x, W]) => [row(x), W]), op.b));
    }
    if (op.kind === "products" && isWhole && op.pairs.flat().every(repeats)) {
      return known(this.sumOfProducts(...op.pairs.map(([a, b]) => [each(a), each(b)] as const)));
    }
    if (op.kind === "sum" && isWhole && op.xs.every(repeats)) {
      return known(this.add(...op.xs.map(each)));
    }
    if (op.kind === "scale" && isWhole) return known(this.scale(each(op.x), op.factor));
    if (op.kind === "oneMinus" && isWhole) return known(this.oneMinus(each(op.x)));
    if (op.kind === "apply" && isWhole) return known(this.apply(op.f, row(op.x)));
    if (op.kind === "largest") {
      const length = op.x.shape.at(-1)!;
      return known(this.largest(this.narrowed(op.x, offset * length, [size, length])));
    }
    if (op.kind === "moved") {
      return this.arrange(shape, op.sources, partOfMoves(op.moves, offset, size));
    }
    if (op.kind === "constant") {
      return this.#constant(new Tensor(op.tensor.data.slice(offset, offset + size), shape));
    }
    return this.#part(value, offset, shape);
  }

  #part(x: Recorded, offset: number, shape: readonly number[]): Recorded {
    if (x.op.kind === "part") return this.#part(x.op.x, x.op.offset + offset, shape);
    return this.#add(shape, { kind: "part", x, offset });
  }

  #constant(tensor: Tensor, label?: string): Recorded {
    return this.#add(tensor.shape, { kind: "constant", tensor }, label);
  }

  #add(shape: readonly number[], op: Operation, label?: string): Recorded {
    const value: Recorded = { shape, op, ...(label !== undefined && { label }) };
    this.values.push(value);
    return value;
  }
}

/** A recording in which no weight is known, so that none is left out for what it happens to be. */
export class SymbolicRecording extends Recording {
  override another(): Recording {
    return new SymbolicRecording();
  }

  override named({ shape }: Tensor, label: string): Recorded {
    return this.add1(shape, { kind: "weight" }, label);
  }
}

function tensorsOf(xs: readonly Recorded[]): Tensor[] | undefined {
  const found = xs.flatMap(({ op }) => op.kind === "constant" ? [op.tensor] : []);
  return found.length === xs.length ? found : undefined;
}

/** Whether a constant is this number throughout: adding 0 and multiplying by 1 change nothing. */
function isAll({ op }: Recorded, number: number): boolean {
  return op.kind === "constant" && op.tensor.data.every((x) => x === number);
}

function longest(xs: readonly Recorded[]): Recorded {
  return xs.reduce((a, b) => b.shape.length > a.shape.length ? b : a);
}

/** Blocks that follow each other at both ends are one. */
function mergedMoves(moves: Moves): number[] {
  const merged: number[] = [];
  for (let m = 0; m < moves.length; m += 4) {
    const [source, from, to, length] = moves.slice(m, m + 4) as [number, number, number, number];
    const [last, lastFrom, lastTo, lastLength] = merged.slice(-4) as number[];
    const follows = last === source && lastFrom! + lastLength! === from &&
      lastTo! + lastLength! === to;
    if (follows) merged[merged.length - 1]! += length;
    else if (length > 0) merged.push(source, from, to, length);
  }
  return merged;
}

/** The moves into a part of the places, which is then a whole. */
function partOfMoves(moves: Moves, offset: number, size: number): number[] {
  const kept: number[] = [];
  for (let m = 0; m < moves.length; m += 4) {
    const [source, from, to, length] = moves.slice(m, m + 4) as [number, number, number, number];
    const [start, stop] = [Math.max(to, offset), Math.min(to + length, offset + size)];
    if (start < stop) kept.push(source, from + start - to, start - offset, stop - start);
  }
  return kept;
}
