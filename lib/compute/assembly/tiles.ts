// The innermost loops of every product: out = start + a·w for some rows of `a` and a panel of `w`.
//
// A panel is 16 columns, packed [k][16]: 64 bytes, one cache line, for each k. WASM has 16 vector
// registers on x64, so a tile keeps at most 15 vectors alive (one more halves the speed):
// 6 rows × 8 columns are 12 sums, 2 vectors of w and one number of a, spread.
//
// Pointers and strides are in bytes. `start` and `out` have the same layout, or `start` repeats a
// row (stride 0: the bias, or zeros).
// Written by `deno task build:compute` (tools/write_tiles.ts); four k at a time where a tile is
// called most: 4 % of the speed of a large batch.

import { madd } from "./fma";

/** Bytes from one k to the next in a panel. */
export const LINE: usize = 64;

/** 6 rows × half a panel. */
export function tile6(
  a: usize, aRow: usize, w: usize, depth: i32,
  start: usize, startRow: usize, out: usize, outRow: usize,
): void {
  const a1 = a + aRow;
  const a2 = a1 + aRow;
  const a3 = a2 + aRow;
  const a4 = a3 + aRow;
  const a5 = a4 + aRow;
  let s0a = v128.load(start, 0); let s0b = v128.load(start, 16);
  start += startRow;
  let s1a = v128.load(start, 0); let s1b = v128.load(start, 16);
  start += startRow;
  let s2a = v128.load(start, 0); let s2b = v128.load(start, 16);
  start += startRow;
  let s3a = v128.load(start, 0); let s3b = v128.load(start, 16);
  start += startRow;
  let s4a = v128.load(start, 0); let s4b = v128.load(start, 16);
  start += startRow;
  let s5a = v128.load(start, 0); let s5b = v128.load(start, 16);
  let p0 = a;
  let p1 = a1;
  let p2 = a2;
  let p3 = a3;
  let p4 = a4;
  let p5 = a5;
  let x: v128, wa: v128, wb: v128;
  let k = 0;
  for (; k + 4 <= depth; k += 4) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    x = v128.load32_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load32_splat(p1, 0);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load32_splat(p2, 0);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load32_splat(p3, 0);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    x = v128.load32_splat(p4, 0);
    s4a = madd(x, wa, s4a);
    s4b = madd(x, wb, s4b);
    x = v128.load32_splat(p5, 0);
    s5a = madd(x, wa, s5a);
    s5b = madd(x, wb, s5b);
    wa = v128.load(w, 64);
    wb = v128.load(w, 80);
    x = v128.load32_splat(p0, 4);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load32_splat(p1, 4);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load32_splat(p2, 4);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load32_splat(p3, 4);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    x = v128.load32_splat(p4, 4);
    s4a = madd(x, wa, s4a);
    s4b = madd(x, wb, s4b);
    x = v128.load32_splat(p5, 4);
    s5a = madd(x, wa, s5a);
    s5b = madd(x, wb, s5b);
    wa = v128.load(w, 128);
    wb = v128.load(w, 144);
    x = v128.load32_splat(p0, 8);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load32_splat(p1, 8);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load32_splat(p2, 8);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load32_splat(p3, 8);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    x = v128.load32_splat(p4, 8);
    s4a = madd(x, wa, s4a);
    s4b = madd(x, wb, s4b);
    x = v128.load32_splat(p5, 8);
    s5a = madd(x, wa, s5a);
    s5b = madd(x, wb, s5b);
    wa = v128.load(w, 192);
    wb = v128.load(w, 208);
    x = v128.load32_splat(p0, 12);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load32_splat(p1, 12);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load32_splat(p2, 12);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load32_splat(p3, 12);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    x = v128.load32_splat(p4, 12);
    s4a = madd(x, wa, s4a);
    s4b = madd(x, wb, s4b);
    x = v128.load32_splat(p5, 12);
    s5a = madd(x, wa, s5a);
    s5b = madd(x, wb, s5b);
    w += 256;
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
    p4 += 16;
    p5 += 16;
  }
  for (; k < depth; k++) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    x = v128.load32_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load32_splat(p1, 0);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load32_splat(p2, 0);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load32_splat(p3, 0);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    x = v128.load32_splat(p4, 0);
    s4a = madd(x, wa, s4a);
    s4b = madd(x, wb, s4b);
    x = v128.load32_splat(p5, 0);
    s5a = madd(x, wa, s5a);
    s5b = madd(x, wb, s5b);
    w += LINE;
    p0 += 4;
    p1 += 4;
    p2 += 4;
    p3 += 4;
    p4 += 4;
    p5 += 4;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  out += outRow;
  v128.store(out, s1a, 0); v128.store(out, s1b, 16);
  out += outRow;
  v128.store(out, s2a, 0); v128.store(out, s2b, 16);
  out += outRow;
  v128.store(out, s3a, 0); v128.store(out, s3b, 16);
  out += outRow;
  v128.store(out, s4a, 0); v128.store(out, s4b, 16);
  out += outRow;
  v128.store(out, s5a, 0); v128.store(out, s5b, 16);
}

