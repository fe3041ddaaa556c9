// Writes lib/compute/assembly/wide_tiles.ts.

import { SCRATCH_MARK } from "../lib/compute/memory_map.ts";
import { each } from "./write_loops.ts";

const ROWS = 6;
/** How many k, all written out. */
const DEPTHS = [64, 32] as const;

const HEAD = `\
// 6 rows × a panel, written so that V8 makes 256-bit code of it where it does that at all
// (\`--experimental-wasm-revectorize\`): pairs of vectors whose loads and stores nothing can trap
// between. So what is loaded and stored in pairs lies at fixed addresses, whose bounds are known when
// the module is compiled, and every k is written out; only the numbers of \`a\` come from anywhere,
// one by one. 24 sums are 12 registers of 256 bits: without the flag they spill, and the tiles of
// tiles.ts are twice as fast.
// Written by \`deno task build:compute\` (tools/write_wide_tiles.ts).

/** Where a thread has its fixed addresses: ../wide.ts puts the number in place of this one. */
// @ts-ignore: decorator
@inline
export const SCRATCH: usize = ${SCRATCH_MARK};
/** From there to the sums that the tile starts from, [row][16]. */
// @ts-ignore: decorator
@inline
export const FROM: usize = 0;
/** To the sums that it leaves, [row][16]. */
// @ts-ignore: decorator
@inline
export const TO: usize = ${ROWS * 64};
/** To the panel of w, [k][16]. */
// @ts-ignore: decorator
@inline
export const PANEL: usize = ${2 * ROWS * 64};
`;

/** The text of wide_tiles.ts. */
export function wideTiles(): string {
  return HEAD + DEPTHS.map(tile).join("");
}

function tile(depth: typeof DEPTHS[number]): string {
  const rows = each(ROWS);
  const sums = (row: number) => each(4).map((v) => `s${row}${"abcd"[v]}`);
  /** A statement for each vector of each row, a row a line. */
  const move = (statement: (sum: string, row: number, offset: number, at: number) => string) =>
    rows.map((row) =>
      "  " + sums(row).map((sum, v) => statement(sum, row, 16 * v, 64 * row + 16 * v)).join(" ")
    );
  const pointers = (of: string, stride: string, last: string) =>
    rows.slice(1).map((row) => {
      const before = `${of}${row === 1 ? "" : row - 1}`;
      return `  const ${of}${row} = ${last} < ${row} ? ${before} : ${before} + ${stride};`;
    });
  return [
    "",
    "/**",
    ` * ${depth} k. Where there are fewer than ${ROWS} rows, the \`last\` one stands for those behind it.`,
    " *",
    " * The sums that the next tile starts from go where it finds them as soon as this one has its own:",
    " * a vector that was just stored in halves is not there yet.",
    " */",
    `export function wide${depth}(`,
    "  a: usize, aRow: usize, last: i32, next: usize, nextRow: usize, nextLast: i32,",
    "): void {",
    ...pointers("a", "aRow", "last"),
    ...pointers("next", "nextRow", "nextLast"),
    ...move((sum, _, __, at) => `let ${sum} = v128.load(SCRATCH, FROM + ${at});`),
    ...move((_, row, offset, at) =>
      `v128.store(SCRATCH, v128.load(next${row || ""}, ${offset}), FROM + ${at});`
    ),
    "  let x: v128, wa: v128, wb: v128, wc: v128, wd: v128;",
    ...each(depth).flatMap((k) => [
      "  " +
      each(4).map((v) => `w${"abcd"[v]} = v128.load(SCRATCH, PANEL + ${64 * k + 16 * v});`).join(
        " ",
      ),
      ...rows.flatMap((row) => [
        `  x = v128.load32_splat(a${row || ""}, ${4 * k});`,
        "  " + sums(row)
          .map((sum) => `${sum} = f32x4.relaxed_madd(x, w${sum.at(-1)}, ${sum});`).join(" "),
      ]),
    ]),
    ...move((sum, _, __, at) => `v128.store(SCRATCH, ${sum}, TO + ${at});`),
    "}",
    "",
  ].join("\n");
}
