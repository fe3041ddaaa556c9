// Numbers, records or columns as a table.

import {
  isArrayLike,
  isNumberArray,
  kindOf,
  type NestedArrayLike,
  type NumberArray,
  toNumberArray,
} from "./array.ts";
import { labeller, type Labels } from "./labels.ts";
import { gridOfArray } from "./array_grid.ts";
import { type Column, gridOfColumns } from "./column_grid.ts";
import type { Grid, Limits } from "./table_grid.ts";
import { tableHtml } from "./table_html.ts";
import { tableText } from "./table_text.ts";
import { View } from "./view.ts";

/** A value in a table of records: a number, a text, or a short list such as a shape. */
export type TableCell =
  | number
  | string
  | boolean
  | bigint
  | null
  | undefined
  | ArrayLike<number | string>;

/** A row of a table: a value for each of the columns that its keys name. */
export type TableRecord = Readonly<Record<string, TableCell>>;

/** Columns of equal length by name. */
export type TableColumns = Readonly<Record<string, NumberArray | ArrayLike<TableCell>>>;

/** What a table is made of. */
export type TableInput = NumberArray | NestedArrayLike | readonly object[] | TableColumns;

/** How a table is labelled, and how much of it is shown. */
export interface TableOptions {
  /** Labels of the rows: listed, by a function, or a prefix (`"i"` gives `i[0]`, `i[1]`, …). */
  readonly rows?: Labels;
  /** Labels of the columns, in the same ways; of records, they stand for the keys. */
  readonly columns?: Labels;
  /** Labels of the matrices that an array of three and more axes is shown as. */
  readonly blocks?: Labels;
  /** What the table shows, in a line above it. */
  readonly caption?: string;
  /** Significant digits of the largest number, 5 unless said; for records also by key. */
  readonly digits?: number | Readonly<Record<string, number>>;
  /** How many rows are shown at most: 12 of an array, 60 of records and columns. */
  readonly maxRows?: number;
  /** How many columns are shown at most: 12 of an array, 24 of records and columns. */
  readonly maxColumns?: number;
  /** How many matrices are shown at most: 6. */
  readonly maxBlocks?: number;
}

const ACTION = "show a table";
const ARRAY_LIMITS: Limits = { maxRows: 12, maxColumns: 12, maxBlocks: 6 };
const RECORD_LIMITS: Limits = { maxRows: 60, maxColumns: 24, maxBlocks: 1 };

/**
 * Shows numbers, records or columns as a table.
 *
 * An array's last two axes are rows and columns; further axes before them become matrices below
 * each other. An array of one axis lies as a row, and stands as a column where only `rows` are
 * labelled. What is longer than `maxRows` and `maxColumns` is cut in the middle, with its size said.
 *
 * @param x an array of any shape (a Tensor, or nested numbers), records of one row each, or columns
 * of equal length by name
 * @param options labels, caption, digits and limits
 * @returns the table, as HTML in a notebook and as aligned text in a terminal
 * @throws {TypeError} If `x` is none of these, is ragged, or has more or fewer rows, columns or
 * blocks than labels are listed for.
 * @throws {RangeError} If a limit or the digits are out of range.
 *
 * @example The gates of one step
 * ```ts
 * import { table } from "@gatescope/lstm";
 *
 * table([[0.5, 0.25], [0.75, 1]], { rows: ["i", "f"], columns: "unit", caption: "first step" });
 * ```
 *
 * @example Records
 * ```ts
 * import { table } from "@gatescope/lstm";
 *
 * table([
 *   { weights: "kernel", shape: [2, 32], parameters: 64 },
 *   { weights: "bias", shape: [32], parameters: 32 },
 * ]);
 * ```
 */
export function table(x: TableInput, options: TableOptions = {}): View {
  const grid = gridOf(x, options);
  return new View(tableText(grid), () => ({ "text/html": tableHtml(grid) }));
}