/** 4 rows × half a panel. */
export function tile4(
  a: usize, aRow: usize, w: usize, depth: i32,
  start: usize, startRow: usize, out: usize, outRow: usize,
): void {
  const a1 = a + aRow;
  const a2 = a1 + aRow;
  const a3 = a2 + aRow;
  let s0a = v128.load(start, 0); let s0b = v128.load(start, 16);
  start += startRow;
  let s1a = v128.load(start, 0); let s1b = v128.load(start, 16);
  start += startRow;
  let s2a = v128.load(start, 0); let s2b = v128.load(start, 16);
  start += startRow;
  let s3a = v128.load(start, 0); let s3b = v128.load(start, 16);
  let p0 = a;
  let p1 = a1;
  let p2 = a2;
  let p3 = a3;
  let x: v128, wa: v128, wb: v128;
  let k = 0;
  for (; k + 4 <= depth; k += 4) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    x = v128.load32_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load32_splat(p1, 0);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load32_splat(p2, 0);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load32_splat(p3, 0);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    wa = v128.load(w, 64);
    wb = v128.load(w, 80);
    x = v128.load32_splat(p0, 4);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load32_splat(p1, 4);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load32_splat(p2, 4);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load32_splat(p3, 4);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    wa = v128.load(w, 128);
    wb = v128.load(w, 144);
    x = v128.load32_splat(p0, 8);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load32_splat(p1, 8);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load32_splat(p2, 8);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load32_splat(p3, 8);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    wa = v128.load(w, 192);
    wb = v128.load(w, 208);
    x = v128.load32_splat(p0, 12);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load32_splat(p1, 12);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load32_splat(p2, 12);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load32_splat(p3, 12);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    w += 256;
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
  }
  for (; k < depth; k++) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    x = v128.load32_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load32_splat(p1, 0);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load32_splat(p2, 0);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load32_splat(p3, 0);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    w += LINE;
    p0 += 4;
    p1 += 4;
    p2 += 4;
    p3 += 4;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  out += outRow;
  v128.store(out, s1a, 0); v128.store(out, s1b, 16);
  out += outRow;
  v128.store(out, s2a, 0); v128.store(out, s2b, 16);
  out += outRow;
  v128.store(out, s3a, 0); v128.store(out, s3b, 16);
}

/** 3 rows × half a panel. */
export function tile3(
  a: usize, aRow: usize, w: usize, depth: i32,
  start: usize, startRow: usize, out: usize, outRow: usize,
): void {
  const a1 = a + aRow;
  const a2 = a1 + aRow;
  let s0a = v128.load(start, 0); let s0b = v128.load(start, 16);
  start += startRow;
  let s1a = v128.load(start, 0); let s1b = v128.load(start, 16);
  start += startRow;
  let s2a = v128.load(start, 0); let s2b = v128.load(start, 16);
  let p0 = a;
  let p1 = a1;
  let p2 = a2;
  let x: v128, wa: v128, wb: v128;
  let k = 0;
  for (; k < depth; k++) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    x = v128.load32_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load32_splat(p1, 0);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load32_splat(p2, 0);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    w += LINE;
    p0 += 4;
    p1 += 4;
    p2 += 4;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  out += outRow;
  v128.store(out, s1a, 0); v128.store(out, s1b, 16);
  out += outRow;
  v128.store(out, s2a, 0); v128.store(out, s2b, 16);
}

