// A routine's values as NumPy expressions. A value's array has the value's shape but for the ones in
// front: `[1, 8]` is an array of 8, `[1, 10, 8]` one of 10 × 8.

import { inverse } from "../../values/functions.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { lengthOf, placeOf, type Recorded, uniformOf } from "../recorded.ts";
import type { Statements } from "../statements.ts";
import type { PythonParts } from "./parts.ts";
import { infinityText } from "./literals.ts";

type Shape = readonly number[];

/** An expression, the shape that NumPy gives it, and what it is: 0 a name, 1 a product, 2 a sum. */
export interface Expression {
  readonly text: string;
  readonly shape: Shape;
  readonly level: 0 | 1 | 2;
}

/** The shape of a value's array. */
export function arrayShape(shape: Shape): Shape {
  const first = shape.findIndex((length) => length !== 1);
  return first < 0 ? [1] : shape.slice(first);
}

/** Writes the expressions of a routine. */
export class Expressions {
  readonly #parts: PythonParts;
  readonly #routine: string;
  readonly #statements: Statements;
  readonly #nameOf: (value: Recorded) => string;

  /**
   * @param routine what it is called
   * @param nameOf of a value that has a statement, or came in
   */
  constructor(
    parts: PythonParts,
    routine: string,
    statements: Statements,
    nameOf: (value: Recorded) => string,
  ) {
    this.#parts = parts;
    this.#routine = routine;
    this.#statements = statements;
    this.#nameOf = nameOf;
  }

  /** A value where another statement takes it. */
  operand(value: Recorded): Expression {
    const shape = arrayShape(value.shape);
    if (value.op.kind === "constant") return this.shaped(this.#constant(value), shape);
    const { root, offset } = placeOf(value);
    if (this.#statements.isInside(root)) return this.expression(root);
    const text = this.#nameOf(root);
    const own = arrayShape(root.shape);
    const length = lengthOf(value);
    if (length === sizeOf(own)) return this.shaped({ text, shape: own, level: 0 }, shape);
    const width = sizeOf(own.slice(1));
    if (offset % width === 0 && length % width === 0) { // whole rows
      const [from, count] = [offset / width, length / width];
      const rows = `${text}[${from}:${from + count}]`;
      return this.shaped({ text: rows, shape: [count, ...own.slice(1)], level: 0 }, shape);
    }
    const flat = `${text}.ravel()[${offset}:${offset + length}]`;
    return this.shaped({ text: flat, shape: [length], level: 0 }, shape);
  }

  #constant(value: Recorded): Expression {
    const { tensor } = value.op as Extract<Recorded["op"], { kind: "constant" }>;
    const text = this.#parts.array(tensor, value.label ?? `${this.#routine}_constant`);
    return { text, shape: tensor.shape, level: 0 };
  }

  /** A matrix, whose axes of 1 count. */
  #matrix(value: Recorded): string {
    const expression = value.op.kind === "constant" ? this.#constant(value) : this.operand(value);
    const [rows, columns] = value.shape.slice(-2) as [number, number];
    if (expression.shape.length >= 2 && expression.shape.at(-2) === rows) return expression.text;
    return this.shaped(expression, [...value.shape.slice(0, -2), rows, columns]).text;
  }

