// Numbers in C: each literal is read as the very float32 that is meant.

import type { TensorData } from "../../tensor/tensor.ts";
import { float32Digits } from "../float32_digits.ts";

/** A float32: the shortest digits that no rounding takes for its neighbour. */
export function floatText(x: number): string {
  const value = Math.fround(x);
  if (Number.isNaN(value)) return "NAN";
  if (!Number.isFinite(value)) return value > 0 ? "INFINITY" : "-INFINITY";
  return `${pointed(float32Digits(value))}f`;
}

/** A float64, all its digits. */
export function doubleText(x: number): string {
  if (Number.isNaN(x)) return "(double)NAN";
  if (!Number.isFinite(x)) return x > 0 ? "(double)INFINITY" : "(double)-INFINITY";
  return pointed(String(x));
}

/** `1` is a whole number in C, `1.0` is none. */
function pointed(text: string): string {
  const [digits, exponent] = text.split("e") as [string, string?];
  const trimmed = digits.includes(".") ? digits.replace(/0+$/, "") : digits;
  const whole = trimmed.endsWith(".")
    ? `${trimmed}0`
    : trimmed.includes(".")
    ? trimmed
    : `${trimmed}.0`;
  return exponent === undefined ? whole : `${whole}e${exponent}`;
}

/** Numbers in lines. */
export function listText(numbers: TensorData | readonly string[], width = 96): string {
  const lines: string[] = [];
  let line = "";
  for (let k = 0; k < numbers.length; k++) {
    const one = numbers[k]!;
    const text = `${typeof one === "string" ? one : floatText(one)},`;
    if (line !== "" && line.length + text.length + 1 > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? `  ${text}` : ` ${text}`;
  }
  return [...lines, line].join("\n");
}
