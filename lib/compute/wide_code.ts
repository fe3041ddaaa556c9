// The module of the wide tiles, written when it is first needed: nearly all of it is the same few
// instructions for every k, and the package has them once.
//
// V8 makes 256-bit code of pairs of vectors whose loads and stores nothing can trap between
// (`--experimental-wasm-revectorize`). So what is loaded and stored in pairs lies at fixed addresses,
// whose bounds are known when the module is compiled, and every k is written out; only the numbers of
// `a` come from anywhere, one by one. 6 rows × 16 columns are 12 sums of 256 bits: without the flag
// they spill, and the tiles of assembly/tiles.ts are twice as fast.

import { INITIAL_PAGES } from "./memory_map.ts";
import { I32, WasmWriter } from "./wasm_writer.ts";

/** How many k; twice 64 would be too much code for what the processor keeps decoded. */
const DEPTHS = [64, 32] as const;
/** How many rows; where one or two are left, a tile of two. One of four in between wins nothing. */
const ROWS = 6;
const FEW = 2;
const TILES = [ROWS, FEW] as const;
/** A line is 16 numbers, four vectors. */
const LINE = 64;

/** From a thread's place to the sums that a tile starts from, [row][16]; to those that it leaves. */
const FROM = 0;
const TO = FROM + ROWS * LINE;
/** To the panel of w, [k][16]. */
const PANEL = TO + ROWS * LINE;

/** A function of the module: how many arguments it has, and its code with its locals before it. */
interface Written {
  readonly given: number;
  readonly code: WasmWriter;
}

/** What the module exports: assembly/gemm.ts finds it in this order in the table. */
const NAMES: readonly string[] = [...DEPTHS.map((depth) => `panel${depth}`), "begin"];

