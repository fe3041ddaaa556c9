// What each number of a result is, from the numbers at its own place: one loop.

import { inverse } from "../../values/functions.ts";
import { lengthOf, operandsOf, placeOf, type Recorded, uniformOf } from "../recorded.ts";
import type { Access, Lines } from "./access.ts";
import { floatText } from "./literals.ts";

/** The place in a loop: of the whole, and of operands that repeat. */
interface Places {
  readonly of: (length: number) => string;
}

/** Writes a value and what stands inside of it. */
export class Elementwise {
  readonly #access: Access;
  readonly #isInside: (value: Recorded) => boolean;
  #multiplyAdds = 0;

  constructor(access: Access, isInside: (value: Recorded) => boolean) {
    this.#access = access;
    this.#isInside = isInside;
  }

  /** The loop that fills an array of that name. */
  lines(value: Recorded, name: string): Lines {
    const length = lengthOf(value);
    if (length === 1) {
      const places = { of: () => "0" };
      return this.#done(`${name}[0] = ${this.#expression(value, places).text};`);
    }
    const shorter = this.#shorterOf(value, length);
    const [short] = shorter;
    if (shorter.size === 1 && length % short! === 0) {
      const whole = `row * ${short} + k`;
      const places = { of: (of: number) => of === length ? whole : of === 1 ? "0" : "k" };
      return this.#done(
        `for (int row = 0; row < ${length / short!}; row++) {`,
        `  for (int k = 0; k < ${short}; k++) ${name}[${whole}] = ${
          this.#expression(value, places).text
        };`,
        `}`,
      );
    }
    const places = {
      of: (of: number) => of === length ? "k" : of === 1 ? "0" : `k % ${of}`,
    };
    return this.#done(
      `for (int k = 0; k < ${length}; k++) ${name}[k] = ${this.#expression(value, places).text};`,
    );
  }

  #done(...lines: readonly string[]): Lines {
    return { lines, multiplyAdds: this.#multiplyAdds };
  }

  /** The lengths of operands that repeat, those of what is written inside among them. */
  #shorterOf(value: Recorded, length: number, found = new Set<number>()): Set<number> {
    for (const operand of operandsOf(value)) {
      const { root } = placeOf(operand);
      if (this.#isInside(root)) this.#shorterOf(root, length, found);
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
      return this.#isInside(root)
        ? this.#expression(root, places)
        : { text: this.#access.at(x, places.of(lengthOf(x))), level: 0 as const };
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
          b.op.kind === "apply" && b.op.f === inverse && this.#isInside(b)
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
        return { text: `${this.#access.parts.functions.one(op.f)}(${inner(op.x).text})`, level: 0 };
      default:
        throw new Error(`no expression of ${op.kind}`);
    }
  }
}
