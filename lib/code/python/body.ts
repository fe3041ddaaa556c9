// A routine's values as NumPy statements, in their order. A value's array has the value's shape but
// for the ones in front: `[1, 8]` is an array of 8, `[1, 10, 8]` one of 10 × 8.

import { inverse } from "../../values/functions.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Names } from "../names.ts";
import { lengthOf, type Loop, operandsOf, placeOf, type Recorded, uniformOf } from "../recorded.ts";
import type { Routine } from "../routine.ts";
import { Statements } from "../statements.ts";
import type { PythonFile } from "./file.ts";
import { infinityText } from "./literals.ts";

type Shape = readonly number[];

/** An expression, the shape that NumPy gives it, and what it is: 0 a name, 1 a product, 2 a sum. */
interface Expression {
  readonly text: string;
  readonly shape: Shape;
  readonly level: 0 | 1 | 2;
}

/** The shape of a value's array. */
export function arrayShape(shape: Shape): Shape {
  const first = shape.findIndex((length) => length !== 1);
  return first < 0 ? [1] : shape.slice(first);
}

/** Writes the statements of a routine. */
export class PythonBody {
  readonly lines: string[] = [];
  readonly #file: PythonFile;
  readonly #routine: Routine;
  readonly #statements: Statements;
  readonly #names = new Map<Recorded, string>();
  readonly #free: Names;

  /** @param names of its inputs and its states, which are taken from `free` */
  constructor(
    file: PythonFile,
    routine: Routine,
    free: Names,
    { inputs, states }: { readonly inputs: readonly string[]; readonly states: readonly string[] },
  ) {
    this.#file = file;
    this.#routine = routine;
    this.#statements = new Statements(routine);
    this.#free = free;
    routine.inputs.forEach((input, k) => this.#names.set(input, inputs[k]!));
    routine.states.forEach((state, k) => this.#names.set(state, states[k]!));
    for (const value of this.#statements.all) this.#statement(value);
  }

  /** A value as it stands after the statements. */
  after(value: Recorded): string {
    return this.#operand(value).text;
  }

  #statement(value: Recorded): void {
    const { op } = value;
    if (op.kind === "call") return this.#call(value, op.call);
    if (op.kind === "loop") return this.#loop(value, op);
    if (op.kind === "pushed") { // the window's first numbers go
      const window = this.#names.get(op.window)!;
      const { text } = this.#operand(op.x);
      this.#names.set(value, window);
      const pushed = {
        text: `np.append(${this.#flat(op.window)}[${lengthOf(op.x)}:], ${text})`,
        shape: [lengthOf(value)],
        level: 0,
      } as const;
      const { text: whole } = this.#shaped(pushed, arrayShape(value.shape));
      this.lines.push(`${window} = ${whole}`);
      return;
    }
    const expression = this.#shaped(this.#expression(value), arrayShape(value.shape));
    const name = this.#name(value, LABELS[op.kind] ?? "v");
    this.lines.push(`${name} = ${expression.text}`, ...this.#seen(value, name));
  }

  /** The name of a state that ends as this value and that nobody reads after it; else a new one. */
  #name(value: Recorded, otherwise: string): string {
    const { states, after } = this.#routine;
    const k = after.findIndex((end) => end === value);
    const statements = this.#statements.all;
    const rest = statements.slice(statements.indexOf(value) + 1);
    const isFree = k >= 0 && after.indexOf(states[k]!) < 0 &&
      !rest.some((one) => this.#reads(one, states[k]!));
    const name = isFree
      ? this.#names.get(states[k]!)!
      : this.#free.unique(value.label ?? otherwise);
    this.#names.set(value, name);
    return name;
  }

  /** Whether a statement reads a value, in what stands inside of it too. */
  #reads(statement: Recorded, value: Recorded): boolean {
    return operandsOf(statement).some((operand) => {
      const { root } = placeOf(operand);
      return root === value || this.#statements.isInside(root) && this.#reads(root, value);
    });
  }

  #seen(value: Recorded, name: string): string[] {
    const { site } = value;
    return site === undefined ? [] : this.#file.seen(site, name, value);
  }

  #call(
    value: Recorded,
    { routine, inputs, states }: Extract<Recorded["op"], { kind: "call" }>["call"],
  ): void {
    const given = [...inputs, ...states].map((one) => this.#operand(one).text).join(", ");
    const call = `${this.#file.nameOf(routine)}(${given})`;
    const into = states.length > 0
      ? states.map((state) => this.#names.get(placeOf(state).root)!).join(", ")
      : this.#free.unique("y");
    if (states.length === 0) this.#names.set(value, into);
    this.lines.push(`${into} = ${call}`, ...this.#seen(value, into));
  }

  #loop(value: Recorded, { step, x, backwards, sequence }: Loop): void {
    const [batch, timesteps, size] = x.shape as [number, number, number];
    const units = value.shape.at(-1)!;
    const states = step.states.map((state) => this.#free.unique(state.label!));
    const shown = states[step.after.indexOf(placeOf(step.output!).root)]!;
    const rowsOf = batch === 1 ? [timesteps, size] : [batch, timesteps, size];
    const given = this.#shaped(this.#operand(x), rowsOf).text;
    const [rows, name] = [this.#free.unique("steps"), this.#name(value, "y")];
    const zeros = step.states.map((state) => `np.zeros(${lengthOf(state)}, DTYPE)`);
    const order = backwards ? `reversed(range(${timesteps}))` : `range(${timesteps})`;
    const at = batch === 1 ? `${given}[t]` : `${given}[n, t]`;
    const loop = [
      `${states.join(", ")} = ${zeros.join(", ")}`,
      `for t in ${order}:`,
      ...this.#file.time("t").map((line) => `    ${line}`),
      `    ${states.join(", ")} = ${this.#file.nameOf(step)}(${[at, ...states].join(", ")})`,
      ...(sequence ? [`    ${rows}.append(${shown})`] : []),
      ...this.#file.time("None"),
      ...(sequence ? [] : [`${rows}.append(${shown})`]),
    ];
    const whole = this.#shaped(
      {
        text: `np.array(${rows})`,
        shape: [batch * (sequence ? timesteps : 1), units],
        level: 0,
      },
      arrayShape(value.shape),
    );
    this.lines.push(
      `${rows} = []`,
      ...(batch === 1 ? loop : [`for n in range(${batch}):`, ...loop.map((line) => `    ${line}`)]),
      `${name} = ${whole.text}`,
    );
  }

  /** A value where another statement takes it. */
  #operand(value: Recorded): Expression {
    const shape = arrayShape(value.shape);
    if (value.op.kind === "constant") return this.#shaped(this.#constant(value), shape);
    const { root, offset } = placeOf(value);
    if (this.#statements.isInside(root)) return this.#expression(root);
    const text = this.#names.get(root)!;
    const own = arrayShape(root.shape);
    const length = lengthOf(value);
    if (length === sizeOf(own)) return this.#shaped({ text, shape: own, level: 0 }, shape);
    const width = sizeOf(own.slice(1));
    if (offset % width === 0 && length % width === 0) { // whole rows
      const [from, count] = [offset / width, length / width];
      const rows = `${text}[${from}:${from + count}]`;
      return this.#shaped({ text: rows, shape: [count, ...own.slice(1)], level: 0 }, shape);
    }
    const flat = `${text}.ravel()[${offset}:${offset + length}]`;
    return this.#shaped({ text: flat, shape: [length], level: 0 }, shape);
  }

  #constant(value: Recorded): Expression {
    const { tensor } = value.op as Extract<Recorded["op"], { kind: "constant" }>;
    const text = this.#file.array(tensor, value.label ?? `${this.#routine.name}_constant`);
    return { text, shape: tensor.shape, level: 0 };
  }

  /** A matrix, whose axes of 1 count. */
  #matrix(value: Recorded): string {
    const expression = value.op.kind === "constant" ? this.#constant(value) : this.#operand(value);
    const [rows, columns] = value.shape.slice(-2) as [number, number];
    if (expression.shape.length >= 2 && expression.shape.at(-2) === rows) return expression.text;
    return this.#shaped(expression, [...value.shape.slice(0, -2), rows, columns]).text;
  }

  #expression(value: Recorded): Expression {
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
          `${factor(this.#operand(x))} @ ${this.#matrix(W)}`
        );
        const b = op.b === undefined ? [] : [this.#operand(op.b).text];
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
        const x = this.#operand(op.x);
        const text = `${this.#file.functions.nameOf(op.f)}(${x.text})`;
        return { text, shape: x.shape.with(-1, value.shape.at(-1) ?? 1), level: 0 };
      }
      case "largest": {
        const rows = this.#shaped(this.#operand(op.x), op.x.shape);
        return { text: `np.max(${rows.text}, axis=-1)`, shape: value.shape, level: 0 };
      }
      case "moved":
        return this.#moved(value, op);
      case "lookup": {
        const { text } = this.#operand(op.x);
        const { shape: places } = this.#operand(op.x);
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
    const given = this.#operand(operand);
    if (lengthOf(operand) === lengthOf(value)) return this.#shaped(given, whole);
    const tail = whole.slice(whole.length - given.shape.length);
    if (given.shape.every((length, k) => length === tail[k] || length === 1)) return given;
    return { text: `np.resize(${given.text}, (${tupleText(whole)}))`, shape: whole, level: 0 };
  }

