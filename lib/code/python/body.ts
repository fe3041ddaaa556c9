// A routine's values as NumPy statements, in their order.

import type { Names } from "../names.ts";
import { lengthOf, type Loop, operandsOf, placeOf, type Recorded } from "../recorded.ts";
import type { Routine } from "../routine.ts";
import { Statements, UNNAMED } from "../statements.ts";
import { arrayShape, Expressions } from "./expressions.ts";
import type { PythonParts } from "./parts.ts";

/** Writes the statements of a routine. */
export class PythonBody {
  readonly lines: string[] = [];
  readonly #parts: PythonParts;
  readonly #routine: Routine;
  readonly #statements: Statements;
  readonly #expressions: Expressions;
  readonly #names = new Map<Recorded, string>();
  readonly #free: Names;

  /** @param names of its inputs and its states, which are taken from `free` */
  constructor(
    parts: PythonParts,
    routine: Routine,
    free: Names,
    { inputs, states }: { readonly inputs: readonly string[]; readonly states: readonly string[] },
  ) {
    this.#parts = parts;
    this.#routine = routine;
    this.#statements = new Statements(routine);
    this.#free = free;
    this.#expressions = new Expressions(
      parts,
      routine.name,
      this.#statements,
      (value) => this.#names.get(value)!,
    );
    routine.inputs.forEach((input, k) => this.#names.set(input, inputs[k]!));
    routine.states.forEach((state, k) => this.#names.set(state, states[k]!));
    for (const value of this.#statements.all) this.#statement(value);
  }

  /** A value as it stands after the statements. */
  after(value: Recorded): string {
    return this.#expressions.operand(value).text;
  }

  #statement(value: Recorded): void {
    const { op } = value;
    if (op.kind === "call") return this.#call(value, op.call);
    if (op.kind === "loop") return this.#loop(value, op);
    if (op.kind === "pushed") { // the window's first numbers go
      const window = this.#names.get(op.window)!;
      const { text } = this.#expressions.operand(op.x);
      this.#names.set(value, window);
      const pushed = {
        text: `np.append(${this.#expressions.flat(op.window)}[${lengthOf(op.x)}:], ${text})`,
        shape: [lengthOf(value)],
        level: 0,
      } as const;
      const { text: whole } = this.#expressions.shaped(pushed, arrayShape(value.shape));
      this.lines.push(`${window} = ${whole}`);
      return;
    }
    const expression = this.#expressions.shaped(
      this.#expressions.expression(value),
      arrayShape(value.shape),
    );
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
    return site === undefined ? [] : this.#parts.seen(site, name, value);
  }

  #call(
    value: Recorded,
    { routine, inputs, states }: Extract<Recorded["op"], { kind: "call" }>["call"],
  ): void {
    const given = [...inputs, ...states].map((one) => this.#expressions.operand(one).text).join(
      ", ",
    );
    const call = `${this.#parts.nameOf(routine)}(${given})`;
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
    const given = this.#expressions.shaped(this.#expressions.operand(x), rowsOf).text;
    const [rows, name] = [this.#free.unique("steps"), this.#name(value, "y")];
    const zeros = step.states.map((state) => `np.zeros(${lengthOf(state)}, DTYPE)`);
    const order = backwards ? `reversed(range(${timesteps}))` : `range(${timesteps})`;
    const at = batch === 1 ? `${given}[t]` : `${given}[n, t]`;
    const loop = [
      `${states.join(", ")} = ${zeros.join(", ")}`,
      `for t in ${order}:`,
      ...this.#parts.time("t").map((line) => `    ${line}`),
      `    ${states.join(", ")} = ${this.#parts.nameOf(step)}(${[at, ...states].join(", ")})`,
      ...(sequence ? [`    ${rows}.append(${shown})`] : []),
      ...this.#parts.time("None"),
      ...(sequence ? [] : [`${rows}.append(${shown})`]),
    ];
    const whole = this.#expressions.shaped(
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
}

const LABELS: Readonly<Record<string, string>> = { ...UNNAMED, lookup: "row", apply: "y" };
