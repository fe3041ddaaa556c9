// The figure of the gate view: eight panels in two columns over one axis of timesteps.

import { DIVERGING_COLORS, LINE_COLORS, SEQUENTIAL_COLORS } from "../display/chart_template.ts";
import type { Figure } from "../display/plain_figure.ts";
import { roundTo } from "../display/number.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LayerTrace } from "./sequence.ts";

/** What the figure shows; its texts are escaped already. */
export interface GateFigureOptions {
  readonly sample: number;
  readonly slider: "samples" | "timesteps";
  readonly title: string;
  readonly activation: string;
  readonly recurrentActivation: string;
  /** The timestep computed before t: t−1, or t+1 where the layer goes backwards. */
  readonly before: string;
}

interface Panel {
  readonly symbol: string;
  readonly equation: string;
  readonly values: Tensor;
  readonly coloraxis: "coloraxis" | "coloraxis2" | "coloraxis3";
}

const ROWS = 4;
const LEFT = [0, 0.43] as const;
const RIGHT = [0.48, 0.91] as const;
const GAP = 0.075; // between rows, for a panel's equation
const DIGITS = 3;
const MOST_LINES = 5;
/** A sample's panels together, where several samples are in one figure. */
const MOST_CELLS = 8_000;
const MOST_FRAMES = 12;

/** Heatmaps of gates and states, lines of the states, and a slider. */
export function gateFigure(trace: LayerTrace, options: GateFigureOptions): Figure {
  const [batch = 1, timesteps = 1, units = 1] = trace.cellState.shape;
  const { sample, title } = options;
  const panels = panelsOf(trace, options);
  const lines = movingUnits(trace.cellState, sample);
  const tracesOf = (at: number): { type: string; z?: unknown; y: unknown }[] => [
    ...panels.map((panel, index) => heatmapOf(panel, index, at)),
    ...[trace.cellState, trace.hiddenState].flatMap((state, column) =>
      lines.map((unit, index) => lineOf(state, unit, index, column, at))
    ),
  ];
  const axes = axesOf(units);
  const samples = Array.from({ length: batch }, (_, index) => index)
    .slice(0, Math.max(1, Math.min(MOST_FRAMES, Math.floor(MOST_CELLS / (6 * timesteps * units)))));
  const overSamples = options.slider === "samples" && samples.length > 1;
  const positions = overSamples
    ? [...new Set([...samples, sample])].sort((a, b) => a - b)
    : steps(timesteps);
  return {
    data: tracesOf(sample),
    layout: {
      title: { text: title, y: 0.985, yanchor: "top" },
      height: ROWS * Math.min(230, Math.max(160, 60 + 11 * units)) + 150,
      margin: { t: 78, b: 96, r: 12 },
      ...axes,
      ...colorAxes(trace),
      annotations: equations(panels),
      legend: { x: 0.925, y: 0, yanchor: "bottom", font: { size: 12 }, tracegroupgap: 0 },
      ...(overSamples ? {} : { shapes: cursor(positions[0] ?? 0) }),
      sliders: [sliderOf(overSamples ? "sample" : "timestep", positions, sample, overSamples)],
    },
    frames: positions.map((at) =>
      overSamples
        ? { name: `sample ${at}`, data: tracesOf(at).map(valuesOf) }
        : { name: `timestep ${at}`, data: [], layout: { shapes: cursor(at) } }
    ),
  };
}

function panelsOf(
  { gates, cellState, hiddenState }: LayerTrace,
  { activation: act, recurrentActivation: rec, before }: GateFigureOptions,
): Panel[] {
  const sum = (gate: string) =>
    `x<sub>t</sub>W<sub>${gate}</sub> + h<sub>${before}</sub>U<sub>${gate}</sub> + b<sub>${gate}</sub>`;
  return [
    {
      symbol: "i",
      equation: `<b>i</b><sub>t</sub> = ${rec}(${sum("i")})`,
      values: gates.input,
      coloraxis: "coloraxis",
    },
    {
      symbol: "f",
      equation: `<b>f</b><sub>t</sub> = ${rec}(${sum("f")})`,
      values: gates.forget,
      coloraxis: "coloraxis",
    },
    {
      symbol: "c̃",
      equation: `<b>c̃</b><sub>t</sub> = ${act}(${sum("c")})`,
      values: gates.candidate,
      coloraxis: "coloraxis2",
    },
    {
      symbol: "o",
      equation: `<b>o</b><sub>t</sub> = ${rec}(${sum("o")})`,
      values: gates.output,
      coloraxis: "coloraxis",
    },
    {
      symbol: "c",
      equation: `<b>c</b><sub>t</sub> = f<sub>t</sub> ⊙ c<sub>${before}</sub> + i<sub>t</sub> ⊙ ` +
        "c̃<sub>t</sub>",
      values: cellState,
      coloraxis: "coloraxis3",
    },
    {
      symbol: "h",
      equation: `<b>h</b><sub>t</sub> = o<sub>t</sub> ⊙ ${act}(c<sub>t</sub>)`,
      values: hiddenState,
      coloraxis: "coloraxis2",
    },
  ];
}

