// Products of float64, a module of its own with a memory of its own: out = start + a·w.
//
// Each sum is taken in the order of k, a product and then a sum, each rounded: the same bits as the
// three loops of lib/tensor give. A panel is 8 columns, packed [k][8]: one cache line for each k.

import { tile1, tile4 } from "./float64_tiles";
import { LINE } from "./tiles";

export const FREE_FROM: usize = __heap_base;

const HALF: usize = LINE / 2;

/** out[rows, panels·8] = start + a·w; `start` has out's layout. */
export function product(
  a: usize, rows: i32, depth: i32, w: usize, panels: i32, start: usize, startRow: usize, out: usize,
): void {
  const aRow = <usize>depth * 8;
  const outRow = <usize>panels * LINE;
  for (let p = 0; p < panels; p++) {
    let from = a, s = start, to = out;
    let left = rows;
    for (; left >= 4; left -= 4) {
      tile4(from, aRow, w, depth, s, startRow, to, outRow);
      tile4(from, aRow, w + HALF, depth, s + HALF, startRow, to + HALF, outRow);
      from += 4 * aRow;
      s += 4 * startRow;
      to += 4 * outRow;
    }
    for (; left > 0; left--) {
      tile1(from, 0, w, depth, s, 0, to, 0);
      from += aRow;
      s += startRow;
      to += outRow;
    }
    w += <usize>depth * LINE;
    start += LINE;
    out += LINE;
  }
}
