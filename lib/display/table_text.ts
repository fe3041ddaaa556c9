// A grid as aligned plain text, for terminals and wherever HTML is not shown.

import { visibleLine } from "../base/visible.ts";
import type { Grid } from "./table_grid.ts";

/** Writes the grid as lines of text, columns two spaces apart. */
export function tableText(grid: Grid): string {
  const rows = grid.blocks.flatMap((block) => block.rows);
  const rowLabelled = rows.some((row) => row.label !== undefined);
  const corner = rowLabelled ? grid.corner ?? "" : "";
  const labelWidth = widest([corner, ...rows.map((row) => row.label ?? "")]);
  const columnCount = Math.max(grid.columns.length, rows[0]?.cells.length ?? 0);
  const columns = Array.from({ length: columnCount }, (_, index) => ({
    width: widest([grid.columns[index] ?? "", ...rows.map((row) => row.cells[index]?.text ?? "")]),
    numeric: rows[0]?.cells[index]?.numeric ?? true,
  }));
  const line = (label: string, texts: readonly string[]): string =>
    [
      ...(rowLabelled ? [pad(label, labelWidth, false)] : []),
      ...columns.map(({ width, numeric }, index) => pad(texts[index] ?? "", width, numeric)),
    ].join("  ").trimEnd();

  const lines: string[] = [];
  if (grid.caption !== "") lines.push(visibleLine(grid.caption));
  if (grid.summary) lines.push(visibleLine(grid.summary));
  if (grid.note !== "") lines.push(visibleLine(grid.note));
  if (grid.columns.length > 0) lines.push(line(corner, grid.columns));
  for (const block of grid.blocks) {
    if (block.label !== undefined) lines.push(visibleLine(block.label));
    for (const row of block.rows) {
      lines.push(line(row.label ?? "", row.cells.map((cell) => cell.text)));
    }
  }
  if (rows.length === 0 || columnCount === 0) lines.push("(empty)");
  return lines.join("\n");
}

/** The width in a terminal: combining marks, such as the tilde of c̃, take none. */
function widthOf(text: string): number {
  return Array.from(visibleLine(text).replace(/\p{M}/gu, "")).length;
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, widthOf(text)), 0);
}

function pad(text: string, width: number, right: boolean): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return right ? space + visibleLine(text) : visibleLine(text) + space;
}
