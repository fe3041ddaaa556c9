// One row × two panels: 8 sums, so that each number of `a` is spread once for 32 columns. Loading is
// the limit here, so `a` comes four numbers at a time and is spread from a register.
// Written out by hand, as the tiles are.

import { madd } from "./fma";

export function pair1(
  a: usize, w: usize, wPanel: usize, depth: i32,
  start: usize, startPanel: usize, out: usize, outPanel: usize,
): void {
  const second = start + startPanel;
  let v = w + wPanel;
  let x: v128, four: v128;
  let sa = v128.load(start, 0), ta = v128.load(second, 0);
  let sb = v128.load(start, 16), tb = v128.load(second, 16);
  let sc = v128.load(start, 32), tc = v128.load(second, 32);
  let sd = v128.load(start, 48), td = v128.load(second, 48);
  let k = 0;
  for (; k + 4 <= depth; k += 4) {
    four = v128.load(a, 0);
    x = v128.shuffle<f32>(four, four, 0, 0, 0, 0);
    sa = madd(x, v128.load(w, 0), sa);
    sb = madd(x, v128.load(w, 16), sb);
    sc = madd(x, v128.load(w, 32), sc);
    sd = madd(x, v128.load(w, 48), sd);
    ta = madd(x, v128.load(v, 0), ta);
    tb = madd(x, v128.load(v, 16), tb);
    tc = madd(x, v128.load(v, 32), tc);
    td = madd(x, v128.load(v, 48), td);
    x = v128.shuffle<f32>(four, four, 1, 1, 1, 1);
    sa = madd(x, v128.load(w, 64), sa);
    sb = madd(x, v128.load(w, 80), sb);
    sc = madd(x, v128.load(w, 96), sc);
    sd = madd(x, v128.load(w, 112), sd);
    ta = madd(x, v128.load(v, 64), ta);
    tb = madd(x, v128.load(v, 80), tb);
    tc = madd(x, v128.load(v, 96), tc);
    td = madd(x, v128.load(v, 112), td);
    x = v128.shuffle<f32>(four, four, 2, 2, 2, 2);
    sa = madd(x, v128.load(w, 128), sa);
    sb = madd(x, v128.load(w, 144), sb);
    sc = madd(x, v128.load(w, 160), sc);
    sd = madd(x, v128.load(w, 176), sd);
    ta = madd(x, v128.load(v, 128), ta);
    tb = madd(x, v128.load(v, 144), tb);
    tc = madd(x, v128.load(v, 160), tc);
    td = madd(x, v128.load(v, 176), td);
    x = v128.shuffle<f32>(four, four, 3, 3, 3, 3);
    sa = madd(x, v128.load(w, 192), sa);
    sb = madd(x, v128.load(w, 208), sb);
    sc = madd(x, v128.load(w, 224), sc);
    sd = madd(x, v128.load(w, 240), sd);
    ta = madd(x, v128.load(v, 192), ta);
    tb = madd(x, v128.load(v, 208), tb);
    tc = madd(x, v128.load(v, 224), tc);
    td = madd(x, v128.load(v, 240), td);
    a += 16;
    w += 256;
    v += 256;
  }
  for (; k < depth; k++) {
    x = v128.load32_splat(a);
    sa = madd(x, v128.load(w, 0), sa);
    sb = madd(x, v128.load(w, 16), sb);
    sc = madd(x, v128.load(w, 32), sc);
    sd = madd(x, v128.load(w, 48), sd);
    ta = madd(x, v128.load(v, 0), ta);
    tb = madd(x, v128.load(v, 16), tb);
    tc = madd(x, v128.load(v, 32), tc);
    td = madd(x, v128.load(v, 48), td);
    a += 4;
    w += 64;
    v += 64;
  }
  const next = out + outPanel;
  v128.store(out, sa, 0);
  v128.store(out, sb, 16);
  v128.store(out, sc, 32);
  v128.store(out, sd, 48);
  v128.store(next, ta, 0);
  v128.store(next, tb, 16);
  v128.store(next, tc, 32);
  v128.store(next, td, 48);
}
