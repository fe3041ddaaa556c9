// The innermost loops of float64.ts, as those of tiles.ts are: a panel is 8 columns, packed [k][8], in
// float64, or in float32 where that holds them.
// Written by `deno task build:compute` (tools/write_tiles.ts).

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
  for (; k + 2 <= depth; k += 2) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    x = v128.load64_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load64_splat(p1, 0);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load64_splat(p2, 0);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load64_splat(p3, 0);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    wa = v128.load(w, 64);
    wb = v128.load(w, 80);
    x = v128.load64_splat(p0, 8);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load64_splat(p1, 8);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load64_splat(p2, 8);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load64_splat(p3, 8);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    w += 128;
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
  }
  for (; k < depth; k++) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    x = v128.load64_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load64_splat(p1, 0);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load64_splat(p2, 0);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load64_splat(p3, 0);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    w += LINE;
    p0 += 8;
    p1 += 8;
    p2 += 8;
    p3 += 8;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  out += outRow;
  v128.store(out, s1a, 0); v128.store(out, s1b, 16);
  out += outRow;
  v128.store(out, s2a, 0); v128.store(out, s2b, 16);
  out += outRow;
  v128.store(out, s3a, 0); v128.store(out, s3b, 16);
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
    x = v128.load64_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    s0c = madd(x, wc, s0c);
    s0d = madd(x, wd, s0d);
    w += LINE;
    p0 += 8;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  v128.store(out, s0c, 32); v128.store(out, s0d, 48);
}

