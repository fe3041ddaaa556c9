// The module of the wide tiles: one panel for many rows. It is compiled by itself, not optimised (the
// optimizer moves loads between those that belong together), and works in the memory of the others.

import { LINE } from "./tiles";
import { FROM, PANEL, SCRATCH, TO, wide32, wide64 } from "./wide_tiles";

/** out = start + a·w: rows × one panel, `depth` a multiple of 32. */
export function panel(
  a: usize, aRow: usize, rows: i32, w: usize, depth: i32,
  start: usize, startRow: usize, out: usize, outRow: usize,
): void {
  let left = depth;
  while (left > 0) {
    const take = left >= 64 ? 64 : 32;
    const bytes = <usize>take * LINE;
    memory.copy(SCRATCH + PANEL, w, bytes);
    copyRows(start, startRow, SCRATCH + FROM, LINE, min(rows, 6));
    let from = a;
    let next = start;
    let to = out;
    for (let n = rows; n > 0; n -= 6) {
      const count = min(n, 6);
      const nextLast = max(min(n - 6, 6) - 1, 0);
      if (n > 6) next += 6 * startRow;
      if (take == 64) wide64(from, aRow, count - 1, next, startRow, nextLast);
      else wide32(from, aRow, count - 1, next, startRow, nextLast);
      copyRows(SCRATCH + TO, LINE, to, outRow, count);
      from += 6 * aRow;
      to += 6 * outRow;
    }
    start = out;
    startRow = outRow;
    a += <usize>take * 4;
    w += bytes;
    left -= take;
  }
}

function copyRows(from: usize, fromRow: usize, to: usize, toRow: usize, rows: i32): void {
  for (let r = 0; r < rows; r++) {
    v128.store(to, v128.load(from, 0), 0);
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(from, 32), 32);
    v128.store(to, v128.load(from, 48), 48);
    from += fromRow;
    to += toRow;
  }
}