  /** What a value is computed by. */
  expression(value: Recorded): Expression {
    const { op } = value;
    const shape = arrayShape(value.shape);
    const elementwise = (
      operands: readonly Recorded[],
      write: (texts: readonly Expression[]) => string,
      level: 0 | 1 | 2,
    ): Expression => {
      const given = operands.map((one) => this.#repeated(one, value));
      return { text: write(given), shape: widest(given.map(({ shape }) => shape)), level };
    };
    const factor = ({ text, level }: Expression) => level === 2 ? `(${text})` : text;
    const divisor = ({ text, level }: Expression) => level > 0 ? `(${text})` : text;
    const sum = (texts: readonly string[]) => texts.join(" + ").replaceAll(" + -", " - ");
    switch (op.kind) {
      case "affine": {
        const products = op.terms.map(([x, W]) =>
          `${factor(this.operand(x))} @ ${this.#matrix(W)}`
        );
        const b = op.b === undefined ? [] : [this.operand(op.b).text];
        const [first] = op.terms[0]!;
        const natural = [...arrayShape(first.shape).slice(0, -1), value.shape.at(-1)!];
        const isSum = products.length + b.length > 1;
        return { text: sum([...products, ...b]), shape: natural, level: isSum ? 2 : 1 };
      }
      case "matmul": {
        const text = `${this.#matrix(op.a)} @ ${this.#matrix(op.b)}`;
        return { text: `(${text}).reshape(${shape.join(", ")})`, shape, level: 0 };
      }
      case "products":
        return elementwise(op.pairs.flat(), (given) =>
          sum(op.pairs.map(([, b], k) => {
            const [left, right] = [given[2 * k]!, given[2 * k + 1]!];
            const isQuotient = b.op.kind === "apply" && b.op.f === inverse &&
              this.#statements.isInside(b);
            return isQuotient
              ? `${factor(left)} / ${divisor(this.#repeated(b.op.x, value))}`
              : `${factor(left)} * ${factor(right)}`;
          })), op.pairs.length === 1 ? 1 : 2);
      case "sum":
        return elementwise(
          op.xs,
          (given) => sum(given.map(({ text }) => text)),
          op.xs.length === 1 ? 0 : 2,
        );
      case "scale":
        return elementwise(
          [op.x],
          ([x]) => op.factor === -1 ? `-${divisor(x!)}` : `${op.factor} * ${factor(x!)}`,
          op.factor === -1 ? 2 : 1,
        );
      case "oneMinus":
        return elementwise([op.x], ([x]) => `1 - ${factor(x!)}`, 2);
      case "apply": {
        const x = this.operand(op.x);
        const text = `${this.#parts.functions.nameOf(op.f)}(${x.text})`;
        return { text, shape: x.shape.with(-1, value.shape.at(-1) ?? 1), level: 0 };
      }
      case "largest": {
        const rows = this.shaped(this.operand(op.x), op.x.shape);
        return { text: `np.max(${rows.text}, axis=-1)`, shape: value.shape, level: 0 };
      }
      case "moved":
        return this.#moved(value, op);
      case "lookup": {
        const { text } = this.operand(op.x);
        const { shape: places } = this.operand(op.x);
        return {
          text: `${this.#constant(op.table).text}[${text}]`,
          shape: [...places, op.table.shape[1]!],
          level: 0,
        };
      }
      default:
        throw new Error(`no expression of ${op.kind}`);
    }
  }

  /** An operand that repeats along the rows of a value. */
  #repeated(operand: Recorded, value: Recorded): Expression {
    const whole = arrayShape(value.shape);
    const uniform = uniformOf(operand);
    if (uniform !== undefined) return { text: numberText(uniform), shape: [], level: 0 };
    const given = this.operand(operand);
    if (lengthOf(operand) === lengthOf(value)) return this.shaped(given, whole);
    const tail = whole.slice(whole.length - given.shape.length);
    if (given.shape.every((length, k) => length === tail[k] || length === 1)) return given;
    return { text: `np.resize(${given.text}, (${tupleText(whole)}))`, shape: whole, level: 0 };
  }

  /** Numbers at other places: sources one after the other, or by a table of places. */
  #moved(
    { shape }: Recorded,
    { sources, moves }: Extract<Recorded["op"], { kind: "moved" }>,
  ): Expression {
    const flat = sources.map((source) => this.flat(source));
    const places = new Int32Array(sizeOf(shape)).fill(-1);
    const starts = sources.map((_, k) =>
      sources.slice(0, k).reduce((sum, one) => sum + lengthOf(one), 0)
    );
    for (let m = 0; m < moves.length; m += 4) {
      const [source, from, to, length] = moves.slice(m, m + 4) as [number, number, number, number];
      for (let k = 0; k < length; k++) places[to + k] = starts[source]! + from + k;
    }
    const total = sources.reduce((sum, one) => sum + lengthOf(one), 0);
    const isAll = places.length === total && places.every((place, k) => place === k);
    const hasZeros = places.includes(-1);
    const all = [...flat, ...(hasZeros ? ["np.zeros(1, DTYPE)"] : [])];
    const joined = all.length === 1 ? all[0]! : `np.concatenate([${all.join(", ")}])`;
    if (isAll) return { text: joined, shape: [total], level: 0 };
    const table = this.#parts.places(places, `${this.#routine}_places`);
    return { text: `${joined}[${table}]`, shape: [places.length], level: 0 };
  }

  /** A value as one row. */
  flat(value: Recorded): string {
    const { text, shape, level } = this.operand(value);
    if (shape.length === 1) return text;
    return `${level > 0 ? `(${text})` : text}.ravel()`;
  }

  /** The same numbers in another shape; fewer of them repeat. */
  shaped(expression: Expression, shape: Shape): Expression {
    const { text, level } = expression;
    if (expression.shape.join() === shape.join()) return expression;
    const whole = level > 0 || text.startsWith("-") ? `(${text})` : text;
    return sizeOf(expression.shape) === sizeOf(shape)
      ? { text: `${whole}.reshape(${shape.join(", ")})`, shape, level: 0 }
      : { text: `np.resize(${text}, (${tupleText(shape)}))`, shape, level: 0 };
  }
}

const tupleText = (shape: Shape) => `${shape.join(", ")}${shape.length === 1 ? "," : ""}`;

const numberText = (x: number) => Number.isFinite(x) ? `${x}` : infinityText(x);

function widest(shapes: readonly Shape[]): Shape {
  return shapes.reduce((a, b) => sizeOf(b) > sizeOf(a) || b.length > a.length ? b : a, []);
}
