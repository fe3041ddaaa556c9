// out = aᵀ·w, the sums over all rows that weight gradients are: `a` is turned over first, so that
// the tiles read along its columns.

import { gemm } from "./gemm";
import { LINE } from "./tiles";

/** Columns that lie in one cache line are turned over together. */
const TOGETHER: i32 = 16;

/** to[column][row] = a[row][column] */
export function transpose(
  a: usize, aRow: usize, rows: i32, columns: i32, to: usize, toRow: usize,
): void {
  for (let first = 0; first < columns; first += TOGETHER) {
    const count = min(TOGETHER, columns - first);
    let line = a + <usize>first * 4;
    for (let r = 0; r < rows; r++) {
      let target = to + <usize>first * toRow + <usize>r * 4;
      for (let c = 0; c < count; c++) {
        store<f32>(target, load<f32>(line + <usize>c * 4));
        target += toRow;
      }
      line += aRow;
    }
  }
}

/** out = turned·w: `turned` is aᵀ, `w` [panel][rows][16], `out` [panel][columns][16]. */
export function gemmTurned(
  turned: usize, turnedRow: usize, columns: i32, rows: i32,
  w: usize, panels: i32, zeros: usize, out: usize,
): void {
  gemm(
    turned, turnedRow, columns, rows, w, panels,
    zeros, 0, 0, out, LINE, <usize>columns * LINE,
  );
}

/** out = Σ of the rows of each panel of w, [panel][16]. */
export function sumRows(w: usize, rows: i32, panels: i32, out: usize): void {
  for (let p = 0; p < panels; p++) {
    let a = f32x4.splat(0), b = a, c = a, d = a;
    for (let k = 0; k < rows; k++) {
      a = f32x4.add(a, v128.load(w, 0));
      b = f32x4.add(b, v128.load(w, 16));
      c = f32x4.add(c, v128.load(w, 32));
      d = f32x4.add(d, v128.load(w, 48));
      w += LINE;
    }
    v128.store(out, a, 0);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
    out += LINE;
  }
}