/** What of a trace changes from sample to sample. */
function valuesOf(trace: { type: string; z?: unknown; y: unknown }): object {
  const { type, z, y } = trace;
  return z === undefined ? { type, y } : { type, z };
}

/** Units are rows, timesteps run to the right. */
function heatmapOf({ symbol, values, coloraxis }: Panel, index: number, sample: number) {
  const [, timesteps = 0, units = 0] = values.shape;
  const { data } = values.at(sample);
  return {
    type: "heatmap",
    z: Array.from(
      { length: units },
      (_, unit) =>
        Array.from({ length: timesteps }, (_, t) => roundTo(data[t * units + unit]!, DIGITS)),
    ),
    x: Array.from({ length: timesteps }, (_, t) => t),
    y: Array.from({ length: units }, (_, unit) => unit),
    coloraxis,
    xaxis: axisName("x", index),
    yaxis: axisName("y", index),
    xgap: timesteps <= 32 ? 1 : 0,
    ygap: units <= 16 ? 1 : 0,
    hovertemplate: `${symbol}[timestep %{x}, unit %{y}] = %{z}<extra></extra>`,
  };
}

function lineOf(
  state: Tensor,
  unit: number,
  index: number,
  column: number,
  sample: number,
) {
  const [, timesteps = 0, units = 0] = state.shape;
  const { data } = state.at(sample);
  const symbol = column === 0 ? "c" : "h";
  return {
    type: "scatter",
    mode: timesteps <= 16 ? "lines+markers" : "lines",
    name: `unit ${unit}`,
    legendgroup: `unit ${unit}`,
    showlegend: column === 0,
    y: Array.from({ length: timesteps }, (_, t) => roundTo(data[t * units + unit]!, DIGITS)),
    line: { width: 2, color: LINE_COLORS[index % LINE_COLORS.length] },
    marker: { size: 5 },
    xaxis: axisName("x", 6 + column),
    yaxis: axisName("y", 6 + column),
    hovertemplate: `${symbol}[timestep %{x}, unit ${unit}] = %{y}<extra></extra>`,
  };
}

/** The units whose cell state moves most, in their own order. */
function movingUnits(state: Tensor, sample: number): number[] {
  const [, timesteps = 0, units = 0] = state.shape;
  const { data } = state.at(sample);
  const moves = Array.from({ length: units }, (_, unit) => {
    let [low, high] = [0, 0]; // every state starts at zero
    for (let t = 0; t < timesteps; t++) {
      low = Math.min(low, data[t * units + unit]!);
      high = Math.max(high, data[t * units + unit]!);
    }
    return { unit, range: high - low };
  });
  return moves.sort((a, b) => b.range - a.range).slice(0, MOST_LINES)
    .map(({ unit }) => unit).sort((a, b) => a - b);
}

const axisName = (letter: string, index: number) => `${letter}${index === 0 ? "" : index + 1}`;

function axesOf(units: number): Record<string, object> {
  const height = (1 - (ROWS - 1) * GAP) / ROWS;
  const axes: Record<string, object> = {};
  for (let index = 0; index < 2 * ROWS; index++) {
    const [row, column] = [Math.floor(index / 2), index % 2];
    const top = 1 - row * (height + GAP);
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
      domain: [Math.max(0, top - height), top],
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
function colorAxes({ gates, cellState, hiddenState }: LayerTrace): object {
  const height = (1 - (ROWS - 1) * GAP) / ROWS;
  const bar = (row: number, text: string) => ({
    x: 0.925,
    xanchor: "left",
    y: 1 - row * (height + GAP),
    yanchor: "top",
    len: height,
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

function equations(panels: readonly Panel[]): object[] {
  const height = (1 - (ROWS - 1) * GAP) / ROWS;
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
    y: 1 - Math.floor(index / 2) * (height + GAP),
    xanchor: "left",
    yanchor: "bottom",
    font: { size: 13 },
  }));
}

/** A line through every panel at a timestep. */
function cursor(timestep: number): object[] {
  return ["x", "x2"].map((xref) => ({
    type: "line",
    xref,
    yref: "paper",
    x0: timestep,
    x1: timestep,
    y0: 0,
    y1: 1,
    line: { width: 2, dash: "dot", color: "#d55e00" },
  }));
}

function steps(timesteps: number): number[] {
  const stride = Math.ceil(timesteps / MOST_FRAMES);
  return Array.from({ length: Math.ceil(timesteps / stride) }, (_, index) => index * stride);
}

function sliderOf(
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
