// Series as lines over a common axis: states over time, activation curves, losses.

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
import { type ChartLook, LOOK } from "./chart_look.ts";
import { CHART_HEIGHT } from "./chart_template.ts";
import { type Chart, chartOf } from "./figure.ts";
import { escapePlotly } from "./html.ts";
import { labeller, type Labels, shortened } from "./labels.ts";
import { lineStyle } from "./line_style.ts";
import { roundTo } from "./number.ts";
import { titleOf } from "./title.ts";

/** Series by name, or a matrix with a series in each column. */
export type Series =
  | Readonly<Record<string, ArrayLike<number> | NumberArray>>
  | NumberArray
  | NestedArrayLike;

/** How a line chart is labelled. */
export interface LineChartOptions extends ChartLook {
  /** Where the points stand: numbers or texts. Default: 0, 1, 2, and so on. */
  readonly x?: ArrayLike<number> | readonly string[] | NumberArray;
  /** Labels of a matrix's columns: listed, by a function, or a prefix (`"C"` gives `C[0]`, …). */
  readonly labels?: Labels;
  /** What the chart shows. */
  readonly title?: string;
  /** What `x` is, with its unit. */
  readonly xTitle?: string;
  /** What the series are, with their unit. */
  readonly yTitle?: string;
}

interface Line {
  /** Which of all series: it has its look by that. */
  readonly index: number;
  readonly name: string;
  readonly values: readonly number[];
}

const ACTION = "draw a line chart";
const OPTIONS: KeysOf<LineChartOptions> = {
  x: "optional",
  labels: "optional",
  title: "optional",
  xTitle: "optional",
  yTitle: "optional",
  ...LOOK,
};
// More digits than a line or a hover label can show.
const DIGITS = 6;
/** With more points than that, markers would hide the line. */
const MOST_MARKERS = 40;
/** More lines are a tangle; of a matrix, those that move most are shown. */
const MOST_LINES = 24;
const MOST_WHOLE_TICKS = 12;
/** So many names stand beside a chart of the usual height; more in it would have to be scrolled to. */
const MOST_NAMES = 12;
/** Of a name, in pixels. */
const NAME_HEIGHT = 22;

/**
 * Shows series as lines, each in its own colour, and in its own dashes where the colours run out:
 * by its place in `series`, so that unit 3 of a matrix looks the same in every chart.
 *
 * NaN and ±Infinity are gaps in a line.
 *
 * @param series arrays of numbers by name; or a matrix (a Tensor, or nested numbers) whose rows
 * are points, such as timesteps, and whose columns are series, such as units; or one array
 * @param options where the points stand, labels, titles, and the chart's look
 * @returns the chart
 * @throws {TypeError} If a series has more than one axis or another length than `x`, or if there
 * are more or fewer columns than labels are listed for.
 * @throws {RangeError} If a size or a colour of the chart is out of range.
 *
 * @example Cell states of two units over three timesteps
 * ```ts
 * import { lineChart } from "@gatescope/lstm";
 *
 * lineChart([[0.1, 0.3], [0.4, 0.2], [0.8, -0.1]], {
 *   labels: "unit",
 *   title: "Cell state",
 *   xTitle: "timestep",
 * });
 * ```
 *
 * @example Series by name
 * ```ts
 * import { lineChart } from "@gatescope/lstm";
 *
 * const x = [-2, -1, 0, 1, 2];
 * lineChart({ tanh: x.map(Math.tanh), relu: x.map((v) => Math.max(v, 0)) }, { x, xTitle: "z" });
 * ```
 */
