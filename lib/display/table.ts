// Numbers, records or columns as a table.

import { kindOf } from "../base/kind.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import {
  isArrayLike,
  isNumberArray,
  type NestedArrayLike,
  type NumberArray,
  requireNamed,
  toNumberArray,
} from "./array.ts";
import { labeller, type Labels } from "./labels.ts";
import { gridOfArray } from "./array_grid.ts";
import { type Column, gridOfColumns } from "./column_grid.ts";
import { arePartsOfOne } from "./number.ts";
import type { Grid, Limits } from "./table_grid.ts";
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
  /** The names of an array's axes, as `["sample", "timestep", "unit"]`. */
  readonly axes?: readonly string[];
  /** What the table shows, in a line above it. */
  readonly caption?: string;
  /** What matters of the values, in a smaller line below the caption. */
  readonly note?: string;
  /**
   * Whether an array's numbers are coloured: blue below zero, red above, as strong as their
   * magnitude. A number is the magnitude of the strongest colour, to compare tables. Default for an
   * array: true, with the largest magnitude shown.
   */
  readonly colors?: boolean | number;
  /**
   * Whether numbers of an array are parts, 0 to 1 as a gate's: they are green, the darker the nearer
   * 1, in every table alike. Default: whether all are from 0 to 1, and `colors` sets no magnitude.
   */
  readonly parts?: boolean | ((index: readonly number[]) => boolean);
  /** What an array's cell says when it is pointed at. Default: its labels and its number. */
  readonly hover?: (index: readonly number[], value: string) => string;
  /** A mark before a number of an array, such as `●` for a saturated gate; empty for none. */
  readonly marks?: (value: number, index: readonly number[]) => string;
  /** Significant digits of the largest number; for records also by key. Default: 5. */
  readonly digits?: number | Readonly<Record<string, number>>;
  /** How many rows are shown at most: 12 of an array, 60 of records and columns. */
  readonly maxRows?: number;
  /** How many columns are shown at most: 12 of an array, 24 of records and columns. */
  readonly maxColumns?: number;
  /** How many matrices are shown at most: 6. */
  readonly maxBlocks?: number;
}

/** Cells of a table that is cut which can be opened: some 60 kB. */
const MOST_OPENED = 1024;
const ACTION = "show a table";
const OPTIONS: KeysOf<TableOptions> = {
  rows: "optional",
  columns: "optional",
  blocks: "optional",
  axes: "optional",
  caption: "optional",
  note: "optional",
  colors: "optional",
  parts: "optional",
  hover: "optional",
  marks: "optional",
  digits: "optional",
  maxRows: "optional",
  maxColumns: "optional",
  maxBlocks: "optional",
};
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
  checkOptions(ACTION, options, OPTIONS);
  const grid = gridOf(x, options);
  const more = grid.note === "" ? undefined : largerGrid(x, options, grid);
  return new View(
    tableText(grid),
    async () => ({ "text/html": (await import("./table_html.ts")).tableHtml(grid, more) }),
  );
}

/** More of a table that is cut, to be opened below it. */
function largerGrid(x: unknown, options: TableOptions, cut: Grid): Grid | undefined {
  const side = Math.floor(Math.sqrt(MOST_OPENED));
  const columns = Math.max(side, cut.columns.length);
  const larger = gridOf(x, {
    ...options,
    caption: "",
    note: "",
    maxColumns: columns,
    maxRows: Math.floor(MOST_OPENED / Math.min(columns, Math.max(1, cut.columns.length))),
    ...(cut.blocks.length === 1 ? {} : { maxRows: side, maxColumns: side, maxBlocks: 4 }),
  });
  const shown = cellCount(larger);
  return shown > 1.3 * cellCount(cut) && shown <= 1.5 * MOST_OPENED ? larger : undefined;
}

function cellCount({ blocks }: Grid): number {
  return blocks.reduce((sum, { rows }) => sum + rows.length * (rows[0]?.cells.length ?? 0), 0);
}

function gridOf(x: unknown, options: TableOptions): Grid {
  const { rows, columns, blocks, caption = "", digits } = options;
  if (isRecords(x)) return gridOfRecords(x, options);
  if (isNumberArray(x) || isArrayLike(x)) {
    const array = toNumberArray(x, ACTION);
    if (typeof digits === "object") {
      throw new TypeError(
        "Cannot show a table: digits by key are for records and columns, " +
          `but the array is of shape [${array.shape.join(", ")}]`,
      );
    }
    const { axes, hover, marks, colors } = options;
    const { parts = typeof colors !== "number" && arePartsOfOne(array.data) } = options;
    const style = {
      ...{ rows, columns, blocks, axes, hover, marks },
      limit: colorLimit(array, options),
      isPart: typeof parts === "function" ? parts : () => parts,
    };
    const limits = limitsOf(options, ARRAY_LIMITS);
    const grid = gridOfArray(array, style, limits, String(caption), checkedDigits(digits));
    return withNote(grid, options.note);
  }
  if (typeof x === "object" && x !== null) return gridOfNamedColumns(x, options);
  throw new TypeError(
    "Cannot show a table: it needs an array, records or columns, " +
      `but the value is ${kindOf(x)}`,
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
        "Cannot show a table: all its rows must be records, " +
          `but row ${row} is ${isNumberArray(record) ? "a tensor" : kindOf(record)}`,
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
  const keys = requireNamed(x, ACTION);
  const values = Object.entries(x).map(([key, column]: [string, unknown]) => {
    if (isNumberArray(column) && column.shape.length === 1) {
      return toNumberArray(column, ACTION).data;
    }
    if (isArrayLike(column)) return column;
    throw new TypeError(
      "Cannot show a table: each column must be an array of one axis, " +
        `but column ${key} is ${
          isNumberArray(column) ? `of shape [${column.shape.join(", ")}]` : kindOf(column)
        }`,
    );
  });
  const lengths = new Set(values.map((column) => column.length));
  if (lengths.size > 1) {
    throw new TypeError(
      "Cannot show a table: its columns must have one length, but the lengths are " +
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
  const grid = gridOfColumns(
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
  return withNote(grid, options.note);
}

function withNote(grid: Grid, note = ""): Grid {
  return { ...grid, summary: String(note) };
}

/** The magnitude of the strongest colour; undefined where nothing is coloured. */
function colorLimit({ data }: NumberArray, { colors = true }: TableOptions): number | undefined {
  if (colors === false || data.length < 2) return undefined;
  if (typeof colors === "number" && !(colors > 0 && colors < Infinity)) {
    throw new RangeError(
      `Cannot show a table: the colours' limit must be above 0, but colors is ${colors}`,
    );
  }
  return colors === true ? 0 : colors; // 0: the largest magnitude shown
}

function limitsOf(options: TableOptions, defaults: Limits): Limits {
  const limit = (name: keyof Limits): number => {
    const value = options[name] ?? defaults[name];
    if (value === Infinity || Number.isInteger(value) && value >= 1) return value;
    throw new RangeError(
      `Cannot show a table: ${name} must be 1 or more, but ${name} is ${value}`,
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
    `Cannot show a table: digits must be between 1 and 17, but digits is ${digits}`,
  );
}
