// Products of float64, a module of its own with a memory of its own: out += a·w.
//
// Each sum is taken in the order of k, a product and then a sum, each rounded: the same bits as the
// three loops of lib/tensor give. A panel is 8 columns, packed [k][8]: one cache line for each k, or
// half of one where the matrix is kept in float32.

import {
  single1, single4, singleSizes1, singleSizes4, tile1, tile4, tileSizes1, tileSizes4,
} from "./float64_tiles";
import { LINE } from "./tiles";

export const FREE_FROM: usize = __heap_base;

type Tile = (
  a: usize, aRow: usize, w: usize, depth: i32, start: usize, startRow: usize, out: usize, outRow: usize,
) => void;

/** out[rows, panels·8] += a·w; the rows from `signed` on meet |w|. */
export function product(
  a: usize, rows: i32, signed: i32, depth: i32, w: usize, isSingle: bool, panels: i32, out: usize,
): void {
  const panel = <usize>depth * (isSingle ? LINE / 2 : LINE);
  const outRow = <usize>panels * LINE;
  const others = a + <usize>(signed * depth) * 8;
  for (let p = 0; p < panels; p++) {
    // A panel is there once for all rows.
    const rest = out + <usize>signed * outRow;
    if (isSingle) {
      rowsBy(single4, single1, LINE / 4, a, signed, depth, w, out, outRow);
      rowsBy(singleSizes4, singleSizes1, LINE / 4, others, rows - signed, depth, w, rest, outRow);
    } else {
      rowsBy(tile4, tile1, LINE / 2, a, signed, depth, w, out, outRow);
      rowsBy(tileSizes4, tileSizes1, LINE / 2, others, rows - signed, depth, w, rest, outRow);
    }
    w += panel;
    out += LINE;
  }
}

/** @param half bytes of half a line of w */
function rowsBy(
  four: Tile, one: Tile, half: usize,
  a: usize, rows: i32, depth: i32, w: usize, out: usize, outRow: usize,
): void {
  const aRow = <usize>depth * 8;
  for (; rows >= 4; rows -= 4) {
    four(a, aRow, w, depth, out, outRow, out, outRow);
    four(a, aRow, w + half, depth, out + LINE / 2, outRow, out + LINE / 2, outRow);
    a += 4 * aRow;
    out += 4 * outRow;
  }
  for (; rows > 0; rows--) {
    one(a, 0, w, depth, out, 0, out, 0);
    a += aRow;
    out += outRow;
  }
}
