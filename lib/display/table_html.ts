// A grid as an HTML table that Jupyter's front ends style themselves, light or dark.

import { escapeHtml } from "./html.ts";
import type { Cell, Grid, Row } from "./table_grid.ts";

/** Writes the grid as `<table class="dataframe">`, every text escaped. */
export function tableHtml(grid: Grid): string {
  const rowLabelled = grid.blocks.some((block) =>
    block.rows.some((row) => row.label !== undefined)
  );
  const width = Math.max(
    grid.columns.length,
    ...grid.blocks.map((block) => block.rows[0]?.cells.length ?? 0),
  ) + (rowLabelled ? 1 : 0);
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
        ...block.rows.map((row) => rowHtml(row, rowLabelled)),
        "</tbody>",
      ].filter((line) => line !== "").join("\n")
    ),
    "</table>",
  ].filter((line) => line !== "").join("\n");
}

function captionHtml({ caption, note }: Grid): string {
  if (caption === "" && note === "") return "";
  const lines = [
    caption === "" ? "" : `<strong>${escapeHtml(caption)}</strong>`,
    note === "" ? "" : `<small>${escapeHtml(note)}</small>`,
  ].filter((line) => line !== "");
  return `<caption style="caption-side:top;text-align:left;color:inherit;white-space:nowrap">` +
    `${lines.join("<br>")}</caption>`;
}

function headHtml(grid: Grid, rowLabelled: boolean): string {
  if (grid.columns.length === 0) return "";
  const cells = grid.blocks.find((block) => block.rows.length > 0)?.rows[0]?.cells;
  const labels = grid.columns.map((label, index) =>
    `<th scope="col" style="text-align:${align(cells?.[index])}">${escapeHtml(label)}</th>`
  );
  return `<thead>\n<tr>${rowLabelled ? "<td></td>" : ""}${labels.join("")}</tr>\n</thead>`;
}

function rowHtml({ label, cells }: Row, rowLabelled: boolean): string {
  const head = rowLabelled
    ? `<th scope="row" style="text-align:left">${escapeHtml(label ?? "")}</th>`
    : "";
  const body = cells.map((cell) =>
    `<td style="text-align:${align(cell)}">${escapeHtml(cell.text)}</td>`
  );
  return `<tr>${head}${body.join("")}</tr>`;
}

function align(cell: Cell | undefined): string {
  return cell?.numeric === false ? "left" : "right";
}
