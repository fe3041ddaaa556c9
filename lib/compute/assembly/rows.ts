// One row × two or three panels: 8 or 12 sums, so that each number of `a` is spread once for 32 or
// 48 columns. Loading is the limit here, so `a` comes four numbers at a time and is spread from a
// register. Three panels leave the processor more to do while a sum waits for its last addition.
// Written by `deno task build:compute` (tools/write_tiles.ts).

import { madd } from "./fma";

/** Two panels. */
export function row2(
  a: usize, w: usize, wPanel: usize, depth: i32,
  start: usize, startPanel: usize, out: usize, outPanel: usize,
): void {
  let w1 = w + wPanel;
  let x: v128, four: v128;
  let sa = v128.load(start, 0);
  let sb = v128.load(start, 16);
  let sc = v128.load(start, 32);
  let sd = v128.load(start, 48);
  start += startPanel;
  let ta = v128.load(start, 0);
  let tb = v128.load(start, 16);
  let tc = v128.load(start, 32);
  let td = v128.load(start, 48);
  let k = 0;
  for (; k + 4 <= depth; k += 4) {
    four = v128.load(a);
    x = v128.shuffle<f32>(four, four, 0, 0, 0, 0);
    sa = madd(x, v128.load(w, 0), sa);
    sb = madd(x, v128.load(w, 16), sb);
    sc = madd(x, v128.load(w, 32), sc);
    sd = madd(x, v128.load(w, 48), sd);
    ta = madd(x, v128.load(w1, 0), ta);
    tb = madd(x, v128.load(w1, 16), tb);
    tc = madd(x, v128.load(w1, 32), tc);
    td = madd(x, v128.load(w1, 48), td);
    x = v128.shuffle<f32>(four, four, 1, 1, 1, 1);
    sa = madd(x, v128.load(w, 64), sa);
    sb = madd(x, v128.load(w, 80), sb);
    sc = madd(x, v128.load(w, 96), sc);
    sd = madd(x, v128.load(w, 112), sd);
    ta = madd(x, v128.load(w1, 64), ta);
    tb = madd(x, v128.load(w1, 80), tb);
    tc = madd(x, v128.load(w1, 96), tc);
    td = madd(x, v128.load(w1, 112), td);
    x = v128.shuffle<f32>(four, four, 2, 2, 2, 2);
    sa = madd(x, v128.load(w, 128), sa);
    sb = madd(x, v128.load(w, 144), sb);
    sc = madd(x, v128.load(w, 160), sc);
    sd = madd(x, v128.load(w, 176), sd);
    ta = madd(x, v128.load(w1, 128), ta);
    tb = madd(x, v128.load(w1, 144), tb);
    tc = madd(x, v128.load(w1, 160), tc);
    td = madd(x, v128.load(w1, 176), td);
    x = v128.shuffle<f32>(four, four, 3, 3, 3, 3);
    sa = madd(x, v128.load(w, 192), sa);
    sb = madd(x, v128.load(w, 208), sb);
    sc = madd(x, v128.load(w, 224), sc);
    sd = madd(x, v128.load(w, 240), sd);
    ta = madd(x, v128.load(w1, 192), ta);
    tb = madd(x, v128.load(w1, 208), tb);
    tc = madd(x, v128.load(w1, 224), tc);
    td = madd(x, v128.load(w1, 240), td);
    a += 16;
    w += 256;
    w1 += 256;
  }
  for (; k < depth; k++) {
    x = v128.load32_splat(a);
    sa = madd(x, v128.load(w, 0), sa);
    sb = madd(x, v128.load(w, 16), sb);
    sc = madd(x, v128.load(w, 32), sc);
    sd = madd(x, v128.load(w, 48), sd);
    ta = madd(x, v128.load(w1, 0), ta);
    tb = madd(x, v128.load(w1, 16), tb);
    tc = madd(x, v128.load(w1, 32), tc);
    td = madd(x, v128.load(w1, 48), td);
    a += 4;
    w += 64;
    w1 += 64;
  }
  v128.store(out, sa, 0);
  v128.store(out, sb, 16);
  v128.store(out, sc, 32);
  v128.store(out, sd, 48);
  out += outPanel;
  v128.store(out, ta, 0);
  v128.store(out, tb, 16);
  v128.store(out, tc, 32);
  v128.store(out, td, 48);
}

