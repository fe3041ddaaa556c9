// Writes the innermost loops of lib/compute/assembly, as AssemblyScript has no arrays of registers:
// another tile is another line of TILES, another row another number of ROWS.

import { each, loop, madds, type Module } from "./write_loops.ts";
import { activateFour } from "./write_four.ts";

/** How many rows a tile has, how many vectors of a panel, and how many k at a time. */
interface Tile {
  readonly rows: number;
  readonly vectors: 2 | 4;
  readonly steps: number;
}

const TILES: readonly Tile[] = [
  { rows: 6, vectors: 2, steps: 4 },
  { rows: 4, vectors: 2, steps: 4 },
  { rows: 3, vectors: 2, steps: 1 },
  { rows: 2, vectors: 4, steps: 4 },
  { rows: 1, vectors: 4, steps: 1 },
];

/** Those of float64. */
const FLOAT64_TILES: readonly Tile[] = [
  { rows: 4, vectors: 2, steps: 2 },
  { rows: 1, vectors: 4, steps: 1 },
];

/** What the numbers of a tile are: how far apart those of `a` are, and a vector of the panel. */
interface Numbers {
  readonly name: string;
  readonly what: string;
  readonly bits: 32 | 64;
  /** Bytes of a panel's vector, and of one k. */
  readonly vector: number;
  readonly line: number;
  readonly load: (offset: number) => string;
  readonly madd: string;
}

const FLOAT32: Numbers = {
  name: "tile",
  what: "",
  bits: 32,
  vector: 16,
  line: 64,
  load: (offset) => `v128.load(w, ${offset})`,
  madd: "madd",
};
const FLOAT64: Numbers = { ...FLOAT32, bits: 64 };
/** Matrices in float32, of which half as many bytes come from memory. */
const SINGLE: Numbers = {
  name: "single",
  what: " in float32",
  bits: 64,
  vector: 8,
  line: 32,
  load: (offset) => `f64x2.promote_low_f32x4(v128.load64_zero(w, ${offset}))`,
  madd: "madd",
};
/** |w| in place of w: what bounds an error, and needs no bits of its own. */
const sizesOf = ({ name, what, load, ...rest }: Numbers): Numbers => ({
  ...rest,
  madd: "fused",
  name: `${name}Sizes`,
  what: `${what}, of |w|`,
  load: (offset) => `f64x2.abs(${load(offset)})`,
});

/** How many panels one row meets at a time. */
const ROWS = [2, 3] as const;

const TILES_HEAD = `\
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

const ROWS_HEAD = `\
// One row × two or three panels: 8 or 12 sums, so that each number of \`a\` is spread once for 32 or
// 48 columns. Loading is the limit here, so \`a\` comes four numbers at a time and is spread from a
// register. Three panels leave the processor more to do while a sum waits for its last addition.
// Written by \`deno task build:compute\` (tools/write_tiles.ts).

import { madd } from "./fma";
`;

const FLOAT64_HEAD = `\
// The innermost loops of float64.ts, as those of tiles.ts are: a panel is 8 columns, packed [k][8], in
// float64, or in float32 where that holds them.
// Written by \`deno task build:compute\` (tools/write_tiles.ts).

import { LINE } from "./tiles";

// @ts-ignore: decorator
@inline
function madd(x: v128, w: v128, sum: v128): v128 {
  return f64x2.add(sum, f64x2.mul(x, w));
}