export function lineChart(series: Series, options: LineChartOptions = {}): Chart {
  checkOptions(ACTION, options, OPTIONS);
  const all = linesOf(series, options.labels);
  const lines = busiest(all);
  const x = pointsOf(options.x);
  for (const { name, values } of lines) {
    if (x !== undefined && values.length !== x.length) {
      throw new TypeError(
        `Cannot ${ACTION}: each series must be as long as x, ` +
          `but ${name || "the series"} has ${values.length} points and x has ${x.length}`,
      );
    }
  }
  const longest = Math.max(0, ...lines.map(({ values }) => values.length));
  return chartOf(
    {
      data: lines.map(({ index, name, values }) => ({
        type: "scatter",
        mode: longest <= MOST_MARKERS ? "lines+markers" : "lines",
        name: escapePlotly(shortened(name)),
        x: x ?? values.map((_, point) => point),
        y: values.map((value) => roundTo(value, DIGITS)),
        line: { width: 2, ...lineStyle(index) },
        marker: { size: 6 },
        connectgaps: false,
      })),
      layout: {
        showlegend: lines.length > 1,
        height: CHART_HEIGHT + NAME_HEIGHT * Math.max(0, lines.length - MOST_NAMES),
        ...titleOf(
          options.title,
          lines.length < all.length
            ? `${lines.length} of ${all.length} series: those that move most`
            : undefined,
        ),
        xaxis: {
          ...(options.xTitle === undefined ? {} : { title: escapePlotly(options.xTitle) }),
          ...axisOf(x, longest),
        },
        yaxis: options.yTitle === undefined ? {} : { title: escapePlotly(options.yTitle) },
      },
    },
    options,
    ACTION,
  );
}

/** The lines of the largest ranges, in their own order. */
function busiest(lines: readonly Line[]): readonly Line[] {
  if (lines.length <= MOST_LINES) return lines;
  const range = ({ values }: Line) => {
    const finite = values.filter(Number.isFinite);
    return finite.reduce((a, b) => Math.max(a, b), -Infinity) -
      finite.reduce((a, b) => Math.min(a, b), Infinity);
  };
  const kept = new Set(
    lines.map((line) => ({ line, moves: range(line) }))
      .sort((a, b) => b.moves - a.moves).slice(0, MOST_LINES).map(({ line }) => line),
  );
  return lines.filter((line) => kept.has(line));
}

function linesOf(series: unknown, labels: Labels | undefined): Line[] {
  if (isNumberArray(series) || isArrayLike(series)) {
    const { data, shape } = toNumberArray(series, ACTION);
    if (shape.length !== 1 && shape.length !== 2) {
      throw new TypeError(
        `Cannot ${ACTION}: the array must have one or two axes, ` +
          `but the shape is [${shape.join(", ")}]`,
      );
    }
    const [length = 0, count = 1] = shape;
    const label = shape.length === 1 && labels === undefined
      ? () => ""
      : labeller(labels, count, "series");
    return Array.from({ length: count }, (_, column) => ({
      index: column,
      name: label(column),
      values: Array.from({ length }, (_, row) => data[row * count + column] ?? NaN),
    }));
  }
  if (typeof series !== "object" || series === null) {
    throw new TypeError(
      `Cannot ${ACTION}: it needs series by name or an array, ` +
        `but the value is ${kindOf(series)}`,
    );
  }
  return requireNamed(series, ACTION).map((name, index) => {
    const values = (series as Record<string, unknown>)[name];
    const { data, shape } = toNumberArray(values, ACTION);
    if (shape.length !== 1) {
      throw new TypeError(
        `Cannot ${ACTION}: each series must have one axis, ` +
          `but ${name} has shape [${shape.join(", ")}]`,
      );
    }
    return { index, name, values: Array.from(data) };
  });
}

function pointsOf(x: LineChartOptions["x"]): readonly (number | string)[] | undefined {
  if (x === undefined) return undefined;
  if (Array.isArray(x) && x.every((point) => typeof point === "string")) {
    return x.map((point) => escapePlotly(shortened(point)));
  }
  const { data, shape } = toNumberArray(x, ACTION);
  if (shape.length !== 1) {
    throw new TypeError(
      `Cannot ${ACTION}: x must have one axis, but the shape is [${shape.join(", ")}]`,
    );
  }
  return Array.from(data);
}

/** An axis: few whole numbers get whole ticks; texts are never read as dates or numbers. */
export function axisOf(x: readonly (number | string)[] | undefined, length: number): object {
  if (x !== undefined && x.every((point) => typeof point === "string")) return { type: "category" };
  const points = x?.map(Number) ?? [0, length - 1];
  const ordered = points.toSorted((a, b) => a - b);
  const span = (ordered.at(-1) ?? 0) - (ordered[0] ?? 0);
  return points.every(Number.isInteger) && span > 0 && span <= MOST_WHOLE_TICKS
    ? { tickmode: "linear", tick0: 0, dtick: 1 }
    : {};
}
