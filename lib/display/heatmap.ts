// A matrix as colours.

import { checkOptions, type KeysOf } from "../base/options.ts";
import { type NestedArrayLike, type NumberArray, toNumberArray } from "./array.ts";
import { DIVERGING_COLORS, GAP_COLOR, SEQUENTIAL_COLORS } from "./chart_template.ts";
import { type ChartLook, LOOK } from "./chart_look.ts";
import { type Chart, chartOf } from "./figure.ts";
import { escapePlotly } from "./html.ts";
import { labeller, type Labels, shortened } from "./labels.ts";
import { arePartsOfOne, roundTo } from "./number.ts";
import { moreRoom, titleOf } from "./title.ts";

/** How a heatmap is labelled and coloured. */
export interface HeatmapOptions extends ChartLook {
  /** Labels of the rows: listed, by a function, or a prefix (`"i"` gives `i[0]`, `i[1]`, …). */
  readonly rows?: Labels;
  /** Labels of the columns, in the same ways. */
  readonly columns?: Labels;
  /** What the heatmap shows. */
  readonly title?: string;
  /** What the rows are, beside them. */
  readonly rowTitle?: string;
  /** What the columns are, below them. */
  readonly columnTitle?: string;
  /** What the values are, above the colour scale. */
  readonly valueTitle?: string;
  /** What matters of it, in a smaller line below the title. */
  readonly note?: string;
  /**
   * The value of the strongest colours, to compare heatmaps. Default: 1 of values that are parts, all
   * from 0 to 1; else the largest magnitude.
   */
  readonly limit?: number;
  /**
   * Whether the values are sizes, none below 0: pale for 0, dark for the limit; else they go both
   * ways from 0. Default: true where all are from 0 to 1, as gates and probabilities are.
   */
  readonly sizes?: boolean;
}

const ACTION = "draw a heatmap";
const OPTIONS: KeysOf<HeatmapOptions> = {
  rows: "optional",
  columns: "optional",
  title: "optional",
  rowTitle: "optional",
  columnTitle: "optional",
  valueTitle: "optional",
  note: "optional",
  limit: "optional",
  sizes: "optional",
  ...LOOK,
};

// More digits than a colour or a hover label can show.
const DIGITS = 4;

const CELL_HEIGHT = 26;
const MARGINS = 130;
const LARGEST_HEIGHT = 640;
/** With more cells than that, lines between them would hide them. */
const MOST_SEPARATED = 64;
/** More words than that, in more and smaller cells, and nobody could read them. */
const MOST_NAMED_GAPS = 50;

/**
 * Shows a matrix as colours, the first row on top: red for positive, blue for negative, near-white
 * for zero, up to the largest magnitude. Values that are all from 0 to 1, as a gate's, are parts:
 * pale green for 0, dark green for 1, on one scale in every heatmap. NaN and ±Infinity are grey gaps,
 * which name themselves where they are few.
 *
 * @param x an array of one or two axes (a Tensor, or nested numbers), rows first
 * @param options labels, titles, the colours' limit, and the chart's look
 * @returns the heatmap
 * @throws {TypeError} If `x` has more axes or is ragged, or if there are more or fewer rows or
 * columns than labels are listed for.
 * @throws {RangeError} If the limit is not above 0, or a size or a colour of the chart is out of range.
 *
 * @example Two gates of three units
 * ```ts
 * import { heatmap } from "@gatescope/lstm";
 *
 * heatmap([[0.1, -0.5, 0.9], [0.2, 0, -0.7]], {
 *   rows: ["input", "forget"],
 *   columns: "unit",
 *   title: "Bias",
 * });
 * ```
 */