/** Three panels. */
export function row3(
  a: usize, w: usize, wPanel: usize, depth: i32,
  start: usize, startPanel: usize, out: usize, outPanel: usize,
): void {
  let w1 = w + wPanel;
  let w2 = w1 + wPanel;
  let x: v128, four: v128;
  let sa = v128.load(start, 0);
  let sb = v128.load(start, 16);
  let sc = v128.load(start, 32);
  let sd = v128.load(start, 48);
  start += startPanel;
  let ta = v128.load(start, 0);
  let tb = v128.load(start, 16);
  let tc = v128.load(start, 32);
  let td = v128.load(start, 48);
  start += startPanel;
  let qa = v128.load(start, 0);
  let qb = v128.load(start, 16);
  let qc = v128.load(start, 32);
  let qd = v128.load(start, 48);
  let k = 0;
  for (; k + 4 <= depth; k += 4) {
    four = v128.load(a);
    x = v128.shuffle<f32>(four, four, 0, 0, 0, 0);
    sa = madd(x, v128.load(w, 0), sa);
    sb = madd(x, v128.load(w, 16), sb);
    sc = madd(x, v128.load(w, 32), sc);
    sd = madd(x, v128.load(w, 48), sd);
    ta = madd(x, v128.load(w1, 0), ta);
    tb = madd(x, v128.load(w1, 16), tb);
    tc = madd(x, v128.load(w1, 32), tc);
    td = madd(x, v128.load(w1, 48), td);
    qa = madd(x, v128.load(w2, 0), qa);
    qb = madd(x, v128.load(w2, 16), qb);
    qc = madd(x, v128.load(w2, 32), qc);
    qd = madd(x, v128.load(w2, 48), qd);
    x = v128.shuffle<f32>(four, four, 1, 1, 1, 1);
    sa = madd(x, v128.load(w, 64), sa);
    sb = madd(x, v128.load(w, 80), sb);
    sc = madd(x, v128.load(w, 96), sc);
    sd = madd(x, v128.load(w, 112), sd);
    ta = madd(x, v128.load(w1, 64), ta);
    tb = madd(x, v128.load(w1, 80), tb);
    tc = madd(x, v128.load(w1, 96), tc);
    td = madd(x, v128.load(w1, 112), td);
    qa = madd(x, v128.load(w2, 64), qa);
    qb = madd(x, v128.load(w2, 80), qb);
    qc = madd(x, v128.load(w2, 96), qc);
    qd = madd(x, v128.load(w2, 112), qd);
    x = v128.shuffle<f32>(four, four, 2, 2, 2, 2);
    sa = madd(x, v128.load(w, 128), sa);
    sb = madd(x, v128.load(w, 144), sb);
    sc = madd(x, v128.load(w, 160), sc);
    sd = madd(x, v128.load(w, 176), sd);
    ta = madd(x, v128.load(w1, 128), ta);
    tb = madd(x, v128.load(w1, 144), tb);
    tc = madd(x, v128.load(w1, 160), tc);
    td = madd(x, v128.load(w1, 176), td);
    qa = madd(x, v128.load(w2, 128), qa);
    qb = madd(x, v128.load(w2, 144), qb);
    qc = madd(x, v128.load(w2, 160), qc);
    qd = madd(x, v128.load(w2, 176), qd);
    x = v128.shuffle<f32>(four, four, 3, 3, 3, 3);
    sa = madd(x, v128.load(w, 192), sa);
    sb = madd(x, v128.load(w, 208), sb);
    sc = madd(x, v128.load(w, 224), sc);
    sd = madd(x, v128.load(w, 240), sd);
    ta = madd(x, v128.load(w1, 192), ta);
    tb = madd(x, v128.load(w1, 208), tb);
    tc = madd(x, v128.load(w1, 224), tc);
    td = madd(x, v128.load(w1, 240), td);
    qa = madd(x, v128.load(w2, 192), qa);
    qb = madd(x, v128.load(w2, 208), qb);
    qc = madd(x, v128.load(w2, 224), qc);
    qd = madd(x, v128.load(w2, 240), qd);
    a += 16;
    w += 256;
    w1 += 256;
    w2 += 256;
  }
  for (; k < depth; k++) {
    x = v128.load32_splat(a);
    sa = madd(x, v128.load(w, 0), sa);
    sb = madd(x, v128.load(w, 16), sb);
    sc = madd(x, v128.load(w, 32), sc);
    sd = madd(x, v128.load(w, 48), sd);
    ta = madd(x, v128.load(w1, 0), ta);
    tb = madd(x, v128.load(w1, 16), tb);
    tc = madd(x, v128.load(w1, 32), tc);
    td = madd(x, v128.load(w1, 48), td);
    qa = madd(x, v128.load(w2, 0), qa);
    qb = madd(x, v128.load(w2, 16), qb);
    qc = madd(x, v128.load(w2, 32), qc);
    qd = madd(x, v128.load(w2, 48), qd);
    a += 4;
    w += 64;
    w1 += 64;
    w2 += 64;
  }
  v128.store(out, sa, 0);
  v128.store(out, sb, 16);
  v128.store(out, sc, 32);
  v128.store(out, sd, 48);
  out += outPanel;
  v128.store(out, ta, 0);
  v128.store(out, tb, 16);
  v128.store(out, tc, 32);
  v128.store(out, td, 48);
  out += outPanel;
  v128.store(out, qa, 0);
  v128.store(out, qb, 16);
  v128.store(out, qc, 32);
  v128.store(out, qd, 48);
}
