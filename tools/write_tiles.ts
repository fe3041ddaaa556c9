// Writes lib/compute/assembly/tiles.ts, as AssemblyScript has no arrays of registers: another tile is
// another line of TILES.

/** How many rows a tile has, how many vectors of a panel, and how many k at a time. */
const TILES = [
  { rows: 6, vectors: 2, steps: 4 },
  { rows: 4, vectors: 2, steps: 4 },
  { rows: 3, vectors: 2, steps: 1 },
  { rows: 2, vectors: 4, steps: 1 },
  { rows: 1, vectors: 4, steps: 1 },
] as const;

const HEAD = `\
// The innermost loops of every product: out = start + a·w for some rows of \`a\` and a panel of \`w\`.
//
// A panel is 16 columns, packed [k][16]: 64 bytes, one cache line, for each k. WASM has 16 vector
// registers on x64, so a tile keeps at most 15 vectors alive (one more halves the speed):
// 6 rows × 8 columns are 12 sums, 2 vectors of w and one number of a, spread.
//
// Pointers and strides are in bytes. \`start\` and \`out\` have the same layout, or \`start\` repeats a
// row (stride 0: the bias, or zeros).
// Written by \`deno task build:compute\` (tools/write_tiles.ts); four k at a time where a tile is
// called most: 4 % of the speed of a large batch.

import { madd } from "./fma";

/** Bytes from one k to the next in a panel. */
export const LINE: usize = 64;
`;

/** Where the text goes. */
export const tilesModule: URL = new URL("../lib/compute/assembly/tiles.ts", import.meta.url);

/** The text of tiles.ts. */
export function tiles(): string {
  return HEAD + TILES.map(tile).join("");
}

function tile({ rows, vectors, steps }: typeof TILES[number]): string {
  const each = (count: number) => Array.from({ length: count }, (_, k) => k);
  const column = (v: number) => "abcd"[v]!;
  /** A statement for each vector of a row, two in a line. */
  const paired = (row: number, statement: (sum: string, offset: number) => string) =>
    each(vectors / 2).map((pair) =>
      "  " + [2 * pair, 2 * pair + 1]
        .map((v) => statement(`s${row}${column(v)}`, 16 * v)).join(" ")
    );
  const product = (step: number) => [
    ...each(vectors).map((v) => `w${column(v)} = v128.load(w, ${64 * step + 16 * v});`),
    ...each(rows).flatMap((row) => [
      `x = v128.load32_splat(p${row}, ${4 * step});`,
      ...each(vectors).map((v) => {
        const sum = `s${row}${column(v)}`;
        return `${sum} = madd(x, w${column(v)}, ${sum});`;
      }),
    ]),
  ];
  const loop = (head: string, lines: readonly string[], next: string, bytes: number) => [
    `  ${head} {`,
    ...[...lines, `w += ${next};`, ...each(rows).map((row) => `p${row} += ${bytes};`)]
      .map((line) => `    ${line}`),
    "  }",
  ];
  const panel = vectors === 4 ? "a panel" : "half a panel";
  return [
    "",
    `/** ${rows} row${rows === 1 ? "" : "s"} × ${panel}. */`,
    `export function tile${rows}(`,
    "  a: usize, aRow: usize, w: usize, depth: i32,",
    "  start: usize, startRow: usize, out: usize, outRow: usize,",
    "): void {",
    ...each(rows).slice(1).map((row) => `  const a${row} = a${row === 1 ? "" : row - 1} + aRow;`),
    ...each(rows).flatMap((row) => [
      ...(row > 0 ? ["  start += startRow;"] : []),
      ...paired(row, (sum, offset) => `let ${sum} = v128.load(start, ${offset});`),
    ]),
    ...each(rows).map((row) => `  let p${row} = a${row || ""};`),
    `  let x: v128, ${each(vectors).map((v) => `w${column(v)}: v128`).join(", ")};`,
    ...(steps === 1 ? [] : [
      "  let k = 0;",
      ...loop(
        `for (; k + ${steps} <= depth; k += ${steps})`,
        each(steps).flatMap(product),
        `${64 * steps}`,
        4 * steps,
      ),
    ]),
    ...loop(`for (${steps === 1 ? "let k = 0" : ""}; k < depth; k++)`, product(0), "LINE", 4),
    ...each(rows).flatMap((row) => [
      ...(row > 0 ? ["  out += outRow;"] : []),
      ...paired(row, (sum, offset) => `v128.store(out, ${sum}, ${offset});`),
    ]),
    "}",
    "",
  ].join("\n");
}
