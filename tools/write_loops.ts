// What the texts of the innermost loops have in common.

/** A file of lib/compute/assembly that is written. */
export interface Module {
  readonly name: string;
  readonly text: string;
}

/** 0, 1, … below a number. */
export function each(count: number): number[] {
  return Array.from({ length: count }, (_, k) => k);
}

/** sum = x·w + sum, for each. */
export function madds(
  pairs: readonly (readonly [sum: string, w: string])[],
  madd = "madd",
): string[] {
  return pairs.map(([sum, w]) => `${sum} = ${madd}(x, ${w}, ${sum});`);
}

/** A loop over k, `steps` at a time and then one by one. */
export function loop(
  steps: number,
  product: (step: number, together: boolean) => readonly string[],
  advance: (steps: number) => readonly string[],
): string[] {
  const block = (head: string, lines: readonly string[]) => [
    `  ${head} {`,
    ...lines.map((line) => `    ${line}`),
    "  }",
  ];
  return [
    "  let k = 0;",
    ...(steps === 1 ? [] : block(
      `for (; k + ${steps} <= depth; k += ${steps})`,
      [...each(steps).flatMap((step) => product(step, true)), ...advance(steps)],
    )),
    ...block("for (; k < depth; k++)", [...product(0, false), ...advance(1)]),
  ];
}
