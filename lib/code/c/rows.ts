// What takes rows of numbers, or puts them elsewhere.

import { lengthOf, type Operation, type Recorded } from "../recorded.ts";
import type { Access, Lines } from "./access.ts";
import { fillsAll, loopsOf, patternsOf } from "./moves.ts";

/** A function of each row. */
export function rowLines(
  op: Extract<Operation, { kind: "apply" }>,
  name: string,
  access: Access,
): Lines {
  const width = op.x.shape.at(-1)!;
  const rows = lengthOf(op.x) / width;
  const call = access.parts.functions.row(op.f);
  const x = access.base(op.x);
  if (rows === 1) return { lines: [`${call}(${x}, ${name}, ${width});`] };
  const out = op.f.activationName === "glu" ? width / 2 : width;
  const given = `${x} + row * ${width}, ${name} + row * ${out}, ${width}`;
  return { lines: [`for (int row = 0; row < ${rows}; row++) ${call}(${given});`] };
}

/** The largest of each row; NaN stays. */
export function largestLines(
  value: Recorded,
  { x }: Extract<Operation, { kind: "largest" }>,
  name: string,
  access: Access,
): Lines {
  const width = x.shape.at(-1)!;
  const one = access.at(x, `row * ${width} + k`);
  return {
    lines: [
      `for (int row = 0; row < ${lengthOf(value)}; row++) {`,
      `  float most = ${access.at(x, `row * ${width}`)};`,
      `  for (int k = 1; k < ${width}; k++) most = ${one} > most || ${one} != ${one} ? ${one} : most;`,
      `  ${name}[row] = most;`,
      `}`,
    ],
  };
}

/** Numbers at other places, zeros where none goes. */
export function movedLines(
  value: Recorded,
  op: Extract<Operation, { kind: "moved" }>,
  name: string,
  access: Access,
): Lines {
  const length = lengthOf(value);
  const lines: string[] = [];
  const numberAt = (source: number, place: string) => access.at(op.sources[source]!, place);
  const patterns = patternsOf(op.moves);
  if (!fillsAll(op.moves, length)) {
    lines.push(`for (int k = 0; k < ${length}; k++) ${name}[k] = 0.0f;`);
  }
  if (patterns !== undefined) {
    lines.push(...patterns.map((pattern) => loopsOf(pattern, name, numberAt)));
    return { lines };
  }
  // uneven: where each number comes from, one table a source
  op.sources.forEach((source, k) => {
    const [from, to]: number[][] = [[], []];
    for (let m = 0; m < op.moves.length; m += 4) {
      if (op.moves[m] !== k) continue;
      for (let n = 0; n < op.moves[m + 3]!; n++) {
        from!.push(op.moves[m + 1]! + n);
        to!.push(op.moves[m + 2]! + n);
      }
    }
    if (from!.length === 0) return;
    const [places, targets] = [from!, to!].map((list) => access.parts.places(list, access.routine));
    lines.push(
      `for (int k = 0; k < ${from!.length}; k++) ${name}[${targets}[k]] = ${
        access.at(source, `${places}[k]`)
      };`,
    );
  });
  return { lines };
}

/** The rows of a table; a word that is none of it gives NaN. */
export function lookupLines(
  value: Recorded,
  op: Extract<Operation, { kind: "lookup" }>,
  name: string,
  access: Access,
): Lines {
  const [words, width] = op.table.shape as [number, number];
  const count = lengthOf(value) / width;
  const word = access.at(op.x, count === 1 ? "0" : "row");
  const to = count === 1 ? "k" : `row * ${width} + k`;
  const table = access.at(op.table, `${word} * ${width} + k`);
  const line = `for (int k = 0; k < ${width}; k++) ${name}[${to}] = ` +
    `${word} >= 0 && ${word} < ${words} ? ${table} : NAN;`;
  return {
    lines: count === 1 ? [line] : [`for (int row = 0; row < ${count}; row++) {`, `  ${line}`, `}`],
  };
}

/** A window moves on, and what is new stands at its end. */
export function pushedLines(
  { x, window }: Extract<Operation, { kind: "pushed" }>,
  name: string,
  access: Access,
): Lines {
  const size = lengthOf(x);
  const rest = lengthOf(window) - size;
  const put = `${name}[${rest === 0 ? "k" : `${rest} + k`}] = ${access.at(x, "k")}`;
  return {
    lines: [
      ...(rest === 0
        ? []
        : [`for (int k = 0; k < ${rest}; k++) ${name}[k] = ${name}[k + ${size}];`]),
      `for (int k = 0; k < ${size}; k++) ${put};`,
    ],
  };
}