/** The module's bytes, with its fixed addresses from `scratch` on. */
export function wideCode(scratch: number): Uint8Array<ArrayBuffer> {
  const functions: readonly Written[] = [
    ...DEPTHS.map((depth, k) => panel(scratch, depth, NAMES.length + k * TILES.length)),
    begin(scratch),
    ...DEPTHS.flatMap((depth) => TILES.map((rows) => tile(scratch, depth, rows))),
  ];
  const types = new WasmWriter().size(functions.length);
  for (const { given } of functions) types.raw(0x60).size(given).raw(...each(given, () => I32), 0);
  const imports = new WasmWriter().size(1).text("env").text("memory")
    .raw(2, 3).size(INITIAL_PAGES).size(65536); // shared, up to any size
  const kinds = new WasmWriter().size(functions.length).raw(...functions.keys());
  const exports = new WasmWriter().size(NAMES.length);
  NAMES.forEach((name, k) => exports.text(name).raw(0).size(k));
  const codes = new WasmWriter().size(functions.length);
  for (const { code } of functions) codes.sized(code.end());
  const module = new WasmWriter().raw(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  const sections = [[1, types], [2, imports], [3, kinds], [7, exports], [10, codes]] as const;
  for (const [id, section] of sections) module.raw(id).sized(section);
  return module.bytes;
}

/** Makes the sums ready that the first tile starts from: (start, startRow, last), as a tile has them. */
function begin(scratch: number): Written {
  const code = new WasmWriter().locals(0, 0);
  copySums(code, scratch, 0, 1, 2);
  return { given: 3, code };
}

/**
 * out = start + a·w for rows × a panel, `depth` deep:
 * (a, aRow, rows, w, start, startRow, after, out, outRow). `after` is where the sums of the next panel
 * start: the last tile makes them ready.
 *
 * @param firstTile the number of its tile of 6 rows; that of 2 follows
 */
function panel(scratch: number, depth: number, firstTile: number): Written {
  const given = 9;
  const [a, aRow, rows, w, start, startRow, after, out, outRow] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const [left, last, next, nextLast] = [9, 10, 11, 12];
  const code = new WasmWriter().locals(4, 0);
  code.constant(scratch + PANEL).get(w).constant(depth * LINE).copy();
  code.get(rows).set(left);
  lastOf(code, left, last);
  code.loop();
  code.get(left).constant(ROWS).subtract().set(left);
  code.add(start, startRow, ROWS, start);
  code.get(start).get(after).isPositive(left).select().set(next);
  code.get(left).get(rows).isPositive(left).select().set(nextLast);
  lastOf(code, nextLast, nextLast);
  const call = (callee: number) =>
    code.get(a).get(aRow).get(last).get(next).get(startRow).get(nextLast).get(out).get(outRow)
      .call(callee);
  code.get(last).constant(FEW).isLess().if();
  call(firstTile + 1);
  code.else();
  call(firstTile);
  code.end();
  code.get(nextLast).set(last);
  code.add(a, aRow, ROWS, a).add(out, outRow, ROWS, out);
  code.isPositive(left).again().end();
  return { given, code };
}

/** The last row of a tile of which so many are left. */
function lastOf(code: WasmWriter, left: number, last: number): void {
  code.get(left).constant(ROWS).get(left).constant(ROWS).isLess().select();
  code.constant(1).subtract().set(last);
}

/**
 * Rows × a panel: (a, aRow, last, next, nextRow, nextLast, out, outRow). Where there are fewer rows,
 * the last one stands for those behind it.
 *
 * The sums that the next tile starts from go where it finds them as soon as this one has its own: a
 * vector that was just stored in halves is not there yet.
 */
function tile(scratch: number, depth: number, rows: number): Written {
  const given = 8;
  const [a, aRow, last, next, nextRow, nextLast, out, outRow] = [0, 1, 2, 3, 4, 5, 6, 7];
  const rowOf = each(rows, (row) => row === 0 ? a : given + row - 1);
  const firstSum = given + rows - 1;
  const sums = each(rows, (row) => each(4, (v) => firstSum + row * 4 + v));
  const x = firstSum + rows * 4;
  const weights = each(4, (v) => x + 1 + v);
  const code = new WasmWriter().locals(rows - 1, rows * 4 + 5);
  for (let row = 1; row < rows; row++) {
    code.get(rowOf[row - 1]!).set(rowOf[row]!);
    stepTo(code, rowOf[row]!, aRow, last, row);
  }
  sums.forEach((line, row) =>
    line.forEach((sum, v) => code.constant(scratch).load(FROM + row * LINE + v * 16).set(sum))
  );
  copySums(code, scratch, next, nextRow, nextLast);
  const step = new WasmWriter(); // of k
  weights.forEach((w, v) => step.constant(scratch).load(PANEL + v * 16, LINE).set(w));
  sums.forEach((line, row) => {
    step.get(rowOf[row]!).loadSpread(0, 4).set(x);
    line.forEach((sum, v) => step.get(x).get(weights[v]!).get(sum).madd().set(sum));
  });
  code.repeat(depth, step);
  sums.forEach((line, row) =>
    line.forEach((sum, v) => code.constant(scratch).get(sum).store(TO + row * LINE + v * 16))
  );
  for (let row = 0; row < rows; row++) {
    if (row > 0) stepTo(code, out, outRow, last, row);
    for (let v = 0; v < 4; v++) {
      code.get(out).constant(scratch).load(TO + row * LINE + v * 16).store(v * 16);
    }
  }
  return { given, code };
}

/** 6 lines from `start` on to where a tile starts. */
function copySums(
  code: WasmWriter,
  scratch: number,
  start: number,
  startRow: number,
  last: number,
): void {
  for (let row = 0; row < ROWS; row++) {
    if (row > 0) stepTo(code, start, startRow, last, row);
    for (let v = 0; v < 4; v++) {
      code.constant(scratch).get(start).load(v * 16).store(FROM + row * LINE + v * 16);
    }
  }
}

/** Moves a pointer on to a row, unless that is behind the last one. */
function stepTo(
  code: WasmWriter,
  pointer: number,
  stride: number,
  last: number,
  row: number,
): void {
  code.get(pointer).get(pointer).get(stride).plus();
  code.get(last).constant(row).isLess().select().set(pointer);
}

function each<T>(count: number, make: (k: number) => T): T[] {
  return Array.from({ length: count }, (_, k) => make(k));
}
