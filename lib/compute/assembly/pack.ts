// Weights from Keras's layout into panels of 16 columns, [panel][k][16], and back.
//
// Which columns a panel has, a table says (../panels.ts): of each vector its first column in Keras's
// layout and how many of the four are there, 8 bytes. A bias is a matrix of one row.

import { transposeFour } from "./gemm_transposed";
import { LINE } from "./tiles";

const ENTRY: usize = 8;
const VECTORS: i32 = 4;

/** `[depth, width]` to panels; `filler` where columns end. */
export function packPanels(
  from: usize, depth: i32, width: i32, table: usize, panels: i32, to: usize, filler: f32,
): void {
  for (let p = 0; p < panels; p++) {
    for (let k = 0; k < depth; k++) {
      const row = from + <usize>(k * width) * 4;
      for (let v = 0; v < VECTORS; v++) {
        const source = row + <usize>load<i32>(table + <usize>v * ENTRY) * 4;
        const count = load<i32>(table + <usize>v * ENTRY, 4);
        if (count == 4) {
          v128.store(to, v128.load(source));
        } else {
          for (let lane = 0; lane < 4; lane++) {
            store<f32>(to + lane * 4, lane < count ? load<f32>(source + lane * 4) : filler);
          }
        }
        to += 16;
      }
    }
    table += <usize>VECTORS * ENTRY;
  }
}

/** The way back: what the padding holds is left out. */
export function unpackPanels(
  from: usize, depth: i32, width: i32, table: usize, panels: i32, to: usize,
): void {
  for (let v = 0; v < panels * VECTORS; v++) {
    const first = load<i32>(table + <usize>v * ENTRY);
    const count = load<i32>(table + <usize>v * ENTRY, 4);
    if (count == 0) continue;
    let row = from + <usize>((v >> 2) * depth) * 64 + <usize>(v & 3) * 16;
    let target = to + <usize>first * 4;
    for (let k = 0; k < depth; k++) {
      storeSome(target, v128.load(row), count);
      row += 64;
      target += <usize>width * 4;
    }
  }
}

/**
 * The transpose of `[rows, width]` to panels of 16 rows, [panel][k][16]: its k runs over the columns
 * as `packPanels` orders them, the padding too.
 */
export function packPanelsTransposed(
  from: usize, rows: i32, width: i32, table: usize, panels: i32, to: usize,
): void {
  for (let first = 0; first < rows; first += 16) {
    for (let v = 0; v < panels * VECTORS; v++) {
      const column = load<i32>(table + <usize>v * ENTRY);
      const count = load<i32>(table + <usize>v * ENTRY, 4);
      const row = <usize>width * 4;
      const source = from + <usize>first * row + <usize>column * 4;
      const whole = count == 4 ? min(16, rows - first) & ~3 : 0;
      for (let r = 0; r < whole; r += 4) {
        transposeFour(source + <usize>r * row, row, to + <usize>r * 4, LINE);
      }
      for (let lane = 0; lane < 4; lane++) {
        for (let r = whole; r < 16; r++) {
          const inside = first + r < rows && lane < count;
          const number: f32 = inside ? load<f32>(source + <usize>r * row + <usize>lane * 4) : 0;
          store<f32>(to + <usize>lane * LINE + <usize>r * 4, number);
        }
      }
      to += 4 * LINE;
    }
  }
}

/** The first `count` numbers at an address, 0 in place of the others; none where it is not above 0. */
// @ts-ignore: decorator
@inline
export function loadSome(from: usize, count: i32): v128 {
  if (count >= 4) return v128.load(from);
  if (count <= 0) return f32x4.splat(0);
  if (count == 1) return v128.load32_zero(from);
  const two = v128.load64_zero(from);
  return count == 2 ? two : v128.load32_lane(from, two, 2, 8);
}

/** The first `count` of four numbers. */
// @ts-ignore: decorator
@inline
export function storeSome(to: usize, value: v128, count: i32): void {
  if (count == 4) {
    v128.store(to, value);
    return;
  }
  v128.store32_lane(to, value, 0);
  if (count > 1) v128.store32_lane(to, value, 1, 4);
  if (count > 2) v128.store32_lane(to, value, 2, 8);
}
