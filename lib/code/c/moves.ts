// Moves as loops: blocks that lie evenly apart, at both ends, are one loop.

import type { Moves } from "../../values/ops.ts";

/** A block of numbers, or the same block again and again. */
type Pattern =
  | { readonly kind: "block"; readonly source: number; from: number; to: number; length: number }
  | {
    readonly kind: "loop";
    from: number;
    to: number;
    readonly count: number;
    readonly strides: readonly [from: number, to: number];
    /** From its own zero. */
    readonly body: Pattern;
  };

/** What the loops around a place are called. */
const LETTERS = ["row", "j", "p", "q"];

/** More statements than this are a table of places instead. */
const MOST = 8;

/** The moves as patterns; undefined where they are too uneven. */
export function patternsOf(moves: Moves): readonly Pattern[] | undefined {
  let patterns: Pattern[] = [];
  for (let m = 0; m < moves.length; m += 4) {
    const [source, from, to, length] = moves.slice(m, m + 4) as [number, number, number, number];
    patterns.push({ kind: "block", source, from, to, length });
  }
  patterns.sort((a, b) => sourceOf(a) - sourceOf(b)); // stable; no two go to one place
  for (let depth = 0; depth < LETTERS.length; depth++) {
    const grouped = grouping(patterns);
    if (grouped.length === patterns.length) break;
    patterns = grouped;
  }
  return patterns.length > MOST ? undefined : patterns;
}

function grouping(patterns: readonly Pattern[]): Pattern[] {
  const grouped: Pattern[] = [];
  for (let k = 0; k < patterns.length;) {
    const [first, second] = [patterns[k]!, patterns[k + 1]];
    let count = 1;
    let strides: [number, number] = [0, 0];
    if (second !== undefined && isAlike(first, second)) {
      strides = [second.from - first.from, second.to - first.to];
      while (
        k + count < patterns.length && isAlike(first, patterns[k + count]!) &&
        patterns[k + count]!.from === first.from + count * strides[0] &&
        patterns[k + count]!.to === first.to + count * strides[1]
      ) count++;
    }
    const body = { ...first, from: 0, to: 0 };
    grouped.push(
      count < 2 ? first : { kind: "loop", from: first.from, to: first.to, count, strides, body },
    );
    k += count;
  }
  return grouped;
}

function sourceOf(pattern: Pattern): number {
  return pattern.kind === "block" ? pattern.source : sourceOf(pattern.body);
}

function isAlike(a: Pattern, b: Pattern): boolean {
  if (a.kind === "block" || b.kind === "block") {
    return a.kind === "block" && b.kind === "block" && a.source === b.source &&
      a.length === b.length;
  }
  return a.count === b.count && a.strides.every((stride, k) => stride === b.strides[k]) &&
    isAlike(a.body, b.body);
}

/**
 * The loops of a pattern.
 *
 * @param numberAt the number of a source at a place: `x[4 + k]`
 */
export function loopsOf(
  pattern: Pattern,
  into: string,
  numberAt: (source: number, place: string) => string,
): string {
  const [from, to]: string[][] = [[], []];
  let [text, at, depth, start, end] = ["", pattern, 0, 0, 0] as [
    string,
    Pattern,
    number,
    number,
    number,
  ];
  const loop = (name: string, count: number) =>
    `for (int ${name} = 0; ${name} < ${count}; ${name}++) `;
  const times = (stride: number, name: string) =>
    stride === 1 ? [name] : stride === 0 ? [] : [`${stride} * ${name}`];
  for (;;) {
    start += at.from;
    end += at.to;
    if (at.kind === "block") break;
    const name = LETTERS[depth++]!;
    text += loop(name, at.count);
    from!.push(...times(at.strides[0], name));
    to!.push(...times(at.strides[1], name));
    at = at.body;
  }
  if (at.length > 1) {
    text += loop("k", at.length);
    from!.push("k");
    to!.push("k");
  }
  const place = (terms: readonly string[], base: number) => {
    const shown = [...(base !== 0 || terms.length === 0 ? [String(base)] : []), ...terms];
    return shown.join(" + ").replaceAll("+ -", "- ");
  };
  return `${text}${into}[${place(to!, end)}] = ${numberAt(at.source, place(from!, start))};`;
}

/** Whether every place of so many gets a number. */
export function fillsAll(moves: Moves, size: number): boolean {
  let filled = 0;
  for (let m = 3; m < moves.length; m += 4) filled += moves[m]!;
  return filled === size;
}
