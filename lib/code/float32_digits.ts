import { ulpOf } from "../values/bounds/float32.ts";

/** The shortest digits that no rounding takes for the neighbour of a float32. */
export function float32Digits(x: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = x.toPrecision(digits);
    // well inside, whether it is rounded once or by way of a double
    if (Math.abs(Number(text) - x) < 0.49 * ulpOf(x)) return text;
  }
  return x.toPrecision(9);
}