/** 4 rows × half a panel, of |w|. */
export function tileSizes4(
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
  for (; k + 2 <= depth; k += 2) {
    wa = f64x2.abs(v128.load(w, 0));
    wb = f64x2.abs(v128.load(w, 16));
    x = v128.load64_splat(p0, 0);
    s0a = fused(x, wa, s0a);
    s0b = fused(x, wb, s0b);
    x = v128.load64_splat(p1, 0);
    s1a = fused(x, wa, s1a);
    s1b = fused(x, wb, s1b);
    x = v128.load64_splat(p2, 0);
    s2a = fused(x, wa, s2a);
    s2b = fused(x, wb, s2b);
    x = v128.load64_splat(p3, 0);
    s3a = fused(x, wa, s3a);
    s3b = fused(x, wb, s3b);
    wa = f64x2.abs(v128.load(w, 64));
    wb = f64x2.abs(v128.load(w, 80));
    x = v128.load64_splat(p0, 8);
    s0a = fused(x, wa, s0a);
    s0b = fused(x, wb, s0b);
    x = v128.load64_splat(p1, 8);
    s1a = fused(x, wa, s1a);
    s1b = fused(x, wb, s1b);
    x = v128.load64_splat(p2, 8);
    s2a = fused(x, wa, s2a);
    s2b = fused(x, wb, s2b);
    x = v128.load64_splat(p3, 8);
    s3a = fused(x, wa, s3a);
    s3b = fused(x, wb, s3b);
    w += 128;
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
  }
  for (; k < depth; k++) {
    wa = f64x2.abs(v128.load(w, 0));
    wb = f64x2.abs(v128.load(w, 16));
    x = v128.load64_splat(p0, 0);
    s0a = fused(x, wa, s0a);
    s0b = fused(x, wb, s0b);
    x = v128.load64_splat(p1, 0);
    s1a = fused(x, wa, s1a);
    s1b = fused(x, wb, s1b);
    x = v128.load64_splat(p2, 0);
    s2a = fused(x, wa, s2a);
    s2b = fused(x, wb, s2b);
    x = v128.load64_splat(p3, 0);
    s3a = fused(x, wa, s3a);
    s3b = fused(x, wb, s3b);
    w += LINE;
    p0 += 8;
    p1 += 8;
    p2 += 8;
    p3 += 8;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  out += outRow;
  v128.store(out, s1a, 0); v128.store(out, s1b, 16);
  out += outRow;
  v128.store(out, s2a, 0); v128.store(out, s2b, 16);
  out += outRow;
  v128.store(out, s3a, 0); v128.store(out, s3b, 16);
}

/** 1 row × a panel, of |w|. */
export function tileSizes1(
  a: usize, aRow: usize, w: usize, depth: i32,
  start: usize, startRow: usize, out: usize, outRow: usize,
): void {
  let s0a = v128.load(start, 0); let s0b = v128.load(start, 16);
  let s0c = v128.load(start, 32); let s0d = v128.load(start, 48);
  let p0 = a;
  let x: v128, wa: v128, wb: v128, wc: v128, wd: v128;
  let k = 0;
  for (; k < depth; k++) {
    wa = f64x2.abs(v128.load(w, 0));
    wb = f64x2.abs(v128.load(w, 16));
    wc = f64x2.abs(v128.load(w, 32));
    wd = f64x2.abs(v128.load(w, 48));
    x = v128.load64_splat(p0, 0);
    s0a = fused(x, wa, s0a);
    s0b = fused(x, wb, s0b);
    s0c = fused(x, wc, s0c);
    s0d = fused(x, wd, s0d);
    w += LINE;
    p0 += 8;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  v128.store(out, s0c, 32); v128.store(out, s0d, 48);
}

/** 4 rows × half a panel in float32. */
export function single4(
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
  for (; k + 2 <= depth; k += 2) {
    wa = f64x2.promote_low_f32x4(v128.load64_zero(w, 0));
    wb = f64x2.promote_low_f32x4(v128.load64_zero(w, 8));
    x = v128.load64_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load64_splat(p1, 0);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load64_splat(p2, 0);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load64_splat(p3, 0);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    wa = f64x2.promote_low_f32x4(v128.load64_zero(w, 32));
    wb = f64x2.promote_low_f32x4(v128.load64_zero(w, 40));
    x = v128.load64_splat(p0, 8);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load64_splat(p1, 8);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load64_splat(p2, 8);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load64_splat(p3, 8);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    w += 64;
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
  }
  for (; k < depth; k++) {
    wa = f64x2.promote_low_f32x4(v128.load64_zero(w, 0));
    wb = f64x2.promote_low_f32x4(v128.load64_zero(w, 8));
    x = v128.load64_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    x = v128.load64_splat(p1, 0);
    s1a = madd(x, wa, s1a);
    s1b = madd(x, wb, s1b);
    x = v128.load64_splat(p2, 0);
    s2a = madd(x, wa, s2a);
    s2b = madd(x, wb, s2b);
    x = v128.load64_splat(p3, 0);
    s3a = madd(x, wa, s3a);
    s3b = madd(x, wb, s3b);
    w += 32;
    p0 += 8;
    p1 += 8;
    p2 += 8;
    p3 += 8;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  out += outRow;
  v128.store(out, s1a, 0); v128.store(out, s1b, 16);
  out += outRow;
  v128.store(out, s2a, 0); v128.store(out, s2b, 16);
  out += outRow;
  v128.store(out, s3a, 0); v128.store(out, s3b, 16);
}

/** 1 row × a panel in float32. */
export function single1(
  a: usize, aRow: usize, w: usize, depth: i32,
  start: usize, startRow: usize, out: usize, outRow: usize,
): void {
  let s0a = v128.load(start, 0); let s0b = v128.load(start, 16);
  let s0c = v128.load(start, 32); let s0d = v128.load(start, 48);
  let p0 = a;
  let x: v128, wa: v128, wb: v128, wc: v128, wd: v128;
  let k = 0;
  for (; k < depth; k++) {
    wa = f64x2.promote_low_f32x4(v128.load64_zero(w, 0));
    wb = f64x2.promote_low_f32x4(v128.load64_zero(w, 8));
    wc = f64x2.promote_low_f32x4(v128.load64_zero(w, 16));
    wd = f64x2.promote_low_f32x4(v128.load64_zero(w, 24));
    x = v128.load64_splat(p0, 0);
    s0a = madd(x, wa, s0a);
    s0b = madd(x, wb, s0b);
    s0c = madd(x, wc, s0c);
    s0d = madd(x, wd, s0d);
    w += 32;
    p0 += 8;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  v128.store(out, s0c, 32); v128.store(out, s0d, 48);
}

/** 4 rows × half a panel in float32, of |w|. */
export function singleSizes4(
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
  for (; k + 2 <= depth; k += 2) {
    wa = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(w, 0)));
    wb = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(w, 8)));
    x = v128.load64_splat(p0, 0);
    s0a = fused(x, wa, s0a);
    s0b = fused(x, wb, s0b);
    x = v128.load64_splat(p1, 0);
    s1a = fused(x, wa, s1a);
    s1b = fused(x, wb, s1b);
    x = v128.load64_splat(p2, 0);
    s2a = fused(x, wa, s2a);
    s2b = fused(x, wb, s2b);
    x = v128.load64_splat(p3, 0);
    s3a = fused(x, wa, s3a);
    s3b = fused(x, wb, s3b);
    wa = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(w, 32)));
    wb = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(w, 40)));
    x = v128.load64_splat(p0, 8);
    s0a = fused(x, wa, s0a);
    s0b = fused(x, wb, s0b);
    x = v128.load64_splat(p1, 8);
    s1a = fused(x, wa, s1a);
    s1b = fused(x, wb, s1b);
    x = v128.load64_splat(p2, 8);
    s2a = fused(x, wa, s2a);
    s2b = fused(x, wb, s2b);
    x = v128.load64_splat(p3, 8);
    s3a = fused(x, wa, s3a);
    s3b = fused(x, wb, s3b);
    w += 64;
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
  }
  for (; k < depth; k++) {
    wa = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(w, 0)));
    wb = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(w, 8)));
    x = v128.load64_splat(p0, 0);
    s0a = fused(x, wa, s0a);
    s0b = fused(x, wb, s0b);
    x = v128.load64_splat(p1, 0);
    s1a = fused(x, wa, s1a);
    s1b = fused(x, wb, s1b);
    x = v128.load64_splat(p2, 0);
    s2a = fused(x, wa, s2a);
    s2b = fused(x, wb, s2b);
    x = v128.load64_splat(p3, 0);
    s3a = fused(x, wa, s3a);
    s3b = fused(x, wb, s3b);
    w += 32;
    p0 += 8;
    p1 += 8;
    p2 += 8;
    p3 += 8;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  out += outRow;
  v128.store(out, s1a, 0); v128.store(out, s1b, 16);
  out += outRow;
  v128.store(out, s2a, 0); v128.store(out, s2b, 16);
  out += outRow;
  v128.store(out, s3a, 0); v128.store(out, s3b, 16);
}

/** 1 row × a panel in float32, of |w|. */
export function singleSizes1(
  a: usize, aRow: usize, w: usize, depth: i32,
  start: usize, startRow: usize, out: usize, outRow: usize,
): void {
  let s0a = v128.load(start, 0); let s0b = v128.load(start, 16);
  let s0c = v128.load(start, 32); let s0d = v128.load(start, 48);
  let p0 = a;
  let x: v128, wa: v128, wb: v128, wc: v128, wd: v128;
  let k = 0;
  for (; k < depth; k++) {
    wa = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(w, 0)));
    wb = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(w, 8)));
    wc = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(w, 16)));
    wd = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(w, 24)));
    x = v128.load64_splat(p0, 0);
    s0a = fused(x, wa, s0a);
    s0b = fused(x, wb, s0b);
    s0c = fused(x, wc, s0c);
    s0d = fused(x, wd, s0d);
    w += 32;
    p0 += 8;
  }
  v128.store(out, s0a, 0); v128.store(out, s0b, 16);
  v128.store(out, s0c, 32); v128.store(out, s0d, 48);
}
