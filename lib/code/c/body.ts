// A routine's values as C statements, in their order.

import {
  isElementwise,
  lengthOf,
  operandsOf,
  placeOf,
  type Recorded,
  takesRows,
} from "../recorded.ts";
import type { Routine } from "../routine.ts";
import { equationText } from "../equation_text.ts";
import { Statements } from "../statements.ts";
import { inverse } from "../../values/functions.ts";
import type { CFileParts } from "./parts.ts";
import { floatText } from "./literals.ts";
import { fillsAll, loopsOf, patternsOf } from "./moves.ts";
import { cNames, commentText } from "./names.ts";

/** What a routine's text is, and what it costs. */
export interface Body {
  readonly lines: readonly string[];
  /** What its own arrays take, without those of what it calls. */
  readonly stackBytes: number;
  readonly multiplyAdds: number;
}

/** What a routine's surroundings call its values. */
export interface BodyNames {
  readonly inputs: readonly string[];
  readonly states: readonly string[];
  /** Where the result goes; undefined where it is one of the states. */
  readonly output: string | undefined;
}

/** A loop over a value's numbers, and the place in it: of the whole, and of operands that repeat. */
interface Places {
  readonly whole: string;
  readonly of: (length: number) => string;
}

/** Writes the statements of a routine. */
export class BodyWriter {
  readonly #parts: CFileParts;
  readonly #routine: Routine;
  readonly #statements: Statements;
  readonly #names = new Map<Recorded, string>();
  readonly #free = cNames();
  readonly #lines: string[] = [];
  readonly #output: string | undefined;
  #stackBytes = 0;
  #multiplyAdds = 0;

