// A grid as an HTML table that Jupyter's front ends style themselves, light or dark. Sanitizers of
// untrusted notebooks keep what is used here: simple inline styles, title, scope and <details>.

import { cellColor, NOT_FINITE, partColor } from "./cell_color.ts";
import { escapeHtml } from "./html.ts";
import type { Cell, Grid, Row } from "./table_grid.ts";

/** More cells than that, and each would say too little for what its hover text costs. */
const MOST_HOVERS = 400;

/** Characters of a text that stays on one line, as a number does. */
const SHORT = 16;
/** A text longer than that has a column of its own width, however narrow the page. */
const LONG = 40;
const LEAST_WIDTH = "14em";

/**
 * Writes the grid as `<table class="dataframe">`, every text escaped.
 *
 * @param grid what is shown
 * @param more the same with more rows and columns, to be opened
 */
export function tableHtml(grid: Grid, more?: Grid): string {
  const table = gridHtml(grid);
  if (more === undefined) return table;
  const summary = more.note === "" ? "Show all" : `Show more ${more.note}`;
  return `${table}\n<details>\n<summary>${escapeHtml(summary)}</summary>\n` +
    `${gridHtml({ ...more, note: "" })}\n</details>`;
}

function gridHtml(grid: Grid): string {
  const rows = grid.blocks.flatMap((block) => block.rows);
  const rowLabelled = rows.some((row) => row.label !== undefined);
  const width = Math.max(
    grid.columns.length,
    ...grid.blocks.map((block) => block.rows[0]?.cells.length ?? 0),
  ) + (rowLabelled ? 1 : 0);
  const limit = limitOf(grid, rows);
  const hovers = rows.length * width <= MOST_HOVERS;
  return [
    `<table class="dataframe" style="font-variant-numeric:tabular-nums">`,
    captionHtml(grid),
    headHtml(grid, rowLabelled),
    ...grid.blocks.map((block) =>
      [
        "<tbody>",
        block.label === undefined
          ? ""
          : `<tr><th scope="rowgroup" colspan="${width}" style="text-align:left">` +
            `${escapeHtml(block.label)}</th></tr>`,
        ...block.rows.map((row) => rowHtml(row, rowLabelled, limit, hovers)),
        "</tbody>",
      ].filter((line) => line !== "").join("\n")
    ),
    "</table>",
  ].filter((line) => line !== "").join("\n");
}

/** Where no limit is set, the largest magnitude shown has the strongest colour. */
function limitOf(grid: Grid, rows: readonly Row[]): number | undefined {
  if (grid.limit !== 0) return grid.limit;
  let limit = 0;
  for (const row of rows) {
    for (const { value, isPart } of row.cells) {
      if (value === undefined || isPart || !Number.isFinite(value)) continue;
      limit = Math.max(limit, Math.abs(value));
    }
  }
  return limit === 0 ? 1 : limit;
}

function captionHtml({ caption, note, summary = "" }: Grid): string {
  const lines = [
    caption === "" ? "" : `<strong>${escapeHtml(caption)}</strong>`,
    ...[summary, note].map((line) => line === "" ? "" : `<small>${escapeHtml(line)}</small>`),
  ].filter((line) => line !== "");
  if (lines.length === 0) return "";
  return `<caption style="caption-side:top;text-align:left;color:inherit;white-space:nowrap">` +
    `${lines.join("<br>")}</caption>`;
}

function headHtml(grid: Grid, rowLabelled: boolean): string {
  if (grid.columns.length === 0) return "";
  const cells = grid.blocks.find((block) => block.rows.length > 0)?.rows[0]?.cells;
  const labels = grid.columns.map((label, index) =>
    `<th scope="col" style="text-align:${align(cells?.[index])}">${escapeHtml(label)}</th>`
  );
  const corner = !rowLabelled
    ? ""
    : grid.corner
    ? `<td style="text-align:left;white-space:nowrap"><em>${escapeHtml(grid.corner)}</em></td>`
    : "<td></td>";
  return `<thead>\n<tr>${corner}${labels.join("")}</tr>\n</thead>`;
}

function rowHtml(
  { label, cells }: Row,
  rowLabelled: boolean,
  limit: number | undefined,
  hovers: boolean,
): string {
  const head = rowLabelled
    ? `<th scope="row" style="text-align:left">${escapeHtml(label ?? "")}</th>`
    : "";
  return `<tr>${head}${cells.map((cell) => cellHtml(cell, limit, hovers)).join("")}</tr>`;
}

function cellHtml(cell: Cell, limit: number | undefined, hovers: boolean): string {
  const { hover, text } = cell;
  const style = styleOf(cell, limit);
  const room = text.length > LONG
    ? `;min-width:${LEAST_WIDTH}`
    : text.length <= SHORT && /.[-\s]/.test(text)
    ? ";white-space:nowrap"
    : "";
  const title = hovers && hover !== undefined ? ` title="${escapeHtml(hover)}"` : "";
  return `<td style="text-align:${align(cell)}${style}${room}"${title}>${escapeHtml(text)}</td>`;
}

function styleOf({ value, isPart }: Cell, limit: number | undefined): string {
  if (value === undefined) return "";
  if (!Number.isFinite(value)) return NOT_FINITE;
  return limit === undefined ? "" : isPart ? partColor(value) : cellColor(value, limit);
}

function align(cell: Cell | undefined): string {
  return cell?.numeric === false ? "left" : "right";
}