// @ts-ignore: decorator
@inline
function fused(x: v128, w: v128, sum: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f64x2.relaxed_madd(x, w, sum) : madd(x, w, sum);
}
`;

/** What the task writes into lib/compute/assembly. */
export const modules: readonly Module[] = [
  { name: "tiles.ts", text: TILES_HEAD + TILES.map((form) => tile(form, FLOAT32)).join("") },
  { name: "rows.ts", text: ROWS_HEAD + ROWS.map(row).join("") },
  {
    name: "float64_tiles.ts",
    text: FLOAT64_HEAD +
      [FLOAT64, sizesOf(FLOAT64), SINGLE, sizesOf(SINGLE)].flatMap((numbers) =>
        FLOAT64_TILES.map((form) => tile(form, numbers))
      ).join(""),
  },
  { name: "activate_four.ts", text: activateFour() },
];

function tile({ rows, vectors, steps }: Tile, numbers: Numbers): string {
  const { bits, vector, line } = numbers;
  const names = each(vectors).map((v) => "abcd"[v]!);
  /** A statement for each vector of a row, two in a line. */
  const paired = (row: number, statement: (sum: string, offset: number) => string) =>
    each(vectors / 2).map((pair) =>
      "  " + [2 * pair, 2 * pair + 1]
        .map((v) => statement(`s${row}${names[v]}`, 16 * v)).join(" ")
    );
  const product = (step: number) => [
    ...names.map((name, v) => `w${name} = ${numbers.load(line * step + vector * v)};`),
    ...each(rows).flatMap((row) => [
      `x = v128.load${bits}_splat(p${row}, ${bits / 8 * step});`,
      ...madds(names.map((name) => [`s${row}${name}`, `w${name}`]), numbers.madd),
    ]),
  ];
  const advance = (steps: number) => [
    `w += ${steps === 1 && line === 64 ? "LINE" : line * steps};`,
    ...each(rows).map((row) => `p${row} += ${bits / 8 * steps};`),
  ];
  const panel = vectors === 4 ? "a panel" : "half a panel";
  return [
    "",
    `/** ${rows} row${rows === 1 ? "" : "s"} × ${panel}${numbers.what}. */`,
    `export function ${numbers.name}${rows}(`,
    "  a: usize, aRow: usize, w: usize, depth: i32,",
    "  start: usize, startRow: usize, out: usize, outRow: usize,",
    "): void {",
    ...each(rows).slice(1).map((row) => `  const a${row} = a${row === 1 ? "" : row - 1} + aRow;`),
    ...each(rows).flatMap((row) => [
      ...(row > 0 ? ["  start += startRow;"] : []),
      ...paired(row, (sum, offset) => `let ${sum} = v128.load(start, ${offset});`),
    ]),
    ...each(rows).map((row) => `  let p${row} = a${row || ""};`),
    `  let x: v128, ${names.map((name) => `w${name}: v128`).join(", ")};`,
    ...loop(steps, product, advance),
    ...each(rows).flatMap((row) => [
      ...(row > 0 ? ["  out += outRow;"] : []),
      ...paired(row, (sum, offset) => `v128.store(out, ${sum}, ${offset});`),
    ]),
    "}",
    "",
  ].join("\n");
}

function row(panels: typeof ROWS[number]): string {
  const weights = each(panels).map((panel) => `w${panel || ""}`);
  const sums = (panel: number) => each(4).map((v) => `${"stq"[panel]}${"abcd"[v]}`);
  const product = (step: number) =>
    weights.flatMap((w, panel) =>
      madds(sums(panel).map((sum, v) => [sum, `v128.load(${w}, ${64 * step + 16 * v})`]))
    );
  const spread = (lane: number) =>
    `x = v128.shuffle<f32>(four, four, ${Array(4).fill(lane).join(", ")});`;
  const advance = (
    steps: number,
  ) => [`a += ${4 * steps};`, ...weights.map((w) => `${w} += ${64 * steps};`)];
  const move = (pointer: string, statement: (sum: string, offset: number) => string) =>
    each(panels).flatMap((panel) => [
      ...(panel > 0 ? [`  ${pointer} += ${pointer}Panel;`] : []),
      ...sums(panel).map((sum, v) => `  ${statement(sum, 16 * v)}`),
    ]);
  return [
    "",
    `/** ${panels === 2 ? "Two" : "Three"} panels. */`,
    `export function row${panels}(`,
    "  a: usize, w: usize, wPanel: usize, depth: i32,",
    "  start: usize, startPanel: usize, out: usize, outPanel: usize,",
    "): void {",
    ...weights.slice(1).map((w, k) => `  let ${w} = ${weights[k]} + wPanel;`),
    "  let x: v128, four: v128;",
    ...move("start", (sum, offset) => `let ${sum} = v128.load(start, ${offset});`),
    ...loop(
      4,
      (step, together) => [
        ...(together && step === 0 ? ["four = v128.load(a);"] : []),
        together ? spread(step) : "x = v128.load32_splat(a);",
        ...product(step),
      ],
      advance,
    ),
    ...move("out", (sum, offset) => `v128.store(out, ${sum}, ${offset});`),
    "}",
    "",
  ].join("\n");
}
