// out = aᵀ·w, the sums over all rows that weight gradients are: `a` is turned over first, so that
// the tiles read along its columns.

import { gemm } from "./gemm";
import { LINE } from "./tiles";

/** Columns that lie in one cache line are turned over together. */
const TOGETHER: i32 = 16;

/** to[column][row] = a[row][column], 4 × 4 at a time. */
export function transpose(
  a: usize, aRow: usize, rows: i32, columns: i32, to: usize, toRow: usize,
): void {
  for (let first = 0; first < columns; first += TOGETHER) {
    const end = min(first + TOGETHER, columns);
    for (let r = 0; r < rows; r += 4) {
      const count = min(4, rows - r);
      const line = a + <usize>r * aRow;
      const column = to + <usize>r * 4;
      let c = first;
      if (count == 4) {
        for (; c + 4 <= end; c += 4) {
          transposeFour(line + <usize>c * 4, aRow, column + <usize>c * toRow, toRow);
        }
      }
      for (; c < end; c++) {
        for (let k = 0; k < count; k++) {
          const number = load<f32>(line + <usize>k * aRow + <usize>c * 4);
          store<f32>(column + <usize>c * toRow + <usize>k * 4, number);
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
export function transposeFour(a: usize, aRow: usize, to: usize, toRow: usize): void {
  const r0 = v128.load(a), r1 = v128.load(a + aRow);
  const r2 = v128.load(a + 2 * aRow), r3 = v128.load(a + 3 * aRow);
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
  v128.store(to + toRow, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
  v128.store(to + 2 * toRow, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
  v128.store(to + 3 * toRow, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
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

/** sum += other, `count` numbers, a multiple of 4: what another thread's rows came to. */
export function addArray(sum: usize, other: usize, count: i32): void {
  for (let at: usize = 0; at < <usize>count * 4; at += 16) {
    v128.store(sum + at, f32x4.add(v128.load(sum + at), v128.load(other + at)));
  }
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
