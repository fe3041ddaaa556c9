// The lines of an explanation: the terms of a sum.

import type { Estimate, Floats } from "../../values/bounds/estimate.ts";

/** A line of the explanation: a factor times another one, or a result. */
export interface Line {
  readonly what: string;
  readonly value?: number;
  readonly times?: string;
  readonly factor?: number;
  readonly product?: number;
}

/** More terms than that are not read; the largest ones are shown. */
export const MOST_TERMS = 48;

/** Where an arranged number comes from; undefined where nothing was moved to. */
export function arrangedFrom(
  { moves, sources }: Extract<Estimate["origin"], { op: "arrange" }>,
  at: number,
): [Estimate, number] | undefined {
  const m = moves.findIndex((_, m) =>
    m % 4 === 0 && at >= moves[m + 2]! && at < moves[m + 2]! + moves[m + 3]!
  );
  return m === -1 ? undefined : [sources[moves[m]!]!, at + moves[m + 1]! - moves[m + 2]!];
}

/** The products of one number of x·W. */
export function termsOf(
  name: string,
  x: Estimate,
  weights: string,
  { value: data, shape: [rows = 0, columns = 0] }: Estimate,
  row: number,
  column: number,
  shown = column,
): Line[] {
  return Array.from({ length: rows }, (_, j) => {
    const [value, factor] = [x.value[row * rows + j]!, data[j * columns + column]!];
    const times = `${weights}[${j}, ${shown}]`;
    return { what: `${name}[${j}]`, value, times, factor, product: value * factor };
  });
}

/** A bias, which is added as it is. */
export function biasLine(
  b: Floats | undefined,
  column: number,
  name = "b",
  shown = column,
): Line[] {
  return b === undefined ? [] : [{ what: `${name}[${shown}]`, product: b[column]! }];
}

/** The terms, or where there are too many to read, the largest ones and the sum of the others. */
export function largestTerms(terms: readonly Line[]): Line[] {
  if (terms.length <= MOST_TERMS) return [...terms];
  const size = ({ product = 0 }: Line) => Math.abs(product);
  const least = terms.map(size).sort((a, b) => b - a)[MOST_TERMS - 1]!;
  const shown = terms.filter((term) => size(term) >= least).slice(0, MOST_TERMS);
  const others = terms.filter((term) => !shown.includes(term));
  const product = others.reduce((sum, term) => sum + (term.product ?? 0), 0);
  return [...shown, { what: `the ${others.length} smaller terms`, product }];
}