/** 2 rows × a panel. */
export function tile2(
  a: usize, aRow: usize, w: usize, depth: i32,
  start: usize, startRow: usize, out: usize, outRow: usize,
): void {
  const a1 = a + aRow;
  let s0a = v128.load(start, 0); let s0b = v128.load(start, 16);
  let s0c = v128.load(start, 32); let s0d = v128.load(start, 48);
  start += startRow;
  let s1a = v128.load(start, 0); let s1b = v128.load(start, 16);
  let s1c = v128.load(start, 32); let s1d = v128.load(start, 48);
  let p0 = a;
  let p1 = a1;
  let x: v128, wa: v128, wb: v128, wc: v128, wd: v128;
  let k = 0;
  for (; k + 4 <= depth; k += 4) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    wc = v128.load(w, 32);
    wd = v128.load(w, 48);
    x = v128.load32_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    s0c = madd(x, wc, s0c);
    s0d = madd(x, wd, s0d);
    x = v128.load32_splat(p1, 0);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    s1c = madd(x, wc, s1c);
    s1d = madd(x, wd, s1d);
    wa = v128.load(w, 64);
    wb = v128.load(w, 80);
    wc = v128.load(w, 96);
    wd = v128.load(w, 112);
    x = v128.load32_splat(p0, 4);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    s0c = madd(x, wc, s0c);
    s0d = madd(x, wd, s0d);
    x = v128.load32_splat(p1, 4);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    s1c = madd(x, wc, s1c);
    s1d = madd(x, wd, s1d);
    wa = v128.load(w, 128);
    wb = v128.load(w, 144);
    wc = v128.load(w, 160);
    wd = v128.load(w, 176);
    x = v128.load32_splat(p0, 8);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    s0c = madd(x, wc, s0c);
    s0d = madd(x, wd, s0d);
    x = v128.load32_splat(p1, 8);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    s1c = madd(x, wc, s1c);
    s1d = madd(x, wd, s1d);
    wa = v128.load(w, 192);
    wb = v128.load(w, 208);
    wc = v128.load(w, 224);
    wd = v128.load(w, 240);
    x = v128.load32_splat(p0, 12);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    s0c = madd(x, wc, s0c);
    s0d = madd(x, wd, s0d);
    x = v128.load32_splat(p1, 12);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    s1c = madd(x, wc, s1c);
    s1d = madd(x, wd, s1d);
    w += 256;
    p0 += 16;
    p1 += 16;
  }
  for (; k < depth; k++) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    wc = v128.load(w, 32);
    wd = v128.load(w, 48);
    x = v128.load32_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    s0c = madd(x, wc, s0c);
    s0d = madd(x, wd, s0d);
    x = v128.load32_splat(p1, 0);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    s1c = madd(x, wc, s1c);
    s1d = madd(x, wd, s1d);
    w += LINE;
    p0 += 4;
    p1 += 4;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  v128.store(out, s0c, 32); v128.store(out, s0d, 48);
  out += outRow;
  v128.store(out, s1a, 0); v128.store(out, s1b, 16);
  v128.store(out, s1c, 32); v128.store(out, s1d, 48);
}

/** 1 row × a panel. */
export function tile1(
  a: usize, aRow: usize, w: usize, depth: i32,
  start: usize, startRow: usize, out: usize, outRow: usize,
): void {
  let s0a = v128.load(start, 0); let s0b = v128.load(start, 16);
  let s0c = v128.load(start, 32); let s0d = v128.load(start, 48);
  let p0 = a;
  let x: v128, wa: v128, wb: v128, wc: v128, wd: v128;
  let k = 0;
  for (; k < depth; k++) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    wc = v128.load(w, 32);
    wd = v128.load(w, 48);
    x = v128.load32_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    s0c = madd(x, wc, s0c);
    s0d = madd(x, wd, s0d);
    w += LINE;
    p0 += 4;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  v128.store(out, s0c, 32); v128.store(out, s0d, 48);
}
