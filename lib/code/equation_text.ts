// How a value is computed, as a textbook writes it: `c = f ⊙ c + i ⊙ c̃`.

import type { Activation } from "../values/activations.ts";
import { inverse } from "../values/functions.ts";
import { lengthOf, placeOf, type Recorded } from "./recorded.ts";

const LETTERS: Readonly<Record<string, string>> = {
  kernel: "W",
  recurrent_kernel: "U",
  bias: "b",
  gamma: "γ",
  beta: "β",
};
const FUNCTIONS: Readonly<Record<string, string>> = {
  sigmoid: "σ",
  exponential: "exp",
  logarithm: "ln",
  root: "√",
  inverse_root: "1/√",
};

/** What an equation calls a function. */
export function functionText({ activationName }: Activation): string {
  return FUNCTIONS[activationName] ?? activationName.replaceAll("_", " ");
}

/**
 * The right side of an equation.
 *
 * @param nameOf what a value is called that stands there by name; undefined where it is written out
 */
export function equationText(
  value: Recorded,
  nameOf: (value: Recorded) => string | undefined,
): string {
  const inner = (x: Recorded) => nameOf(x) ?? equationText(x, nameOf);
  const factor = (x: Recorded) => {
    const text = inner(x);
    return / [+−] /.test(text.replaceAll(/\([^()]*\)/g, "")) ? `(${text})` : text;
  };
  const sum = (texts: readonly string[]) => texts.join(" + ").replaceAll("+ −", "− ");
  const { op } = value;
  switch (op.kind) {
    case "constant":
      return constantText(value);
    case "affine":
      return sum([
        ...op.terms.map(([x, W]) => `${factor(x)}·${inner(W)}`),
        ...(op.b === undefined ? [] : [inner(op.b)]),
      ]);
    case "matmul":
      return `${factor(op.a)}·${factor(op.b)}`;
    case "products":
      return sum(
        op.pairs.map(([a, b]) =>
          b.op.kind === "apply" && b.op.f === inverse && nameOf(b) === undefined
            ? `${factor(a)} / ${factor(b.op.x)}`
            : `${factor(a)} ⊙ ${factor(b)}`
        ),
      );
    case "sum":
      return sum(op.xs.map(inner));
    case "scale":
      return op.factor === -1 ? `−${factor(op.x)}` : `${op.factor} ${factor(op.x)}`;
    case "oneMinus":
      return `1 − ${factor(op.x)}`;
    case "apply":
      return `${functionText(op.f)}(${inner(op.x)})`;
    case "largest":
      return `max(${inner(op.x)})`;
    case "lookup":
      return `row x of ${inner(op.table)}`;
    case "part": {
      const { root, offset } = placeOf(value);
      const whole = inner(root);
      return lengthOf(root) === lengthOf(value)
        ? whole
        : `${whole}[${offset}…${offset + lengthOf(value) - 1}]`;
    }
    case "moved":
      return op.sources.map(inner).join(" and ");
    case "loop":
      return `${op.step.name} along ${inner(op.x)}`;
    default:
      return "";
  }
}

function constantText({ op, label, shape }: Recorded): string {
  if (label !== undefined) {
    const name = label.split("/").at(-1)!;
    return LETTERS[name] ?? name.replaceAll("_", " ");
  }
  if (op.kind === "constant" && op.tensor.data.every((one) => one === op.tensor.data[0])) {
    return String(Number(op.tensor.data[0]!.toPrecision(6)));
  }
  return shape.length === 1 ? "a" : "A";
}
