// Numbers in Python, in lists of lists.

import type { Tensor } from "../../tensor/tensor.ts";
import { float32Digits } from "../float32_digits.ts";

const WIDTH = 96;

/** A number: all digits of a float64, of a float32 those that tell it from its neighbours. */
function numberText(x: number, isFloat32: boolean): string {
  if (!Number.isFinite(x)) return infinityText(x);
  if (!isFloat32) return String(x);
  return String(Number(float32Digits(x)));
}

/** `np.inf`, `np.nan`. */
export const infinityText = (x: number): string =>
  Number.isNaN(x) ? "np.nan" : x > 0 ? "np.inf" : "-np.inf";

/** A tensor as the arguments of `array`: nested lists, and the type where it is not float32. */
export function arrayText({ data, shape }: Tensor): string {
  const isFloat32 = data.every((x) => Object.is(Math.fround(x), x));
  const numbers = Array.from(data, (x) => numberText(x, isFloat32));
  const nested = (texts: readonly string[], depth: number): string => {
    if (depth >= shape.length - 1) return listOf(texts, "    ".repeat(depth));
    const each = texts.length / shape[depth]!;
    const rows = Array.from(
      { length: shape[depth]! },
      (_, k) => nested(texts.slice(k * each, (k + 1) * each), depth + 1),
    );
    const indent = "    ".repeat(depth);
    return `[\n${rows.map((row) => `${indent}    ${row},`).join("\n")}\n${indent}]`;
  };
  return `${nested(numbers, 0)}${isFloat32 ? "" : ", np.float64"}`;
}

/** A list in one line, or in as many as it takes. */
function listOf(texts: readonly string[], indent: string): string {
  const line = texts.join(", ");
  if (line.length + indent.length <= WIDTH - 24) return `[${line}]`;
  const lines = [""];
  for (const text of texts) {
    const last = lines.at(-1)!;
    if (last !== "" && last.length + text.length + indent.length > WIDTH - 6) lines.push(text);
    else lines[lines.length - 1] = last === "" ? text : `${last}, ${text}`;
  }
  return `[\n${lines.map((line) => `${indent}    ${line},`).join("\n")}\n${indent}]`;
}

/** Whole numbers as a list. */
export const listText = (numbers: Int32Array): string => listOf(Array.from(numbers, String), "");
