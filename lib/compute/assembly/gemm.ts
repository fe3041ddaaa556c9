// out = start + a·w for any number of rows and panels.

import { LINE, tile1, tile2, tile3, tile4, tile6 } from "./tiles";
import { pair1 } from "./pair";

/** How deep a panel may be to stay in the fastest cache beside the rows: 256 · 64 bytes. */
const DEPTH: i32 = 256;
const HALF: usize = LINE / 2;

/** Rows × one panel, at most DEPTH deep. */
function panelRows(
  a: usize, aRow: usize, rows: i32, w: usize, depth: i32,
  start: usize, startRow: usize, out: usize, outRow: usize,
): void {
  let left = rows;
  while (left > 0) {
    // 7 is 4 + 3, 8 is 4 + 4: fewer than three rows do not fill the machine
    const take = left == 6 || left > 8 ? 6 : left >= 7 || left == 4 ? 4 : left == 5 || left == 3 ? 3 : left;
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

export function gemm(
  a: usize, aRow: usize, rows: i32, depth: i32, w: usize, panels: i32,
  start: usize, startRow: usize, startPanel: usize,
  out: usize, outRow: usize, outPanel: usize,
): void {
  const wPanel = <usize>depth * LINE;
  if (rows == 1) {
    let p = 0;
    for (; p + 2 <= panels; p += 2) {
      pair1(a, w, wPanel, depth, start, startPanel, out, outPanel);
      w += 2 * wPanel;
      start += 2 * startPanel;
      out += 2 * outPanel;
    }
    if (p < panels) tile1(a, 0, w, depth, start, 0, out, 0);
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