function gridOf(x: unknown, options: TableOptions): Grid {
  const { rows, columns, blocks, caption = "", digits } = options;
  if (isRecords(x)) return gridOfRecords(x, options);
  if (isNumberArray(x) || isArrayLike(x)) {
    const array = toNumberArray(x, ACTION);
    if (typeof digits === "object") {
      throw new TypeError(
        "Cannot show a table as digits by key are for records and columns: " +
          `current value is an array of shape [${array.shape.join(", ")}]`,
      );
    }
    const labels = { rows, columns, blocks };
    const limits = limitsOf(options, ARRAY_LIMITS);
    return gridOfArray(array, labels, limits, String(caption), checkedDigits(digits));
  }
  if (typeof x === "object" && x !== null) return gridOfNamedColumns(x, options);
  throw new TypeError(
    "Cannot show a table as it needs an array, records or columns: " +
      `current value is ${kindOf(x)}`,
  );
}

function isRecords(x: unknown): x is readonly object[] {
  return Array.isArray(x) && x.length > 0 &&
    x.some((item) => typeof item === "object" && item !== null && !isArrayLike(item));
}

function gridOfRecords(records: readonly object[], options: TableOptions): Grid {
  records.forEach((record: unknown, row) => {
    if (
      typeof record !== "object" || record === null || isArrayLike(record) || isNumberArray(record)
    ) {
      throw new TypeError(
        "Cannot show a table as all its rows must be records: " +
          `row ${row} is ${isNumberArray(record) ? "a tensor" : kindOf(record)}`,
      );
    }
  });
  const keys = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const values = keys.map((key) =>
    records.map((record) => (record as Record<string, unknown>)[key])
  );
  return gridOfKeys(keys, values, records.length, options);
}

function gridOfNamedColumns(x: object, options: TableOptions): Grid {
  const keys = Object.keys(x);
  const values = Object.entries(x).map(([key, column]: [string, unknown]) => {
    if (isNumberArray(column) && column.shape.length === 1) {
      return toNumberArray(column, ACTION).data;
    }
    if (isArrayLike(column)) return column;
    throw new TypeError(
      "Cannot show a table as each column must be an array of one axis: " +
        `column ${key} is ${
          isNumberArray(column) ? `of shape [${column.shape.join(", ")}]` : kindOf(column)
        }`,
    );
  });
  const lengths = new Set(values.map((column) => column.length));
  if (lengths.size > 1) {
    throw new TypeError(
      "Cannot show a table as its columns must have one length: current lengths are " +
        keys.map((key, index) => `${key} ${values[index]?.length}`).join(", "),
    );
  }
  return gridOfKeys(keys, values, values[0]?.length ?? 0, options);
}

function gridOfKeys(
  keys: readonly string[],
  values: readonly ArrayLike<unknown>[],
  rowCount: number,
  options: TableOptions,
): Grid {
  const { rows, columns, caption = "", digits } = options;
  const label = columns === undefined
    ? (index: number) => keys[index] ?? ""
    : labeller(columns, keys.length, "columns");
  return gridOfColumns(
    keys.map((key, index): Column => ({
      label: label(index),
      values: values[index] ?? [],
      digits: checkedDigits(typeof digits === "object" ? digits[key] : digits),
    })),
    rowCount,
    rows,
    limitsOf(options, RECORD_LIMITS),
    String(caption),
  );
}

function limitsOf(options: TableOptions, defaults: Limits): Limits {
  const limit = (name: keyof Limits): number => {
    const value = options[name] ?? defaults[name];
    if (value === Infinity || Number.isInteger(value) && value >= 1) return value;
    throw new RangeError(
      `Cannot show a table as ${name} must be 1 or more: current ${name} is ${value}`,
    );
  };
  return {
    maxRows: limit("maxRows"),
    maxColumns: limit("maxColumns"),
    maxBlocks: limit("maxBlocks"),
  };
}

function checkedDigits(digits: number | undefined): number | undefined {
  if (digits === undefined || Number.isInteger(digits) && digits >= 1 && digits <= 17) {
    return digits;
  }
  throw new RangeError(
    `Cannot show a table as digits must be between 1 and 17: current digits are ${digits}`,
  );
}