export function heatmap(x: NumberArray | NestedArrayLike, options: HeatmapOptions = {}): Chart {
  checkOptions(ACTION, options, OPTIONS);
  const { data, shape } = toNumberArray(x, ACTION);
  if (shape.length < 1 || shape.length > 2) {
    throw new TypeError(
      "Cannot draw a heatmap: the array must have one or two axes, " +
        `but the shape is [${shape.join(", ")}]`,
    );
  }
  const rowCount = shape.length === 2 ? shape[0] ?? 0 : 1;
  const columnCount = shape.at(-1) ?? 0;
  const values = Array.from(data);
  const areParts = arePartsOfOne(values);
  const sizes = options.sizes ?? areParts;
  const limit = options.limit ??
    (areParts && options.sizes === undefined ? 1 : largestMagnitude(values));
  if (!(limit > 0 && limit < Infinity)) {
    throw new RangeError(
      `Cannot draw a heatmap: its limit must be above 0, but the limit is ${limit}`,
    );
  }
  const rowLabels = shape.length === 1 && options.rows === undefined ? [""] : options.rows;
  const matrix = Array.from(
    { length: rowCount },
    (_, row) => values.slice(row * columnCount, (row + 1) * columnCount),
  );
  const separated = Math.max(rowCount, columnCount) <= MOST_SEPARATED ? 1 : 0;
  const gaps = values.filter((value) => !Number.isFinite(value)).length;
  const titles = {
    row: escapePlotly(options.rowTitle ?? "row"),
    column: escapePlotly(options.columnTitle ?? "column"),
    value: escapePlotly(options.valueTitle ?? "value"),
  };
  const title = titleOf(options.title, options.note);
  return chartOf(
    {
      data: [{
        type: "heatmap",
        z: matrix.map((row) => row.map((value) => roundTo(value, DIGITS))),
        x: categories(labeller(options.columns, columnCount, "columns"), columnCount),
        y: categories(labeller(rowLabels, rowCount, "rows"), rowCount),
        zmin: sizes ? 0 : -limit,
        zmax: limit,
        colorscale: sizes ? SEQUENTIAL_COLORS : DIVERGING_COLORS,
        colorbar: {
          title: { text: escapePlotly(shortened(options.valueTitle ?? "", 24)) },
          thickness: 16,
          outlinewidth: 0,
        },
        xgap: separated,
        ygap: separated,
        hoverongaps: true,
        hovertemplate: `${titles.row} %{y}<br>${titles.column} %{x}<br>${titles.value} %{z}` +
          "<extra></extra>",
        ...(gaps > 0 && gaps <= MOST_NAMED_GAPS
          ? {
            text: matrix.map((row) =>
              row.map((value) => Number.isFinite(value) ? "" : String(value))
            ),
            texttemplate: "%{text}",
          }
          : {}),
      }],
      layout: {
        ...title,
        height: Math.min(LARGEST_HEIGHT, MARGINS + CELL_HEIGHT * Math.max(rowCount, 3)) +
          moreRoom(title),
        plot_bgcolor: GAP_COLOR,
        xaxis: axis(options.columnTitle),
        yaxis: { ...axis(options.rowTitle), autorange: "reversed" },
      },
    },
    options,
    ACTION,
  );
}

function largestMagnitude(values: readonly number[]): number {
  let largest = 0;
  for (const value of values) {
    if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  }
  return largest === 0 ? 1 : roundTo(largest, DIGITS);
}

/** Labels as an axis's categories, of which Plotly would join two that are the same. */
function categories(label: (index: number) => string, length: number): string[] {
  const seen = new Map<string, number>();
  return Array.from({ length }, (_, index) => {
    const text = escapePlotly(shortened(label(index)));
    const count = seen.get(text) ?? 0;
    seen.set(text, count + 1);
    return text + "\u200b".repeat(count); // told apart, and looking the same
  });
}

function axis(title: string | undefined): object {
  return {
    type: "category",
    showgrid: false,
    zeroline: false,
    showline: false,
    ticks: "",
    nticks: 24,
    ...(title === undefined ? {} : { title: escapePlotly(title) }),
  };
}
