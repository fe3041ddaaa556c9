// Which of a routine's values get a statement of their own, and which stand inside of another's.

import { isElementwise, lengthOf, operandsOf, placeOf, type Recorded } from "./recorded.ts";
import type { Routine } from "./routine.ts";

/** What the value of an operation is called where the equations have no name for it. */
export const UNNAMED: Readonly<Record<string, string>> = {
  affine: "z",
  matmul: "z",
  largest: "m",
  moved: "w",
};

/** A routine's statements: what is computed for nothing is left out. */
export class Statements {
  /** In their order. */
  readonly all: readonly Recorded[];
  readonly #needed = new Set<Recorded>();
  readonly #uses = new Map<Recorded, { count: number; by: Recorded; isWhole: boolean }>();
  readonly #ends: readonly Recorded[];

  constructor({ values, output, after }: Routine) {
    const ends = [...after, ...(output === undefined ? [] : [output])];
    this.#ends = ends.map((end) => placeOf(end).root);
    ends.forEach((end) => this.#need(end));
    for (const value of values) {
      const isDone = value.op.kind === "call" || value.op.kind === "pushed";
      if (isDone || value.site !== undefined) this.#need(value);
    }
    for (const value of this.#needed) this.#countUses(value);
    this.all = values.filter((value) => this.#needed.has(value) && this.#isStatement(value));
  }

  /** Whether it stands inside of the one value that it is for. */
  isInside(value: Recorded): boolean {
    const use = this.#uses.get(value);
    return isElementwise(value) && value.site === undefined && !this.#ends.includes(value) &&
      use?.count === 1 && use.isWhole && isElementwise(use.by) &&
      lengthOf(use.by) === lengthOf(value);
  }

  #isStatement(value: Recorded): boolean {
    const { kind } = value.op;
    const isGiven = ["part", "constant", "weight", "input", "state"].includes(kind);
    return !isGiven && !this.isInside(value);
  }

  #need(value: Recorded): void {
    if (this.#needed.has(value)) return;
    this.#needed.add(value);
    operandsOf(value).forEach((operand) => this.#need(operand));
  }

  #countUses(value: Recorded): void {
    if (value.op.kind === "part") return; // its users use what it is a part of
    for (const operand of operandsOf(value)) {
      const { root, offset } = placeOf(operand);
      const found = this.#uses.get(root);
      const isWhole = offset === 0 && lengthOf(root) === lengthOf(operand);
      if (found === undefined) this.#uses.set(root, { count: 1, by: value, isWhole });
      else found.count++;
    }
  }
}
