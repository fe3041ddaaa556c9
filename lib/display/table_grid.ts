// The grid of texts that both the HTML and the plain table are written from.

/** A cell: its text, and whether it stands right, as numbers do. */
export interface Cell {
  readonly text: string;
  readonly numeric: boolean;
  /** What colours it, where it is coloured. */
  readonly value?: number;
  /** Whether the value is a part, 0 to 1, as a gate's. */
  readonly isPart?: boolean;
  /** What it says when it is pointed at. */
  readonly hover?: string;
}

/** A row, with its label where the rows are labelled. */
export interface Row {
  readonly label: string | undefined;
  readonly cells: readonly Cell[];
}

/** What a table shows; where something is left out, a row or column of `…` stands for it. */
export interface Grid {
  readonly caption: string;
  /** The names of the last two axes, in the corner: `timestep ↓ unit →`; empty where unnamed. */
  readonly corner?: string;
  /** The strongest colour's magnitude, 0 for the largest shown; undefined for no colours. */
  readonly limit?: number | undefined;
  /** What matters of the values; empty where nothing is said. */
  readonly summary?: string;
  /** What is left out: `… 16 × 256, 12 × 12 shown`; empty where nothing is. */
  readonly note: string;
  /** One label a column; none where columns are not labelled. */
  readonly columns: readonly string[];
  /** The matrices below each other: one, or one for each index before the last two axes. */
  readonly blocks: readonly { readonly label: string | undefined; readonly rows: readonly Row[] }[];
}

/** How much of a table is shown. */
export interface Limits {
  readonly maxRows: number;
  readonly maxColumns: number;
  readonly maxBlocks: number;
}

/** Stands for what is left out. */
export const GAP = "…";
/** A cell in a row or column that is left out. */
export const GAP_CELL: Cell = { text: GAP, numeric: true };

/** The indices that are shown, from both ends; `undefined` stands for those left out between. */
export function shownIndices(length: number, limit: number): (number | undefined)[] {
  if (length <= limit) return Array.from({ length }, (_, index) => index);
  const head = Math.ceil(limit / 2);
  const tail = limit - head;
  return [
    ...Array.from({ length: head }, (_, index) => index),
    undefined,
    ...Array.from({ length: tail }, (_, index) => length - tail + index),
  ];
}

/** How many of an axis are shown. */
export function countShown(axis: readonly unknown[]): number {
  return axis.filter((item) => item !== undefined).length;
}
