// The figure of the gate view: eight panels in two columns over one axis of timesteps.

import { LINE_COLORS } from "../display/chart_template.ts";
import type { Figure } from "../display/plain_figure.ts";
import { roundTo } from "../display/number.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { axesOf, axisName, colorAxes, cursor, equations, ROWS, sliderOf } from "./gate_layout.ts";
import type { LayerTrace } from "../cells/lstm_forward.ts";

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
    name: symbol, // said in the text
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
    name: column === 0 ? `unit ${unit}` : `h, unit ${unit}`, // the legend has the first
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

function steps(timesteps: number): number[] {
  const stride = Math.ceil(timesteps / MOST_FRAMES);
  return Array.from({ length: Math.ceil(timesteps / stride) }, (_, index) => index * stride);
}
