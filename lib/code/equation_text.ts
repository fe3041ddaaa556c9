// How a value is computed, as a textbook writes it: `c = f ⊙ c + i ⊙ c̃`.

import type { Activation } from "../values/activations.ts";
import { inverse } from "../values/functions.ts";
import { lengthOf, placeOf, type Recorded } from "./recorded.ts";

/** How the parts of an equation are written. */
export interface Notation {
  /** x·W */
  readonly product: (a: string, b: string) => string;
  /** a ⊙ b */
  readonly hadamard: (a: string, b: string) => string;
  readonly quotient: (a: string, b: string) => string;
  readonly call: (f: Activation, x: string) => string;
  readonly largest: (x: string) => string;
  /** The numbers of a value from one to another, both among them. */
  readonly part: (x: string, from: number, to: number) => string;
  /** A weight or another constant by its name, or a number. */
  readonly constant: (nameOrNumber: string | number) => string;
  /** What is no formula. */
  readonly words: (text: string) => string;
}

const FUNCTIONS: Readonly<Record<string, string>> = {
  sigmoid: "σ",
  exponential: "exp",
  logarithm: "ln",
  root: "√",
  inverse_root: "1/√",
};
const LETTERS: Readonly<Record<string, string>> = {
  kernel: "W",
  recurrent_kernel: "U",
  bias: "b",
  gamma: "γ",
  beta: "β",
};

/** What an equation calls a weight. */
const letterOf = (weight: string): string => LETTERS[weight] ?? weight.replaceAll("_", " ");

/** What an equation calls a function. */
export function functionText({ activationName }: Activation): string {
  return FUNCTIONS[activationName] ?? activationName.replaceAll("_", " ");
}

const PLAIN: Notation = {
  product: (a, b) => `${a}·${b}`,
  hadamard: (a, b) => `${a} ⊙ ${b}`,
  quotient: (a, b) => `${a} / ${b}`,
  call: (f, x) => `${functionText(f)}(${x})`,
  largest: (x) => `max(${x})`,
  part: (x, from, to) => `${x}[${from}…${to}]`,
  constant: (one) => String(one).replace("Infinity", "∞").replace("-", "−"),
  words: (text) => text,
};

/**
 * The right side of an equation.
 *
 * @param nameOf what a value is called that stands there by name; undefined where it is written out
 * @param notation how it is written. Default: as plain text.
 */
export function equationText(
  value: Recorded,
  nameOf: (value: Recorded) => string | undefined,
  notation: Notation = PLAIN,
): string {
  const { words } = notation;
  const inner = (x: Recorded) => nameOf(x) ?? equationText(x, nameOf, notation);
  const factor = (x: Recorded) => {
    const text = inner(x);
    return isSum(text) ? `(${text})` : text;
  };
  const sum = (texts: readonly string[]) => texts.join(" + ").replaceAll("+ −", "− ");
  const { op } = value;
  switch (op.kind) {
    case "constant":
    case "weight":
      return notation.constant(constantName(value));
    case "affine": {
      const [x, W] = op.terms[0]!;
      if (op.terms.length === 1 && op.b === undefined && isMean(W)) {
        return `${words("mean")}(${inner(x)})`;
      }
      return sum([
        ...op.terms.map(([x, W]) => notation.product(factor(x), inner(W))),
        ...(op.b === undefined ? [] : [inner(op.b)]),
      ]);
    }
    case "matmul":
      return notation.product(factor(op.a), factor(op.b));
    case "products":
      return sum(
        op.pairs.map(([a, b]) =>
          b.op.kind === "apply" && b.op.f === inverse && nameOf(b) === undefined
            ? notation.quotient(factor(a), factor(b.op.x))
            : notation.hadamard(factor(a), factor(b))
        ),
      );
    case "sum":
      return sum(op.xs.map(inner));
    case "scale":
      return op.factor === -1 ? `−${factor(op.x)}` : `${op.factor} ${factor(op.x)}`;
    case "oneMinus":
      return `1 − ${factor(op.x)}`;
    case "apply":
      return notation.call(op.f, inner(op.x));
    case "largest":
      return notation.largest(inner(op.x));
    case "lookup":
      return `${words("row x of ")}${inner(op.table)}`;
    case "part": {
      const { root, offset } = placeOf(value);
      const whole = inner(root);
      return lengthOf(root) === lengthOf(value)
        ? whole
        : notation.part(whole, offset, offset + lengthOf(value) - 1);
    }
    case "moved": {
      const used = op.sources.filter((_, s) => op.moves.some((one, k) => k % 4 === 0 && one === s));
      return used.length === 1
        ? `${inner(used[0]!)}${words(" rearranged")}`
        : used.map(inner).join(words(" and "));
    }
    case "loop":
      return `${words(`${op.step.name} ${op.backwards ? "back " : ""}along `)}${inner(op.x)}`;
    default:
      return "";
  }
}

/** Whether a text is a sum outside of its parentheses. */
function isSum(text: string): boolean {
  const outside = text.replaceAll(/\([^()]*\)|\{[^{}]*\}/g, "");
  return outside === text ? / [+−] /.test(text) : isSum(outside);
}

/** Whether a row times a matrix is the mean of the row. */
function isMean({ op, shape }: Recorded): boolean {
  return op.kind === "constant" && op.tensor.data.every((one) => one === 1 / shape[0]!);
}

/** A weight's name, the one number that a constant is, or a letter for many. */
function constantName({ op, label, shape }: Recorded): string | number {
  if (label !== undefined) return letterOf(label.split("/").at(-1)!);
  if (op.kind === "constant" && op.tensor.data.every((one) => one === op.tensor.data[0])) {
    return Number(op.tensor.data[0]!.toPrecision(6));
  }
  return shape.length === 1 ? "a" : "A";
}
