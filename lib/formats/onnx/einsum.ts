// `Einsum` of one array or two: a product of matrices, its axes turned before and after.

import { quoted } from "../../base/quoted.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { permuted } from "../../values/arrange.ts";
import type { Ops } from "../../values/ops.ts";
import { textOf } from "./attributes.ts";
import { UnreadNode } from "./errors.ts";
import type { Operand, Running } from "./node_layers.ts";
import { asWeight, type Result, type Step } from "./step.ts";

/** `Einsum`, each letter once in a term, none summed in one term alone. */
export function einsum({ build, operands, ...step }: Step): Result[] {
  const equation = textOf({ build, operands, ...step }, "equation", "").replaceAll(" ", "");
  const parts = /^([a-zA-Z]+)(?:,([a-zA-Z]+))?->([a-zA-Z]+)$/.exec(equation);
  const terms = parts?.slice(1, 3).filter((term) => term !== undefined) ?? [];
  const target = [...parts?.[3] ?? ""];
  const isOnce = [...terms, target.join("")].every((term) => new Set(term).size === term.length);
  const [a = "", b = ""] = terms;
  const isRead = parts !== null && terms.length === operands.length && isOnce &&
    target.every((letter) => a.includes(letter) || b.includes(letter)) &&
    [...a].every((letter) => b.includes(letter) || target.includes(letter)) &&
    [...b].every((letter) => a.includes(letter) || target.includes(letter));
  if (!isRead) throw new UnreadNode(`its equation is ${quoted(equation)}`);
  const given = operands.map((one, k) => asWeight(one!, `operand_${k}`)) as Operand[];
  const lengthsOf = (shapes: readonly (readonly number[])[]) => {
    const lengths = new Map<string, number>();
    shapes.forEach((shape, k) => {
      if (shape.length !== terms[k]!.length) {
        throw new UnreadNode(`its term ${quoted(terms[k]!)} is of [${shape}]`);
      }
      [...terms[k]!].forEach((letter, axis) => {
        const [known, length] = [lengths.get(letter) ?? NaN, shape[axis]!];
        if (known !== length && !Number.isNaN(known + length)) {
          throw new UnreadNode(`its axis ${letter} is ${known} and ${length}`);
        }
        lengths.set(letter, Number.isNaN(known) ? length : known);
      });
    });
    return lengths;
  };
  const shapeOf = (shapes: readonly (readonly number[])[]) => {
    const lengths = lengthsOf(shapes);
    return target.map((letter) => lengths.get(letter)!);
  };
  return build.operate("Einsum", given, {
    shapes: (all) => [shapeOf(all.map(({ shape }) => shape))],
    run: (o, all) => {
      const lengths = lengthsOf(all.map(({ shape }) => shape));
      const size = (letters: readonly string[]) => sizeOf(letters.map((one) => lengths.get(one)!));
      if (b === "") return [turned(o, all[0], a, target)];
      const both = target.filter((letter) => a.includes(letter) && b.includes(letter));
      const summed = [...a].filter((letter) => b.includes(letter) && !target.includes(letter));
      const rows = target.filter((letter) => !b.includes(letter));
      const columns = target.filter((letter) => !a.includes(letter));
      const left = turned(o, all[0], a, [...both, ...rows, ...summed]);
      const right = turned(o, all[1]!, b, [...both, ...summed, ...columns]);
      const product = o.matmul(
        o.reshape(left, [size(both), size(rows), size(summed)]),
        o.reshape(right, [size(both), size(summed), size(columns)]),
      );
      const order = [...both, ...rows, ...columns];
      const shape = order.map((letter) => lengths.get(letter)!);
      return [turned(o, { value: o.reshape(product, shape) }, order.join(""), target)];
    },
  });
}

function turned<V>(
  o: Ops<V>,
  { value }: Pick<Running<V>, "value">,
  from: string,
  to: readonly string[],
): V {
  return permuted(o, value, to.map((letter) => from.indexOf(letter)));
}
