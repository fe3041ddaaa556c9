// out += aᵀ·w for 6 columns of `a` and half a panel: the sums over all rows that weight gradients are.
// Written out by hand, as the tiles are.

import { madd } from "./fma";
import { LINE } from "./tiles";

/** How many rows of a panel stay in the fastest cache. */
const DEPTH: i32 = 256;
const HALF: usize = LINE / 2;

function columns6(a: usize, aRow: usize, w: usize, depth: i32, out: usize): void {
  let s0a = v128.load(out, 0); let s0b = v128.load(out, 16);
  let s1a = v128.load(out, 64); let s1b = v128.load(out, 80);
  let s2a = v128.load(out, 128); let s2b = v128.load(out, 144);
  let s3a = v128.load(out, 192); let s3b = v128.load(out, 208);
  let s4a = v128.load(out, 256); let s4b = v128.load(out, 272);
  let s5a = v128.load(out, 320); let s5b = v128.load(out, 336);
  let x: v128, wa: v128, wb: v128;
  for (let k = 0; k < depth; k++) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    x = v128.load32_splat(a, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load32_splat(a, 4);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load32_splat(a, 8);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load32_splat(a, 12);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    x = v128.load32_splat(a, 16);
    s4a = madd(x, wa, s4a);
    s4b = madd(x, wb, s4b);
    x = v128.load32_splat(a, 20);
    s5a = madd(x, wa, s5a);
    s5b = madd(x, wb, s5b);
    a += aRow;
    w += LINE;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  v128.store(out, s1a, 64); v128.store(out, s1b, 80);
  v128.store(out, s2a, 128); v128.store(out, s2b, 144);
  v128.store(out, s3a, 192); v128.store(out, s3b, 208);
  v128.store(out, s4a, 256); v128.store(out, s4b, 272);
  v128.store(out, s5a, 320); v128.store(out, s5b, 336);
}

/** Bytes of the panels that `gemmTransposed` fills: rows in sixes. */
export function transposedPanelBytes(columns: i32): usize {
  return <usize>((columns + 5) / 6 * 6) * LINE;
}

/**
 * out = aᵀ·w: `a` is [rows][aRow bytes], `w` [panel][rows][16], `out` [panel][columns][16] with the
 * columns filled up to sixes (those read what follows a row of `a`, and nobody reads them).
 */
export function gemmTransposed(
  a: usize, aRow: usize, columns: i32, rows: i32, w: usize, panels: i32, out: usize,
): void {
  const outPanel = transposedPanelBytes(columns);
  memory.fill(out, 0, outPanel * panels);
  for (let k = 0; k < rows; k += DEPTH) {
    const block = min(DEPTH, rows - k);
    let to = out;
    let from = w + <usize>k * LINE;
    for (let p = 0; p < panels; p++) {
      for (let c = 0; c < columns; c += 6) {
        const at = to + <usize>c * LINE;
        const column = a + <usize>k * aRow + <usize>c * 4;
        columns6(column, aRow, from, block, at);
        columns6(column, aRow, from + HALF, block, at + HALF);
      }
      to += outPanel;
      from += <usize>rows * LINE;
    }
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