  constructor(parts: CFileParts, routine: Routine, names: BodyNames) {
    this.#parts = parts;
    this.#routine = routine;
    this.#statements = new Statements(routine);
    this.#output = names.output;
    for (const name of [...names.inputs, ...names.states]) this.#free.unique(name);
    routine.inputs.forEach((input, k) => this.#names.set(input, names.inputs[k]!));
    routine.states.forEach((state, k) => this.#names.set(state, names.states[k]!));
  }

  write(): Body {
    const { output, after, states } = this.#routine;
    const statements = this.#statements.all;
    this.#place(statements);
    for (const value of statements) {
      const start = this.#lines.length;
      this.#statement(value);
      this.#comment(value, start);
      // the output itself is the prediction
      if (
        value.site !== undefined && (value.site.site !== "output" || this.#nameOf(value) !== "y")
      ) {
        this.#lines.push(...this.#parts.at(value.site, this.#nameOf(value)));
      }
    }
    states.forEach((state, k) => this.#copyBack(state, after[k]!));
    if (output !== undefined && this.#output !== undefined) this.#copyOut(output);
    return {
      lines: this.#lines,
      stackBytes: this.#stackBytes,
      multiplyAdds: this.#multiplyAdds,
    };
  }

  /** Gives each statement's value its array: a state that it may overwrite, the output, a new one. */
  #place(statements: readonly Recorded[]): void {
    const { states, after, output } = this.#routine;
    const end = output && placeOf(output).root;
    after.forEach((value, k) => {
      const { root, offset } = placeOf(value);
      if (offset === 0 && root !== states[k] && this.#mayOverwrite(states[k]!, root, statements)) {
        this.#names.set(root, this.#names.get(states[k]!)!);
      }
    });
    // what has a name in the equations has it here
    const named = statements.filter(({ label }) => label !== undefined);
    for (const value of [...named, ...statements]) {
      const { kind } = value.op;
      if (kind === "pushed") this.#names.set(value, this.#nameOf(value.op.window));
      if (this.#names.has(value)) continue;
      if (kind === "call" && value.shape.length === 0) continue; // it changes its states alone
      if (value === end && this.#output !== undefined && lengthOf(end) === lengthOf(output!)) {
        this.#names.set(value, this.#output);
        continue;
      }
      const name = this.#free.unique(value.label ?? LABELS[kind] ?? "v");
      this.#names.set(value, name);
      this.#stackBytes += 4 * lengthOf(value);
      this.#lines.push(`float ${name}[${lengthOf(value)}];`);
    }
  }

  /** Whether nobody reads a state after this statement, and it only at the place that it writes. */
  #mayOverwrite(state: Recorded, value: Recorded, statements: readonly Recorded[]): boolean {
    const at = statements.indexOf(value);
    if (at < 0 || lengthOf(state) !== lengthOf(value) || this.#names.has(value)) return false;
    const reads = statements.map((statement) => this.#reads(statement, state));
    return reads.every((read, k) =>
      read === undefined || k < at || k === at && read === "in place"
    );
  }

  /** How a statement reads a value: nowhere, number by number, or otherwise. */
  #reads(statement: Recorded, value: Recorded): "in place" | "anywhere" | undefined {
    let found: "in place" | "anywhere" | undefined;
    for (const operand of operandsOf(statement)) {
      const { root, offset } = placeOf(operand);
      const isWhole = isElementwise(statement) && offset === 0 &&
        lengthOf(operand) === lengthOf(statement);
      const read = root === value
        ? "in place"
        : this.#statements.isInside(root)
        ? this.#reads(root, value)
        : undefined;
      if (read !== undefined) found = isWhole && found !== "anywhere" ? read : "anywhere";
    }
    return found;
  }

  #nameOf(value: Recorded): string {
    return this.#names.get(placeOf(value).root)!;
  }

  /** Where a value's numbers begin: `z`, `z + 8`, the name of a constant. */
  #base(value: Recorded): string {
    if (value.op.kind === "constant") return this.#parts.array(value, this.#routine.name);
    const { root, offset } = placeOf(value);
    return offset === 0 ? this.#names.get(root)! : `${this.#names.get(root)} + ${offset}`;
  }

  /** One of a value's numbers: `z[8 + k]`. */
  #at(value: Recorded, place: string): string {
    if (value.op.kind === "constant") {
      const uniform = uniformOf(value);
      return uniform === undefined
        ? `${this.#parts.array(value, this.#routine.name)}[${place}]`
        : floatText(uniform);
    }
    const { root, offset } = placeOf(value);
    const shown = offset === 0 ? place : place === "0" ? `${offset}` : `${offset} + ${place}`;
    return `${this.#names.get(root)}[${shown}]`;
  }

  #push(...lines: readonly string[]): void {
    this.#lines.push(...lines);
  }

  /** The equation beside its statement. */
  #comment(value: Recorded, start: number): void {
    const { kind } = value.op;
    if (kind === "call" || kind === "pushed") return;
    const nameOf = (one: Recorded): string | undefined => {
      if (one.label !== undefined && one.op.kind !== "constant") return one.label;
      const { root, offset } = placeOf(one);
      if (root === one) return one.op.kind === "constant" ? undefined : this.#names.get(one);
      const isWhole = offset === 0 && lengthOf(root) === lengthOf(one);
      return isWhole ? nameOf(root) : undefined;
    };
    const name = value.label ?? this.#nameOf(value);
    const text = commentText(`${name} = ${equationText(value, nameOf)}`);
    if (text.length > 90) return;
    const first = this.#lines[start];
    if (first === undefined) return;
    this.#lines[start] = this.#lines.length === start + 1 && first.length + text.length < 90
      ? `${first} /* ${text} */`
      : `/* ${text} */\n${first}`;
  }

