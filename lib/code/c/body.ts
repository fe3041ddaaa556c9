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
import { Statements, UNNAMED } from "../statements.ts";
import type { CFileParts } from "./parts.ts";
import { Access, type Lines } from "./access.ts";
import { Elementwise } from "./elementwise.ts";
import { loopLines } from "./loop.ts";
import { affineLines, matmulLines } from "./products.ts";
import { largestLines, lookupLines, movedLines, pushedLines, rowLines } from "./rows.ts";
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

/** Writes the statements of a routine. */
export class BodyWriter {
  readonly #access: Access;
  readonly #routine: Routine;
  readonly #statements: Statements;
  readonly #free = cNames();
  readonly #lines: string[] = [];
  readonly #output: string | undefined;
  #stackBytes = 0;
  #multiplyAdds = 0;

  constructor(parts: CFileParts, routine: Routine, names: BodyNames) {
    this.#access = new Access(parts, routine.name);
    this.#routine = routine;
    this.#statements = new Statements(routine);
    this.#output = names.output;
    for (const name of [...names.inputs, ...names.states]) this.#free.unique(name);
    routine.inputs.forEach((input, k) => this.#access.names.set(input, names.inputs[k]!));
    routine.states.forEach((state, k) => this.#access.names.set(state, names.states[k]!));
  }

  write(): Body {
    const { output, after, states } = this.#routine;
    const statements = this.#statements.all;
    this.#place(statements);
    for (const value of statements) {
      const { lines, multiplyAdds = 0 } = this.#statement(value);
      const start = this.#lines.length;
      this.#lines.push(...lines);
      this.#multiplyAdds += multiplyAdds;
      this.#comment(value, start);
      // the output itself is the prediction
      if (
        value.site !== undefined &&
        (value.site.site !== "output" || this.#access.nameOf(value) !== "y")
      ) {
        this.#lines.push(...this.#access.parts.at(value.site, this.#access.nameOf(value)));
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
        this.#access.names.set(root, this.#access.names.get(states[k]!)!);
      }
    });
    // what has a name in the equations has it here
    const named = statements.filter(({ label }) => label !== undefined);
    for (const value of [...named, ...statements]) {
      const { kind } = value.op;
      if (kind === "pushed") this.#access.names.set(value, this.#access.nameOf(value.op.window));
      if (this.#access.names.has(value)) continue;
      if (kind === "call" && value.shape.length === 0) continue; // it changes its states alone
      if (value === end && this.#output !== undefined && lengthOf(end) === lengthOf(output!)) {
        this.#access.names.set(value, this.#output);
        continue;
      }
      this.#access.names.set(value, this.#array(value, value.label ?? LABELS[kind] ?? "v"));
    }
  }

  /** Whether nobody reads a state after this statement, and it only at the place that it writes. */
  #mayOverwrite(state: Recorded, value: Recorded, statements: readonly Recorded[]): boolean {
    const at = statements.indexOf(value);
    if (at < 0 || lengthOf(state) !== lengthOf(value) || this.#access.names.has(value)) {
      return false;
    }
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

  /** The equation beside its statement. */
  #comment(value: Recorded, start: number): void {
    const { kind } = value.op;
    if (kind === "call" || kind === "pushed") return;
    const nameOf = (one: Recorded): string | undefined => {
      if (one.label !== undefined && one.op.kind !== "constant") return one.label;
      const { root, offset } = placeOf(one);
      if (root === one) return one.op.kind === "constant" ? undefined : this.#access.names.get(one);
      const isWhole = offset === 0 && lengthOf(root) === lengthOf(one);
      return isWhole ? nameOf(root) : undefined;
    };
    const name = value.label ?? this.#access.nameOf(value);
    const text = commentText(`${name} = ${equationText(value, nameOf)}`);
    if (text.length > 90) return;
    const first = this.#lines[start];
    if (first === undefined) return;
    this.#lines[start] = this.#lines.length === start + 1 && first.length + text.length < 90
      ? `${first} /* ${text} */`
      : `/* ${text} */\n${first}`;
  }

  #statement(value: Recorded): Lines {
    const { op } = value;
    const [access, name] = [this.#access, this.#access.nameOf(value)];
    switch (op.kind) {
      case "affine":
        return affineLines(value, op, name, access);
      case "matmul":
        return matmulLines(value, op, name, access);
      case "largest":
        return largestLines(value, op, name, access);
      case "moved":
        return movedLines(value, op, name, access);
      case "lookup":
        return lookupLines(value, op, name, access);
      case "loop":
        return loopLines(value, op, name, access, (state) => this.#array(state, state.label!));
      case "pushed":
        return pushedLines(op, name, access);
      case "call": {
        const { routine, inputs, states } = op.call;
        const given = [...inputs, ...states].map((one) => access.base(one));
        const into = value.shape.length === 0 ? [] : [name];
        return { lines: [`${access.parts.nameOf(routine)}(${[...given, ...into].join(", ")});`] };
      }
      case "apply":
        if (takesRows(op.f)) return rowLines(op, name, access);
        break;
      default:
        break;
    }
    const isInside = (one: Recorded) => this.#statements.isInside(one);
    return new Elementwise(access, isInside).lines(value, name);
  }

  /** A new array of a value's size: its name. */
  #array(value: Recorded, called: string): string {
    const name = this.#free.unique(called);
    this.#stackBytes += 4 * lengthOf(value);
    this.#lines.push(`float ${name}[${lengthOf(value)}];`);
    return name;
  }

  /** A state whose new numbers could not be written in its place. */
  #copyBack(state: Recorded, after: Recorded): void {
    const { root } = placeOf(after);
    const [from, to] = [this.#access.names.get(root)!, this.#access.names.get(state)!];
    if (from === to) return;
    this.#lines.push(
      `for (int k = 0; k < ${lengthOf(state)}; k++) ${to}[k] = ${this.#access.at(after, "k")};`,
    );
  }

  #copyOut(output: Recorded): void {
    if (this.#access.nameOf(output) === this.#output) return;
    this.#lines.push(
      `for (int k = 0; k < ${lengthOf(output)}; k++) ${this.#output}[k] = ${
        this.#access.at(output, "k")
      };`,
    );
  }
}

const LABELS: Readonly<Record<string, string>> = {
  ...UNNAMED,
  products: "p",
  sum: "a",
  scale: "p",
  oneMinus: "a",
  apply: "f",
};
