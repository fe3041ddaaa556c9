// Columns of numbers and texts as a table's grid.

import { kindOf } from "../base/kind.ts";
import { isArrayLike, isNumberArray } from "./array.ts";
import { labeller, type Labels } from "./labels.ts";
import { formatNumber, formatNumbers } from "./number.ts";
import {
  type Cell,
  countShown,
  GAP,
  GAP_CELL,
  type Grid,
  type Limits,
  shownIndices,
} from "./table_grid.ts";

/** A column of records: its label and its values. */
export interface Column {
  readonly label: string;
  readonly values: ArrayLike<unknown>;
  readonly digits: number | undefined;
}

/** The grid of columns of equal length. */
export function gridOfColumns(
  columns: readonly Column[],
  rowCount: number,
  rowLabels: Labels | undefined,
  limits: Limits,
  caption: string,
): Grid {
  const rowLabel = rowLabels === undefined
    ? () => undefined
    : labeller(rowLabels, rowCount, "rows");
  const rows = shownIndices(rowCount, limits.maxRows);
  const shownColumns = shownIndices(columns.length, limits.maxColumns)
    .map((index) => index === undefined ? undefined : columns[index]);
  const cells = shownColumns.map((column) =>
    column === undefined ? rows.map(() => GAP_CELL) : cellsOfColumn(column, rows)
  );
  const cut = rows.includes(undefined) || shownColumns.includes(undefined);
  const shown = [rows, shownColumns].map(countShown);
  return {
    caption,
    note: cut ? `${GAP} ${rowCount} × ${columns.length}, ${shown.join(" × ")} shown` : "",
    columns: shownColumns.map((column) => column?.label ?? GAP),
    blocks: [{
      label: undefined,
      rows: rows.map((row, position) => ({
        label: row === undefined ? (rowLabels === undefined ? undefined : GAP) : rowLabel(row),
        cells: cells.map((column) => column[position] ?? GAP_CELL),
      })),
    }],
  };
}

function cellsOfColumn(column: Column, rows: readonly (number | undefined)[]): Cell[] {
  const digits = column.digits === undefined ? {} : { digits: column.digits };
  const style = { float32: column.values instanceof Float32Array, ...digits };
  const values = rows.map((row) => row === undefined ? undefined : column.values[row]);
  const numbers = values.filter((value) => typeof value === "number");
  const texts = formatNumbers(numbers, style).values();
  const numeric = values.every((value) =>
    value === undefined || value === null || typeof value === "number" || typeof value === "bigint"
  );
  return values.map((value, position) => {
    if (rows[position] === undefined) return { text: GAP, numeric };
    if (typeof value === "number") return { text: texts.next().value ?? "", numeric };
    return { text: cellText(value, column, rows[position]), numeric };
  });
}

function cellText(value: unknown, column: Column, row: number): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "bigint") {
    return String(value);
  }
  if (isArrayLike(value) && !isNumberArray(value)) {
    const items = Array.from(value);
    if (items.every((item) => typeof item === "number" || typeof item === "string")) {
      return `[${
        items.map((item) => typeof item === "number" ? formatNumber(item) : item).join(", ")
      }]`;
    }
  }
  throw new TypeError(
    "Cannot show a table: each cell must be a number or a text, " +
      `but row ${row} of ${column.label} is ${kindOf(value)}`,
  );
}