  #statement(value: Recorded): void {
    const { op } = value;
    const [name, length] = [this.#nameOf(value), lengthOf(value)];
    switch (op.kind) {
      case "affine":
        return this.#affine(value, op, name);
      case "matmul": {
        const [m, inner] = op.a.shape.slice(-2) as [number, number];
        const n = op.b.shape.at(-1)!;
        this.#multiplyAdds += length * inner;
        const matrix = `(row / ${m} * ${inner} + k) * ${n} + j`;
        return this.#push(
          `for (int row = 0; row < ${length / n}; row++) {`,
          `  for (int j = 0; j < ${n}; j++) {`,
          `    float sum = 0.0f;`,
          `    for (int k = 0; k < ${inner}; k++) sum += ${
            this.#at(op.a, `row * ${inner} + k`)
          } * ${this.#at(op.b, matrix)};`,
          `    ${name}[row * ${n} + j] = sum;`,
          `  }`,
          `}`,
        );
      }
      case "largest": {
        const width = op.x.shape.at(-1)!;
        return this.#push(
          `for (int row = 0; row < ${length}; row++) {`,
          `  float most = ${this.#at(op.x, `row * ${width}`)};`,
          `  for (int k = 1; k < ${width}; k++) most = ${
            this.#at(op.x, `row * ${width} + k`)
          } <= most ` +
            `? most : ${this.#at(op.x, `row * ${width} + k`)};`,
          `  ${name}[row] = most;`,
          `}`,
        );
      }
      case "apply":
        if (!takesRows(op.f)) break;
        return this.#rows(op, name);
      case "moved":
        return this.#moved(value, op, name);
      case "lookup":
        return this.#lookup(value, op, name);
      case "loop":
        return this.#loop(value, op, name);
      case "pushed": {
        const size = lengthOf(op.x);
        const rest = lengthOf(op.window) - size;
        return this.#push(
          ...(rest === 0
            ? []
            : [`for (int k = 0; k < ${rest}; k++) ${name}[k] = ${name}[k + ${size}];`]),
          `for (int k = 0; k < ${size}; k++) ${name}[${rest === 0 ? "k" : `${rest} + k`}] = ${
            this.#at(op.x, "k")
          };`,
        );
      }
      case "call": {
        const { routine, inputs, states } = op.call;
        const given = [...inputs, ...states].map((one) => this.#base(one));
        const into = value.shape.length === 0 ? [] : [name];
        return this.#push(`${this.#parts.nameOf(routine)}(${[...given, ...into].join(", ")});`);
      }
      default:
        break;
    }
    this.#elementwise(value, name);
  }

  #elementwise(value: Recorded, name: string): void {
    const length = lengthOf(value);
    if (length === 1) {
      const places = { whole: "0", of: () => "0" };
      return this.#push(`${name}[0] = ${this.#expression(value, places).text};`);
    }
    const shorter = this.#shorterOf(value, length);
    const [short] = shorter;
    if (shorter.size === 1 && length % short! === 0) {
      const whole = `row * ${short} + k`;
      const places = { whole, of: (of: number) => of === length ? whole : of === 1 ? "0" : "k" };
      return this.#push(
        `for (int row = 0; row < ${length / short!}; row++) {`,
        `  for (int k = 0; k < ${short}; k++) ${name}[${whole}] = ${
          this.#expression(value, places).text
        };`,
        `}`,
      );
    }
    const places = {
      whole: "k",
      of: (of: number) => of === length ? "k" : of === 1 ? "0" : `k % ${of}`,
    };
    this.#push(
      `for (int k = 0; k < ${length}; k++) ${name}[k] = ${this.#expression(value, places).text};`,
    );
  }

  /** The lengths of operands that repeat, those of what is written inside among them. */
  #shorterOf(value: Recorded, length: number, found = new Set<number>()): Set<number> {
    for (const operand of operandsOf(value)) {
      const { root } = placeOf(operand);
      if (this.#statements.isInside(root)) this.#shorterOf(root, length, found);
      else if (operand.op.kind === "constant" && uniformOf(operand) !== undefined) continue;
      else if (lengthOf(operand) !== length && lengthOf(operand) > 1) found.add(lengthOf(operand));
    }
    return found;
  }

  /** The number at a place; level 0 needs no parentheses, 1 is a product, 2 a sum. */
  #expression(value: Recorded, places: Places): { text: string; level: 0 | 1 | 2 } {
    const { op } = value;
    const inner = (x: Recorded) => {
      const { root } = placeOf(x);
      return this.#statements.isInside(root)
        ? this.#expression(root, places)
        : { text: this.#at(x, places.of(lengthOf(x))), level: 0 as const };
    };
    const factor = (x: Recorded) => {
      const { text, level } = inner(x);
      return level === 2 || text.startsWith("-") ? `(${text})` : text;
    };
    const divisor = (x: Recorded) => {
      const { text, level } = inner(x);
      return level > 0 ? `(${text})` : text;
    };
    const sum = (texts: readonly string[]) => texts.join(" + ").replaceAll(" + -", " - ");
    switch (op.kind) {
      case "products": {
        this.#multiplyAdds += op.pairs.length * lengthOf(value);
        const products = op.pairs.map(([a, b]) =>
          b.op.kind === "apply" && b.op.f === inverse && this.#statements.isInside(b)
            ? `${factor(a)} / ${divisor(b.op.x)}`
            : `${factor(a)} * ${factor(b)}`
        );
        return { text: sum(products), level: products.length === 1 ? 1 : 2 };
      }
      case "sum":
        return { text: sum(op.xs.map((x) => inner(x).text)), level: op.xs.length === 1 ? 0 : 2 };
      case "scale":
        return op.factor === -1
          ? { text: `-${divisor(op.x)}`, level: 2 }
          : { text: `${floatText(op.factor)} * ${factor(op.x)}`, level: 1 };
      case "oneMinus":
        return { text: `1.0f - ${factor(op.x)}`, level: 2 };
      case "apply":
        return { text: `${this.#parts.functions.one(op.f)}(${inner(op.x).text})`, level: 0 };
      default:
        throw new Error(`no expression of ${op.kind}`);
    }
  }

  #affine(value: Recorded, op: Extract<Recorded["op"], { kind: "affine" }>, name: string): void {
    const columns = value.shape.at(-1)!;
    const rows = lengthOf(value) / columns;
    const row = rows === 1 ? "" : "row * ";
    const at = (width: number, k: string) => row === "" ? k : `row * ${width} + ${k}`;
    const indent = rows === 1 ? "" : "  ";
    const lines: string[] = [];
    const only = op.terms.length === 1 && op.b === undefined ? op.terms[0] : undefined;
    const uniform = only && uniformOf(only[1]);
    if (only !== undefined && uniform !== undefined) { // each column is the same sum
      const width = only[1].shape[0]!;
      this.#multiplyAdds += rows * width;
      const times = uniform === 1 ? "" : ` * ${floatText(uniform)}`;
      lines.push(
        `float sum = 0.0f;`,
        `for (int k = 0; k < ${width}; k++) sum += ${this.#at(only[0], at(width, "k"))};`,
        columns === 1
          ? `${name}[${rows === 1 ? "0" : "row"}] = sum${times};`
          : `for (int j = 0; j < ${columns}; j++) ${name}[${at(columns, "j")}] = sum${times};`,
      );
      if (rows === 1) return this.#push("{", ...lines.map((line) => `  ${line}`), "}");
    } else {
      lines.push(
        `for (int j = 0; j < ${columns}; j++) {`,
        `  float sum = ${op.b === undefined ? "0.0f" : this.#at(op.b, "j")};`,
        ...op.terms.map(([x, W]) => {
          const width = W.shape[0]!;
          this.#multiplyAdds += rows * width * columns;
          const matrix = columns === 1 ? "k" : `k * ${columns} + j`;
          return `  for (int k = 0; k < ${width}; k++) sum += ${this.#at(x, at(width, "k"))} * ${
            this.#at(W, matrix)
          };`;
        }),
        `  ${name}[${at(columns, "j")}] = sum;`,
        `}`,
      );
    }
    if (rows === 1) return this.#push(...lines);
    this.#push(
      `for (int row = 0; row < ${rows}; row++) {`,
      ...lines.map((line) => `${indent}${line}`),
      `}`,
    );
  }

  #rows(op: Extract<Recorded["op"], { kind: "apply" }>, name: string): void {
    const width = op.x.shape.at(-1)!;
    const rows = lengthOf(op.x) / width;
    const call = this.#parts.functions.row(op.f);
    const x = this.#base(op.x);
    if (rows === 1) return this.#push(`${call}(${x}, ${name}, ${width});`);
    const out = op.f.activationName === "glu" ? width / 2 : width;
    this.#push(
      `for (int row = 0; row < ${rows}; row++) ${call}(${x} + row * ${width}, ${name} + row * ${out}, ${width});`,
    );
  }

  #moved(value: Recorded, op: Extract<Recorded["op"], { kind: "moved" }>, name: string): void {
    const length = lengthOf(value);
    const numberAt = (source: number, place: string) => this.#at(op.sources[source]!, place);
    const patterns = patternsOf(op.moves);
    if (!fillsAll(op.moves, length)) {
      this.#push(`for (int k = 0; k < ${length}; k++) ${name}[k] = 0.0f;`);
    }
    if (patterns !== undefined) {
      return this.#push(...patterns.map((pattern) => loopsOf(pattern, name, numberAt)));
    }
    // uneven: where each number comes from, one table a source
    op.sources.forEach((source, k) => {
      const [from, to]: number[][] = [[], []];
      for (let m = 0; m < op.moves.length; m += 4) {
        if (op.moves[m] !== k) continue;
        for (let n = 0; n < op.moves[m + 3]!; n++) {
          from!.push(op.moves[m + 1]! + n);
          to!.push(op.moves[m + 2]! + n);
        }
      }
      if (from!.length === 0) return;
      const [places, targets] = [from!, to!].map((list) =>
        this.#parts.places(list, this.#routine.name)
      );
      this.#push(
        `for (int k = 0; k < ${from!.length}; k++) ${name}[${targets}[k]] = ${
          this.#at(source, `${places}[k]`)
        };`,
      );
    });
  }

  #lookup(value: Recorded, op: Extract<Recorded["op"], { kind: "lookup" }>, name: string): void {
    const [words, width] = op.table.shape as [number, number];
    const count = lengthOf(value) / width;
    const word = this.#at(op.x, count === 1 ? "0" : "row");
    const to = count === 1 ? "k" : `row * ${width} + k`;
    const table = this.#at(op.table, `${word} * ${width} + k`);
    const line = `for (int k = 0; k < ${width}; k++) ${name}[${to}] = ` +
      `${word} >= 0 && ${word} < ${words} ? ${table} : NAN;`;
    this.#push(
      ...(count === 1 ? [line] : [`for (int row = 0; row < ${count}; row++) {`, `  ${line}`, `}`]),
    );
  }

  #loop(value: Recorded, op: Extract<Recorded["op"], { kind: "loop" }>, name: string): void {
    const [batch, timesteps, size] = op.x.shape as [number, number, number];
    const units = value.shape.at(-1)!;
    const states = op.step.states.map((state) => {
      const own = this.#free.unique(state.label!);
      this.#stackBytes += 4 * lengthOf(state);
      return { own, length: lengthOf(state), state };
    });
    const shown = op.step.after.indexOf(placeOf(op.step.output!).root);
    const { own } = states[shown]!;
    const start = (first: string, stride: number, index: string) =>
      batch === 1
        ? `${first} + ${index} * ${stride}`
        : `${first} + (n * ${timesteps} + ${index}) * ${stride}`;
    const x = start(this.#base(op.x), size, "t");
    const given = states.map(({ own }) => own).join(", ");
    const loop = [
      ...states.map(({ own, length }) => `for (int k = 0; k < ${length}; k++) ${own}[k] = 0.0f;`),
      `for (int j = 0; j < ${timesteps}; j++) {`,
      `  const int t = ${op.backwards ? `${timesteps - 1} - j` : "j"};`,
      ...this.#parts.time("t").map((line) => `  ${line}`),
      `  ${this.#parts.nameOf(op.step)}(${x}, ${given});`,
      ...(op.sequence
        ? [
          `  for (int k = 0; k < ${units}; k++) ${name}[${
            batch === 1 ? "j" : `(n * ${timesteps} + j)`
          } * ${units} + k] = ${own}[k];`,
        ]
        : []),
      `}`,
      ...(op.sequence ? [] : [
        `for (int k = 0; k < ${units}; k++) ${name}[${
          batch === 1 ? "k" : `n * ${units} + k`
        }] = ${own}[k];`,
      ]),
    ];
    this.#multiplyAdds += batch * timesteps * this.#parts.multiplyAddsOf(op.step);
    this.#push(...states.map(({ own, length }) => `float ${own}[${length}];`));
    if (batch === 1) return this.#push(...loop);
    this.#push(`for (int n = 0; n < ${batch}; n++) {`, ...loop.map((line) => `  ${line}`), `}`);
  }

  /** A state whose new numbers could not be written in its place. */
  #copyBack(state: Recorded, after: Recorded): void {
    const { root } = placeOf(after);
    const [from, to] = [this.#names.get(root)!, this.#names.get(state)!];
    if (from === to) return;
    this.#push(`for (int k = 0; k < ${lengthOf(state)}; k++) ${to}[k] = ${this.#at(after, "k")};`);
  }

  #copyOut(output: Recorded): void {
    if (this.#nameOf(output) === this.#output) return;
    this.#push(
      `for (int k = 0; k < ${lengthOf(output)}; k++) ${this.#output}[k] = ${
        this.#at(output, "k")
      };`,
    );
  }
}

const LABELS: Readonly<Record<string, string>> = {
  affine: "z",
  matmul: "z",
  largest: "m",
  moved: "w",
  products: "p",
  sum: "a",
  scale: "p",
  oneMinus: "a",
  apply: "f",
};

/** The one number that a constant is, over and over. */
function uniformOf({ op }: Recorded): number | undefined {
  if (op.kind !== "constant") return undefined;
  const [first] = op.tensor.data;
  return op.tensor.data.every((one) => one === first) ? first : undefined;
}
