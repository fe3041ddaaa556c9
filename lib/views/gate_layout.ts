// The gate view without its numbers: where the panels stand, their colours, equations and slider.

import { DIVERGING_COLORS, SEQUENTIAL_COLORS } from "../display/chart_template.ts";
import { roundTo } from "../display/number.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LayerTrace } from "../cells/lstm_forward.ts";

/** Rows of panels: three of heatmaps, one of lines. */
export const ROWS = 4;
const LEFT = [0, 0.43] as const;
const RIGHT = [0.48, 0.91] as const;
const GAP = 0.075; // between rows, for a panel's equation
const HEIGHT = (1 - (ROWS - 1) * GAP) / ROWS;

/** Greys that are seen on a light page and on a dark one. */
const SLIDER_COLORS = { bgcolor: "#8f8f8f", bordercolor: "#777777", tickcolor: "#8f8f8f" };

/** Plotly's name of a panel's axis: x, x2, … */
export const axisName = (letter: string, index: number) =>
  `${letter}${index === 0 ? "" : index + 1}`;

/** Where the panels stand: all share the timesteps, the heatmaps share the units. */
export function axesOf(units: number): Record<string, object> {
  const axes: Record<string, object> = {};
  for (let index = 0; index < 2 * ROWS; index++) {
    const [row, column] = [Math.floor(index / 2), index % 2];
    const top = 1 - row * (HEIGHT + GAP);
    const lines = row === ROWS - 1;
    const suffix = index === 0 ? "" : index + 1;
    axes[`xaxis${suffix}`] = {
      domain: [...(column === 0 ? LEFT : RIGHT)],
      anchor: axisName("y", index),
      ...(index === 0 ? {} : { matches: "x" }),
      showgrid: lines,
      zeroline: false,
      showticklabels: lines,
      tickformat: "d",
      ...(lines ? { title: { text: "timestep", standoff: 4 } } : { ticks: "", showline: false }),
    };
    axes[`yaxis${suffix}`] = {
      domain: [Math.max(0, top - HEIGHT), top],
      anchor: axisName("x", index),
      zeroline: lines,
      ...(lines ? {} : {
        ...(index === 0 ? { autorange: "reversed" } : { matches: "y" }),
        showgrid: false,
        tickformat: "d",
        ...(units <= 8 ? { dtick: 1, tick0: 0 } : { nticks: 6 }),
        showticklabels: column === 0,
        showline: false,
        ticks: "",
        ...(column === 0 ? { title: { text: "unit", standoff: 6 } } : {}),
      }),
    };
  }
  return axes;
}

/** Gates from 0; candidate and hidden state, and the cell state, each around zero. */
export function colorAxes({ gates, cellState, hiddenState }: LayerTrace): object {
  const bar = (row: number, text: string) => ({
    x: 0.925,
    xanchor: "left",
    y: 1 - row * (HEIGHT + GAP),
    yanchor: "top",
    len: HEIGHT,
    thickness: 12,
    outlinewidth: 0,
    nticks: 5,
    title: { text, side: "top", font: { size: 13 } },
    tickfont: { size: 12 },
  });
  const around = (limit: number) => ({
    colorscale: DIVERGING_COLORS,
    cmin: -(limit || 1),
    cmax: limit || 1,
  });
  return {
    coloraxis: {
      colorscale: SEQUENTIAL_COLORS,
      cmin: 0,
      cmax: Math.max(1, largest(gates.input, gates.forget, gates.output)),
      colorbar: bar(0, "i, f, o"),
    },
    coloraxis2: {
      ...around(largest(gates.candidate, hiddenState)),
      colorbar: bar(1, "c̃, h"),
    },
    coloraxis3: { ...around(largest(cellState)), colorbar: bar(2, "c") },
  };
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

/** What stands above each panel. */
export function equations(panels: readonly { readonly equation: string }[]): object[] {
  const texts = [
    ...panels.map(({ equation }) => equation),
    "<b>c</b>: the units that move most",
    "<b>h</b>: what the layer returns",
  ];
  return texts.map((text, index) => ({
    text,
    showarrow: false,
    xref: "paper",
    yref: "paper",
    x: index % 2 === 0 ? LEFT[0] : RIGHT[0],
    y: 1 - Math.floor(index / 2) * (HEIGHT + GAP),
    xanchor: "left",
    yanchor: "bottom",
    font: { size: 13 },
  }));
}

/** A line through every panel at a timestep, which spares the equations between them. */
export function cursor(timestep: number): object[] {
  const lines = Array.from({ length: ROWS }, (_, row) => {
    const top = 1 - row * (HEIGHT + GAP);
    return `M${timestep},${Math.abs(top - HEIGHT).toFixed(4)}V${top.toFixed(4)}`;
  });
  return ["x", "x2"].map((xref) => ({
    type: "path",
    path: lines.join(""),
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
