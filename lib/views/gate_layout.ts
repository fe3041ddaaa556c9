// The gate view without its numbers: where the panels stand, their colours, equations and slider.

import { DIVERGING_COLORS, SEQUENTIAL_COLORS } from "../display/chart_template.ts";
import { roundTo } from "../display/number.ts";
import type { Tensor } from "../tensor/tensor.ts";

const [LEFT, RIGHT, WHOLE] = [[0, 0.43], [0.48, 0.91], [0, 0.91]] as const;
const GAPS = 0.3; // of all rows together, for the panels' equations

/** Where the panels stand, in two columns: the heatmaps, and below them the lines. */
export class Panels {
  /** Rows of heatmaps and of lines. */
  readonly rows: number;
  readonly #heatRows: number;
  readonly #gap: number;
  readonly #height: number;

  constructor(readonly heatmaps: number, readonly lines: number) {
    this.#heatRows = Math.ceil(heatmaps / 2);
    this.rows = this.#heatRows + Math.ceil(lines / 2);
    this.#gap = GAPS / this.rows;
    this.#height = (1 - (this.rows - 1) * this.#gap) / this.rows;
  }

  /** A panel's place; the last one of an odd number has the row for itself. */
  at(index: number) {
    const isLine = index >= this.heatmaps;
    const [k, count] = isLine ? [index - this.heatmaps, this.lines] : [index, this.heatmaps];
    const isAlone = k % 2 === 0 && k === count - 1;
    const row = Math.floor(k / 2) + (isLine ? this.#heatRows : 0);
    return { isLine, x: isAlone ? WHOLE : k % 2 === 0 ? LEFT : RIGHT, ...this.span(row) };
  }

  /** From where to where a row goes. */
  span(row: number) {
    const top = 1 - row * (this.#height + this.#gap);
    return { top, bottom: Math.max(0, top - this.#height) };
  }

  /** The place of one of so many colour bars beside the heatmaps. */
  bar(index: number, count: number) {
    if (count <= this.#heatRows) return { y: this.span(index).top, len: this.#height };
    const { bottom } = this.span(this.#heatRows - 1);
    const each = (1 - bottom) / count;
    return { y: 1 - index * each, len: 0.9 * each };
  }

  /** All of them. */
  get all() {
    return Array.from({ length: this.heatmaps + this.lines }, (_, index) => this.at(index));
  }
}

/** Greys that are seen on a light page and on a dark one. */
const SLIDER_COLORS = { bgcolor: "#8f8f8f", bordercolor: "#777777", tickcolor: "#8f8f8f" };

/** Plotly's name of a panel's axis: x, x2, … */
export const axisName = (letter: string, index: number) =>
  `${letter}${index === 0 ? "" : index + 1}`;

/** The panels' axes: all share the timesteps, the heatmaps share the units. */
export function axesOf(panels: Panels, units: number): Record<string, object> {
  const axes: Record<string, object> = {};
  panels.all.forEach(({ isLine, x, top, bottom }, index) => {
    const suffix = index === 0 ? "" : index + 1;
    const isLeft = x[0] === 0;
    const isLast = bottom < 1e-9;
    axes[`xaxis${suffix}`] = {
      domain: [...x],
      anchor: axisName("y", index),
      ...(index === 0 ? {} : { matches: "x" }),
      showgrid: isLine,
      zeroline: false,
      showticklabels: isLast,
      tickformat: "d",
      ...(isLast ? { title: { text: "timestep", standoff: 4 } } : { ticks: "", showline: false }),
    };
    axes[`yaxis${suffix}`] = {
      domain: [bottom, top],
      anchor: axisName("x", index),
      zeroline: isLine,
      ...(isLine ? {} : {
        ...(index === 0 ? { autorange: "reversed" } : { matches: "y" }),
        showgrid: false,
        tickformat: "d",
        ...(units <= 8 ? { dtick: 1, tick0: 0 } : { nticks: 6 }),
        showticklabels: isLeft,
        showline: false,
        ticks: "",
        ...(isLeft ? { title: { text: "unit", standoff: 6 } } : {}),
      }),
    };
  });
  return axes;
}

/** Values that share their colours. */
export interface ColorGroup {
  /** What they are, with commas. */
  readonly title: string;
  /** Whether the colours go both ways from 0, or from 0 up. */
  readonly isAround: boolean;
  readonly values: readonly Tensor[];
}

/** Plotly's name of a colour axis. */
export const colorAxisName = (index: number) => `coloraxis${index === 0 ? "" : index + 1}`;

/** The colours of each group, with a bar beside the panels. */
export function colorAxes(panels: Panels, groups: readonly ColorGroup[]): Record<string, object> {
  return Object.fromEntries(groups.map(({ title, isAround, values }, index) => {
    const most = largest(...values);
    const range = isAround
      ? { colorscale: DIVERGING_COLORS, cmin: -(most || 1), cmax: most || 1 }
      : { colorscale: SEQUENTIAL_COLORS, cmin: 0, cmax: Math.max(1, most) };
    const bar = {
      x: 0.925,
      xanchor: "left",
      y: panels.bar(index, groups.length).y,
      yanchor: "top",
      len: panels.bar(index, groups.length).len,
      thickness: 12,
      outlinewidth: 0,
      nticks: 5,
      title: { text: title, side: "top", font: { size: 13 } },
      tickfont: { size: 12 },
    };
    return [colorAxisName(index), { ...range, colorbar: bar }];
  }));
}

/**
 * The magnitude that 98 of 100 values stay below, where a few are far beyond it and would leave
 * all others pale; else the largest.
 */
function largest(...tensors: Tensor[]): number {
  const magnitudes = Float64Array.from(
    tensors.flatMap(({ data }) => [...data].map(Math.abs).filter(Number.isFinite)),
  ).sort();
  const [most = 0, usual = 0] = [magnitudes.at(-1), magnitudes[magnitudes.length * 0.98 | 0]];
  return roundTo(usual > 0 && most > 2 * usual ? usual : most, 2);
}

/** What stands above each panel: smaller where it is long. */
export function equations(panels: Panels, texts: readonly string[]): object[] {
  return texts.map((text, index) => {
    const { x, top: y } = panels.at(index);
    const width = text.replaceAll(/<[^>]*>/g, "").length * (x === WHOLE ? 0.5 : 1);
    return {
      text,
      showarrow: false,
      xref: "paper",
      yref: "paper",
      x: x[0],
      y,
      xanchor: "left",
      yanchor: "bottom",
      font: { size: width > 52 ? Math.max(8, Math.floor(13 * 52 / width)) : 13 },
    };
  });
}

/** A line through every panel at a timestep, which spares the equations between them. */
export function cursor(panels: Panels, timestep: number): object[] {
  const columns = new Map<readonly number[], { xref: string; path: string }>();
  panels.all.forEach(({ x, top, bottom }, index) => {
    const { xref = axisName("x", index), path = "" } = columns.get(x) ?? {};
    const line = `M${timestep},${bottom.toFixed(4)}V${top.toFixed(4)}`;
    columns.set(x, { xref, path: path + line });
  });
  return [...columns.values()].map(({ xref, path }) => ({
    type: "path",
    path,
    xref,
    yref: "paper",
    line: { width: 2, dash: "dot", color: "#d55e00" },
  }));
}

/** A slider that goes to frames of the names `sample 0` or `timestep 0`, and so on. */
export function sliderOf(
  over: string,
  positions: readonly number[],
  sample: number,
  overSamples: boolean,
): object {
  return {
    active: overSamples ? positions.indexOf(sample) : 0,
    currentvalue: { prefix: `${over} `, xanchor: "left", font: { size: 14 } },
    pad: { t: 38, b: 0 },
    x: 0,
    len: RIGHT[1],
    ticklen: 4,
    minorticklen: 0,
    ...SLIDER_COLORS,
    font: { size: 11 },
    steps: positions.map((at) => ({
      label: `${at}`,
      method: "animate",
      args: [[`${over} ${at}`], {
        mode: "immediate",
        frame: { duration: 0, redraw: true },
        transition: { duration: 0 },
      }],
    })),
  };
}
