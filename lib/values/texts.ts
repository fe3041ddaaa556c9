// An equation as text: each operation writes itself down, and computes, since shapes are asked for.

import type { Tensor } from "../tensor/tensor.ts";
import type { Activation } from "./activations.ts";
import { inverse } from "./functions.ts";
import { numbers } from "./numbers.ts";
import type { Ops } from "./ops.ts";

/** A value, and how it is written. */
export interface Text {
  readonly text: string;
  readonly x: Tensor;
  /** What stands around it, when it is a factor: a sum takes parentheses. Default: 0, nothing. */
  readonly level?: 0 | 1 | 2;
  /** Its parts along the last axis, where they have names. */
  readonly parts?: readonly Text[] | undefined;
  /** What it is one over. */
  readonly over?: string;
}

const inside = ({ text, level = 0 }: Text, most: 0 | 1) => level > most ? `(${text})` : text;
const plus = (texts: readonly string[]) => texts.join(" + ").replaceAll("+ −", "− ");

/** The operations as texts; `nameOf` writes a function. */
export function textsOf(nameOf: (f: Activation) => string): Ops<Text> {
  const texts: Ops<Text> = {
    given: (x) => ({ text: x.data.every((one) => one === x.data[0]) ? `${x.data[0]}` : "…", x }),
    numbers: ({ x }) => x,
    affine: (terms, b) => {
      const products = terms.map(([{ ...x }, W]) => `${inside(x, 0)}${W.text}`);
      const [first] = terms;
      const parts = first![1].parts?.map((_, k) =>
        texts.affine(terms.map(([x, W]) => [x, W.parts![k]!]), b?.parts?.[k])
      );
      return {
        text: plus([...products, ...(b === undefined ? [] : [b.text])]),
        x: numbers.affine(terms.map(([x, W]) => [x.x, W.x]), b?.x),
        level: products.length === 1 && b === undefined ? 1 : 2,
        parts,
      };
    },
    matmul: (a, b) => ({
      text: `${inside(a, 1)} ${inside(b, 1)}`,
      x: numbers.matmul(a.x, b.x),
      level: 1,
    }),
    sumOfProducts: (...pairs) => ({
      text: plus(
        pairs.map(([a, b]) =>
          b.over === undefined ? `${inside(a, 1)} ⊙ ${inside(b, 1)}` : `${inside(a, 1)} / ${b.over}`
        ),
      ),
      x: numbers.sumOfProducts(...pairs.map(([a, b]) => [a.x, b.x] as const)),
      level: pairs.length === 1 ? 1 : 2,
    }),
    add: (...xs) => ({
      text: plus(xs.map(({ text }) => text)),
      x: numbers.add(...xs.map(({ x }) => x)),
      level: 2,
    }),
    scale: (one, factor) => ({
      text: factor === -1 ? `−${inside(one, 1)}` : `${factor} ${inside(one, 1)}`,
      x: numbers.scale(one.x, factor),
      level: factor === -1 ? 2 : 1,
    }),
    oneMinus: (one) => ({ text: `1 − ${inside(one, 1)}`, x: numbers.oneMinus(one.x), level: 2 }),
    largest: (one) => ({ text: `max(${one.text})`, x: numbers.largest(one.x) }),
    apply: (f, one) => ({
      text: f === inverse ? `1 / ${inside(one, 0)}` : `${nameOf(f)}(${one.text})`,
      x: f(one.x),
      ...(f === inverse && { level: 1, over: inside(one, 0) }),
    }),
    blocks: (one, count) => {
      if (one.parts?.length === count) return [...one.parts];
      const xs = numbers.blocks(one.x, count);
      return xs.map((x, k) => ({ ...one, text: count === 1 ? one.text : `${one.text}[${k}]`, x }));
    },
    reshape: (one, shape) => ({ ...one, x: numbers.reshape(one.x, shape) }),
    arrange: (shape, sources, moves) => ({
      text: sources.map(({ text }) => text).join(", "),
      x: numbers.arrange(shape, sources.map(({ x }) => x), moves),
    }),
  };
  return texts;
}
