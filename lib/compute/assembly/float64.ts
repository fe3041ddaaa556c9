// Products of float64, a module of its own with a memory of its own: out = start + a·w.
//
// Each sum is taken in the order of k, a product and then a sum, each rounded: the same bits as the
// three loops of lib/tensor give. A panel is 8 columns, packed [k][8]: one cache line for each k.

export const FREE_FROM: usize = __heap_base;

const LINE: usize = 64;
const HALF: usize = 32;

// @ts-ignore: decorator
@inline
function madd(x: v128, w: v128, sum: v128): v128 {
  return f64x2.add(sum, f64x2.mul(x, w));
}

/** 4 rows × half a panel: 8 sums, 2 vectors of w and one number of a, spread. */
function tile4(
  a: usize, aRow: usize, w: usize, depth: i32, start: usize, startRow: usize, out: usize, outRow: usize,
): void {
  let p1 = a + aRow, p2 = p1 + aRow, p3 = p2 + aRow;
  let s0a = v128.load(start, 0), s0b = v128.load(start, 16);
  start += startRow;
  let s1a = v128.load(start, 0), s1b = v128.load(start, 16);
  start += startRow;
  let s2a = v128.load(start, 0), s2b = v128.load(start, 16);
  start += startRow;
  let s3a = v128.load(start, 0), s3b = v128.load(start, 16);
  let x: v128, wa: v128, wb: v128;
  let k = 0;
  for (; k + 2 <= depth; k += 2) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    x = v128.load64_splat(a, 0);
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
    x = v128.load64_splat(a, 8);
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
    w += 2 * LINE;
    a += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
  }
  if (k < depth) {
    wa = v128.load(w, 0);
    wb = v128.load(w, 16);
    x = v128.load64_splat(a, 0);
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
  }
  v128.store(out, s0a, 0);
  v128.store(out, s0b, 16);
  out += outRow;
  v128.store(out, s1a, 0);
  v128.store(out, s1b, 16);
  out += outRow;
  v128.store(out, s2a, 0);
  v128.store(out, s2b, 16);
  out += outRow;
  v128.store(out, s3a, 0);
  v128.store(out, s3b, 16);
}

/** One row × a panel. */
function tile1(a: usize, w: usize, depth: i32, start: usize, out: usize): void {
  let sa = v128.load(start, 0), sb = v128.load(start, 16);
  let sc = v128.load(start, 32), sd = v128.load(start, 48);
  for (let k = 0; k < depth; k++) {
    const x = v128.load64_splat(a, 0);
    sa = madd(x, v128.load(w, 0), sa);
    sb = madd(x, v128.load(w, 16), sb);
    sc = madd(x, v128.load(w, 32), sc);
    sd = madd(x, v128.load(w, 48), sd);
    w += LINE;
    a += 8;
  }
  v128.store(out, sa, 0);
  v128.store(out, sb, 16);
  v128.store(out, sc, 32);
  v128.store(out, sd, 48);
}

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
      tile1(from, w, depth, s, to);
      from += aRow;
      s += startRow;
      to += outRow;
    }
    w += <usize>depth * LINE;
    start += LINE;
    out += LINE;
  }
}
