// An array as a table's grid: the last two axes as a matrix, the others as blocks.

import type { NumberArray } from "./array.ts";
import { labeller, type Labels } from "./labels.ts";
import { formatNumbers } from "./number.ts";
import {
  type Cell,
  countShown,
  GAP,
  GAP_CELL,
  type Grid,
  type Limits,
  shownIndices,
} from "./table_grid.ts";

/** How an array's axes are labelled and its cells shown. */
export interface ArrayStyle {
  /** The names of the axes. */
  readonly axes: readonly string[] | undefined;
  /** The magnitude of the strongest colour; undefined for no colours. */
  readonly limit: number | undefined;
  /** Whether a number is a part, 0 to 1. */
  readonly isPart: (index: readonly number[]) => boolean;
  /** What a cell says when it is pointed at; undefined for its labels and its value. */
  readonly hover: ((index: readonly number[], value: string) => string) | undefined;
  /** Stands before a number. */
  readonly marks: ((value: number, index: readonly number[]) => string) | undefined;

  readonly rows: Labels | undefined;
  readonly columns: Labels | undefined;
  readonly blocks: Labels | undefined;
}

/** The grid of an array: the last two axes as a matrix, the others as blocks. */
export function gridOfArray(
  array: NumberArray,
  style: ArrayStyle,
  limits: Limits,
  caption: string,
  digits: number | undefined,
): Grid {
  const { data, shape } = array;
  const labels = withAxes(style, shape);
  const standing = shape.length === 1 && labels.rows !== undefined && labels.columns === undefined;
  const [rowCount, columnCount] = standing
    ? [shape[0] ?? 0, 1]
    : [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const outer = shape.slice(0, -2);
  const blockCount = outer.reduce((product, length) => product * length, 1);

  const rowLabel = shape.length >= 2 || labels.rows !== undefined
    ? labeller(labels.rows ?? "", rowCount, "rows")
    : () => undefined;
  const columnLabel = labeller(labels.columns ?? "", columnCount, "columns");
  const blockLabel = blockLabeller(labels.blocks, outer, blockCount, style.axes);

  const blocks = shownIndices(blockCount, limits.maxBlocks);
  const rows = shownIndices(rowCount, limits.maxRows);
  const columns = shownIndices(columnCount, limits.maxColumns);
  const shown: number[] = [];
  const given = (index: number | undefined): index is number => index !== undefined;
  for (const block of blocks.filter(given)) {
    for (const row of rows.filter(given)) {
      for (const column of columns.filter(given)) {
        shown.push(data[(block * rowCount + row) * columnCount + column] ?? NaN);
      }
    }
  }
  const texts = formatNumbers(shown, {
    float32: data instanceof Float32Array,
    ...(digits === undefined ? {} : { digits }),
  }).values();
  // The cells are asked for in the order in which the numbers were collected.
  let next = 0;
  const nextCell = (block: number, row: number, column: number): Cell => {
    const [value, text] = [shown[next++] ?? NaN, texts.next().value ?? ""];
    const inner = shape.length === 0
      ? []
      : shape.length === 1
      ? [standing ? row : column]
      : [row, column];
    const index = [...leadingIndex(block, outer), ...inner];
    const mark = style.marks?.(value, index) ?? "";
    const places = [shape.length > 2 ? blockLabel(block) : undefined, rowLabel(row)]
      .concat(labelled ? columnLabel(column) : undefined).filter((label) => label);
    return {
      text: mark === "" ? text : `${mark} ${text}`,
      numeric: true,
      value,
      isPart: style.isPart(index),
      hover: style.hover?.(index, text) ?? `${places.join(", ")} = ${text}`.replace(/^ = /, ""),
    };
  };

  const labelled = labels.columns !== undefined || shape.length >= 2 ||
    shape.length === 1 && !standing;
  const gapRow = { label: GAP, cells: columns.map(() => GAP_CELL) };
  return {
    caption,
    corner: cornerOf(style.axes, shape),
    limit: style.limit,
    note: noteOfArray(shape, blocks, rows, columns, blockCount),
    columns: labelled
      ? columns.map((column) => column === undefined ? GAP : columnLabel(column))
      : [],
    blocks: blocks.map((block) =>
      block === undefined ? { label: GAP, rows: [] } : {
        label: shape.length > 2 ? blockLabel(block) : undefined,
        rows: rows.map((row) =>
          row === undefined ? gapRow : {
            label: rowLabel(row),
            cells: columns.map((column) =>
              column === undefined ? GAP_CELL : nextCell(block, row, column)
            ),
          }
        ),
      }
    ),
  };
}

/** Where an axis has a name and no labels, its indices are the labels. */
function withAxes(style: ArrayStyle, { length }: readonly number[]): ArrayStyle {
  if (style.axes === undefined) return style;
  if (style.axes.length !== length) {
    throw new TypeError(
      "Cannot show a table: each axis needs one name, " +
        `but the axes are ${length} and names ${style.axes.length}`,
    );
  }
  const indices = (index: number): string => String(index);
  return {
    ...style,
    rows: style.rows ?? (length >= 2 ? indices : undefined),
    columns: style.columns ?? (length >= 1 ? indices : undefined),
  };
}

/** `timestep ↓ unit →` */
function cornerOf(axes: readonly string[] | undefined, { length }: readonly number[]): string {
  if (axes === undefined || length === 0) return "";
  return length === 1 ? `${axes[0]} →` : `${axes.at(-2)} ↓ ${axes.at(-1)} →`;
}

/** Labels of blocks: a prefix is followed by the whole leading index, `sample[1, 0]`. */
function blockLabeller(
  labels: Labels | undefined,
  outer: readonly number[],
  count: number,
  axes: readonly string[] | undefined,
): (block: number) => string {
  if (labels !== undefined && typeof labels !== "string") return labeller(labels, count, "blocks");
  return (block) => {
    const index = leadingIndex(block, outer);
    if (labels === undefined && axes !== undefined) {
      return index.map((at, axis) => `${axes[axis]} ${at}`).join(", ");
    }
    return `${labels ?? ""}[${index.join(", ")}]`;
  };
}

function leadingIndex(block: number, outer: readonly number[]): number[] {
  const index: number[] = [];
  let rest = block;
  for (const length of outer.toReversed()) {
    index.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return index;
}

function noteOfArray(
  shape: readonly number[],
  blocks: readonly (number | undefined)[],
  rows: readonly (number | undefined)[],
  columns: readonly (number | undefined)[],
  blockCount: number,
): string {
  const axes = [blocks, rows, columns];
  if (!axes.some((axis) => axis.includes(undefined))) return "";
  const [blocksShown, ...inner] = axes.map(countShown);
  const size = shape.join(" × ");
  if (shape.length === 1) return `${GAP} ${size}, ${Math.max(...inner)} shown`;
  if (shape.length === 2) return `${GAP} ${size}, ${inner.join(" × ")} shown`;
  if (shape.length === 3) return `${GAP} ${size}, ${blocksShown} × ${inner.join(" × ")} shown`;
  return `${GAP} ${size}, ${blocksShown} of ${blockCount} blocks, ${inner.join(" × ")} each shown`;
}
