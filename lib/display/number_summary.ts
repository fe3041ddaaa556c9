// What matters of an array of numbers, in one line.

import { formatNumber } from "./number.ts";

const DIGITS = 3;

/**
 * `-0.76 to 0.93, mean 0.02, σ 0.31, 12 zeros, 1 NaN`: what is not there is not mentioned.
 *
 * @param data the numbers
 */
export function numberSummary(data: ArrayLike<number>): string {
  let [low, high, sum, finite, zeros, nan, infinite] = [Infinity, -Infinity, 0, 0, 0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (Number.isNaN(value)) nan++;
    else if (!Number.isFinite(value)) infinite++;
    else {
      finite++;
      sum += value;
      if (value === 0) zeros++;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const mean = sum / finite;
  let squares = 0;
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) squares += (data[i]! - mean) ** 2;
  }
  const text = (value: number) => formatNumber(value + 0, { digits: DIGITS }); // no -0
  return [
    finite === 0 ? "" : low === high ? `all ${text(low)}` : `${text(low)} to ${text(high)}`,
    finite < 2 || low === high ? "" : `mean ${text(mean)}, σ ${text(Math.sqrt(squares / finite))}`,
    zeros === 0 || low === high ? "" : `${zeros} ${zeros === 1 ? "zero" : "zeros"}`,
    nan === 0 ? "" : `${nan} NaN`,
    infinite === 0 ? "" : `${infinite} infinite`,
  ].filter((part) => part !== "").join(", ");
}
