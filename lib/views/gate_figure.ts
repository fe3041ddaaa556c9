// The figure of the gate view: a panel for each gate and state, in two columns over one axis of timesteps.

import { LINE_COLORS } from "../display/chart_template.ts";
import type { Figure } from "../display/plain_figure.ts";
import { escapePlotly } from "../display/html.ts";
import { roundTo } from "../display/number.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { isGate, type SiteName, sitesOf, symbolOf, valueAt } from "../cells/sites.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  axesOf,
  axisName,
  colorAxes,
  colorAxisName,
  type ColorGroup,
  cursor,
  equations,
  Panels,
  sliderOf,
} from "./gate_layout.ts";

/** What the figure shows; its texts are escaped already. */
export interface GateFigureOptions {
  readonly sample: number;
  readonly slider: "samples" | "timesteps";
  readonly title: string;
  /** By site; a site without one is shown by its symbol. */
  readonly equations: Readonly<Record<string, string>>;
}

/** One site. */
interface Value {
  readonly site: SiteName;
  readonly symbol: string;
  readonly values: Tensor;
}

const DIGITS = 3;
const MOST_LINES = 5;
/** A sample's panels together, where several samples are in one figure. */
const MOST_CELLS = 8_000;
const MOST_FRAMES = 12;

/** Heatmaps of gates and states, lines of the states, and a slider. */
export function gateFigure(trace: CellTrace, options: GateFigureOptions): Figure {
  const [batch = 1, timesteps = 1, units = 1] = trace.hiddenState.shape;
  const { sample, title } = options;
  const sites = sitesOf(trace);
  const values = sites.map((site): Value => ({
    site,
    symbol: symbolOf(site, sites),
    values: valueAt(trace, site),
  }));
  const states = values.filter(({ site }) => !isGate(site));
  const groups = colorGroups(values);
  const colors = values.map(({ values }) =>
    colorAxisName(groups.findIndex((group) => group.values.includes(values)))
  );
  const panels = new Panels(values.length, states.length);
  const lines = movingUnits(states[0]!.values, sample);
  const tracesOf = (at: number): { type: string; z?: unknown; y: unknown }[] => [
    ...values.map((value, index) => heatmapOf(value, colors[index]!, index, at)),
    ...states.flatMap((state, k) =>
      lines.map((unit, index) => lineOf(state, unit, index, values.length + k, k === 0, at))
    ),
  ];
  const samples = Array.from({ length: batch }, (_, index) => index).slice(
    0,
    Math.max(
      1,
      Math.min(MOST_FRAMES, Math.floor(MOST_CELLS / (values.length * timesteps * units))),
    ),
  );
  const overSamples = options.slider === "samples" && samples.length > 1;
  const positions = overSamples
    ? [...new Set([...samples, sample])].sort((a, b) => a - b)
    : steps(timesteps);
  const texts = [
    ...values.map(({ site, symbol }) =>
      options.equations[site] ?? `<b>${escapePlotly(symbol)}</b>`
    ),
    ...states.map(({ symbol }, k) => {
      const [isFirst, isLast] = [k === 0, k === states.length - 1];
      const units = isFirst ? "the units that move most" : isLast ? "" : "the same units";
      const text = [isLast ? "what the layer returns" : "", units].filter(Boolean).join(": ");
      return `<b>${escapePlotly(symbol)}</b>${isFirst && isLast ? ", " : ": "}${text}`;
    }),
  ];
  const height = panels.rows * Math.min(230, Math.max(160, 60 + 11 * units)) + 150;
  return {
    data: tracesOf(sample),
    layout: {
      title: { text: title, y: roundTo(1 - 12 / height, 3), yanchor: "top" },
      height,
      margin: { t: 78, b: 96, r: 12 },
      ...axesOf(panels, units),
      ...colorAxes(panels, groups),
      annotations: equations(panels, texts),
      legend: { x: 0.925, y: 0, yanchor: "bottom", font: { size: 12 }, tracegroupgap: 0 },
      ...(overSamples ? {} : { shapes: cursor(panels, positions[0] ?? 0) }),
      sliders: [sliderOf(overSamples ? "sample" : "timestep", positions, sample, overSamples)],
    },
    frames: positions.map((at) =>
      overSamples
        ? { name: `sample ${at}`, data: tracesOf(at).map(valuesOf) }
        : { name: `timestep ${at}`, data: [], layout: { shapes: cursor(panels, at) } }
    ),
  };
}

/** Gates from 0; the candidate and the hidden state around it, and each other state by itself. */
function colorGroups(all: readonly Value[]): ColorGroup[] {
  const isAround = ({ site, values }: Value) =>
    site === "gates.candidate" || values.data.some((value) => value < 0);
  const gates = all.filter(({ site }) => isGate(site));
  const states = all.filter(({ site }) => !isGate(site) && site !== "hiddenState");
  const groups: [boolean, Value[]][] = [
    [false, gates.filter((gate) => !isAround(gate))],
    [true, [...gates.filter(isAround), ...all.filter(({ site }) => site === "hiddenState")]],
    ...states.map((state): [boolean, Value[]] => [true, [state]]),
  ];
  return groups.filter(([, own]) => own.length > 0).map(([isAround, own]) => ({
    title: own.map(({ symbol }) => escapePlotly(symbol)).join(", "),
    isAround,
    values: own.map(({ values }) => values),
  }));
}

/** What of a trace changes from sample to sample. */
function valuesOf(trace: { type: string; z?: unknown; y: unknown }): object {
  const { type, z, y } = trace;
  return z === undefined ? { type, y } : { type, z };
}

/** Units are rows, timesteps run to the right. */
function heatmapOf({ symbol, values }: Value, coloraxis: string, index: number, sample: number) {
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
    hovertemplate: `${escapePlotly(symbol)}[timestep %{x}, unit %{y}] = %{z}<extra></extra>`,
  };
}

function lineOf(
  { symbol, values }: Value,
  unit: number,
  index: number,
  axis: number,
  isFirst: boolean,
  sample: number,
) {
  const [, timesteps = 0, units = 0] = values.shape;
  const { data } = values.at(sample);
  return {
    type: "scatter",
    mode: timesteps <= 16 ? "lines+markers" : "lines",
    name: isFirst ? `unit ${unit}` : `${symbol}, unit ${unit}`, // the legend has the first
    legendgroup: `unit ${unit}`,
    showlegend: isFirst,
    y: Array.from({ length: timesteps }, (_, t) => roundTo(data[t * units + unit]!, DIGITS)),
    line: { width: 2, color: LINE_COLORS[index % LINE_COLORS.length] },
    marker: { size: 5 },
    xaxis: axisName("x", axis),
    yaxis: axisName("y", axis),
    hovertemplate: `${escapePlotly(symbol)}[timestep %{x}, unit ${unit}] = %{y}<extra></extra>`,
  };
}

/** The units whose first state moves most, in their own order. */
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
