// out = start + a·w for any number of rows and panels.

import { row2, row3 } from "./rows";
import { LINE, tile1, tile2, tile3, tile4, tile6 } from "./tiles";

/** How deep a panel may be to stay in the fastest cache beside the rows: 256 · 64 bytes. */
const DEPTH: i32 = 256;
const HALF: usize = LINE / 2;

/**
 * Where JavaScript put the wide module's functions in the table (../wide_code.ts), panels 64 deep, 32
 * deep, and what comes before the first panel, once they have shown to be faster; 0: nowhere.
 */
export let wide: i32 = 0;
/** How many rows and how deep the wide tiles are, the shallower ones. */
const WIDE_ROWS: i32 = 6;
const WIDE_DEPTH: i32 = 32;
/** How many rows go together: 64 deep they stay near, and a panel is copied for as many as there are. */
const WIDE_CHUNK: i32 = 144;

/** 7 is 4 + 3, 8 is 4 + 4, 5 is 3 + 2: fewer than three rows do not fill the machine. */
// @ts-ignore: decorator
@inline
function rowsTogether(left: i32): i32 {
  if (left == 6 || left > 8) return 6;
  if (left >= 7 || left == 4) return 4;
  return min(left, 3);
}

/** Rows × one panel, at most DEPTH deep. */
function panelRows(
  a: usize, aRow: usize, rows: i32, w: usize, depth: i32,
  start: usize, startRow: usize, out: usize, outRow: usize,
): void {
  let left = rows;
  while (left > 0) {
    const take = rowsTogether(left);
    if (take == 6) {
      tile6(a, aRow, w, depth, start, startRow, out, outRow);
      tile6(a, aRow, w + HALF, depth, start + HALF, startRow, out + HALF, outRow);
    } else if (take == 4) {
      tile4(a, aRow, w, depth, start, startRow, out, outRow);
      tile4(a, aRow, w + HALF, depth, start + HALF, startRow, out + HALF, outRow);
    } else if (take == 3) {
      tile3(a, aRow, w, depth, start, startRow, out, outRow);
      tile3(a, aRow, w + HALF, depth, start + HALF, startRow, out + HALF, outRow);
    } else if (take == 2) {
      tile2(a, aRow, w, depth, start, startRow, out, outRow);
    } else {
      tile1(a, aRow, w, depth, start, startRow, out, outRow);
    }
    a += aRow * take;
    start += startRow * take;
    out += outRow * take;
    left -= take;
  }
}

/**
 * out = start + a·w: `rows` of `a`, `depth` deep, by `panels` of w.
 *
 * With `descending`, panels are taken from the last to the first. Steps that take turns find the
 * weights that the step before used last still in the cache; always ascending, a cache a little
 * smaller than the weights would never hold what comes next.
 */
export function gemm(
  a: usize, aRow: usize, rows: i32, depth: i32, w: usize, panels: i32,
  start: usize, startRow: usize, startPanel: usize,
  out: usize, outRow: usize, outPanel: usize, descending: bool = false,
): void {
  let wPanel = <usize>depth * LINE;
  if (descending) {
    const last = <usize>(panels - 1);
    w += last * wPanel;
    start += last * startPanel;
    out += last * outPanel;
    wPanel = 0 - wPanel;
    startPanel = 0 - startPanel;
    outPanel = 0 - outPanel;
  }
  if (wide && rows >= WIDE_ROWS && depth >= WIDE_DEPTH) {
    for (let left = rows; left > 0; left -= WIDE_CHUNK) {
      const count = min(WIDE_CHUNK, left);
      widePanels(
        a, aRow, count, depth, w, wPanel, panels,
        start, startRow, startPanel, out, outRow, outPanel,
      );
      a += <usize>count * aRow;
      start += <usize>count * startRow;
      out += <usize>count * outRow;
    }
    return;
  }
  if (rows == 1) {
    let left = panels;
    for (; left >= 5 || left == 3; left -= 3) { // 4 is 2 + 2
      row3(a, w, wPanel, depth, start, startPanel, out, outPanel);
      w += 3 * wPanel;
      start += 3 * startPanel;
      out += 3 * outPanel;
    }
    for (; left >= 2; left -= 2) {
      row2(a, w, wPanel, depth, start, startPanel, out, outPanel);
      w += 2 * wPanel;
      start += 2 * startPanel;
      out += 2 * outPanel;
    }
    if (left > 0) tile1(a, 0, w, depth, start, 0, out, 0);
    return;
  }
  for (let k = 0; k < depth; k += DEPTH) {
    const block = min(DEPTH, depth - k);
    let wBlock = w + <usize>k * LINE;
    let from = start;
    let to = out;
    for (let p = 0; p < panels; p++) {
      panelRows(a + <usize>k * 4, aRow, rows, wBlock, block, from, startRow, to, outRow);
      wBlock += wPanel;
      from += startPanel;
      to += outPanel;
    }
    start = out;
    startRow = outRow;
    startPanel = outPanel;
  }
}

/**
 * Rows × panels: all panels of as much depth as a wide tile has, then of the next depth, so that these
 * columns of `a` stay in the fastest cache.
 */
function widePanels(
  a: usize, aRow: usize, rows: i32, depth: i32, w: usize, wPanel: usize, panels: i32,
  start: usize, startRow: usize, startPanel: usize,
  out: usize, outRow: usize, outPanel: usize,
): void {
  for (let left = depth; left > 0;) {
    const take = min(left >= 64 ? 64 : WIDE_DEPTH, left);
    let block = w;
    let from = start;
    let to = out;
    if (take >= WIDE_DEPTH) call_indirect<void>(wide + 2, from, startRow, min(rows, WIDE_ROWS) - 1);
    for (let p = 1; p <= panels; p++) {
      const after = p < panels ? from + startPanel : from;
      if (take < WIDE_DEPTH) panelRows(a, aRow, rows, block, take, from, startRow, to, outRow);
      else {
        call_indirect<void>(
          take == 64 ? wide : wide + 1,
          a, aRow, rows, block, from, startRow, after, to, outRow,
        );
      }
      block += wPanel;
      from = after;
      to += outPanel;
    }
    a += <usize>take * 4;
    w += <usize>take * LINE;
    start = out;
    startRow = outRow;
    startPanel = outPanel;
    left -= take;
  }
}

/** Small products of zeros, for timing either tile: `zeros` has 8 KB. */
export function trial(products: i32, zeros: usize): void {
  for (let k = 0; k < products; k++) {
    gemm(zeros, 0, WIDE_CHUNK, 96, zeros, 1, zeros, 0, 0, zeros + 6144, 0, 0);
  }
}