  /** Numbers at other places: sources one after the other, or by a table of places. */
  #moved(
    { shape }: Recorded,
    { sources, moves }: Extract<Recorded["op"], { kind: "moved" }>,
  ): Expression {
    const flat = sources.map((source) => this.#flat(source));
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
    const table = this.#file.places(places, `${this.#routine.name}_places`);
    return { text: `${joined}[${table}]`, shape: [places.length], level: 0 };
  }

  #flat(value: Recorded): string {
    const { text, shape, level } = this.#operand(value);
    if (shape.length === 1) return text;
    return `${level > 0 ? `(${text})` : text}.ravel()`;
  }

  #shaped(expression: Expression, shape: Shape): Expression {
    const { text, level } = expression;
    if (expression.shape.join() === shape.join()) return expression;
    const whole = level > 0 || text.startsWith("-") ? `(${text})` : text;
    return sizeOf(expression.shape) === sizeOf(shape)
      ? { text: `${whole}.reshape(${shape.join(", ")})`, shape, level: 0 }
      : { text: `np.resize(${text}, (${tupleText(shape)}))`, shape, level: 0 };
  }
}

const LABELS: Readonly<Record<string, string>> = {
  affine: "z",
  matmul: "z",
  largest: "m",
  moved: "w",
  lookup: "row",
  apply: "y",
};

const tupleText = (shape: Shape) => `${shape.join(", ")}${shape.length === 1 ? "," : ""}`;

const numberText = (x: number) => Number.isFinite(x) ? `${x}` : infinityText(x);

function widest(shapes: readonly Shape[]): Shape {
  return shapes.reduce((a, b) => sizeOf(b) > sizeOf(a) || b.length > a.length ? b : a, []);
}
