// The figure of the gate view: for each layer a panel for each gate and state, over its timesteps.

import { escapePlotly } from "../display/html.ts";
import { lineStyle } from "../display/line_style.ts";
import { roundTo } from "../display/number.ts";
import type { Figure } from "../display/plain_figure.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { isGate, type SiteName, sitesOf, symbolOf, valueAt } from "../cells/sites.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { colorGroups } from "./gate_colors.ts";
import {
  areInARow,
  axesOf,
  axisKey,
  axisName,
  colorAxes,
  colorAxisName,
  equations,
  type LayerPanels,
  panelsOf,
  textAt,
} from "./gate_layout.ts";
import { cursors, placed, sampleSlider, timestepSlider } from "./gate_slider.ts";

/** A layer, and what of it is shown. */
export interface ShownLayer {
  readonly name: string;
  readonly trace: CellTrace;
  readonly units: readonly number[];
  /** The first timestep, and the one behind the last. */
  readonly timesteps: readonly [number, number];
  /** By site; a site without one is shown by its symbol. */
  readonly equations: Readonly<Record<string, string>>;
}

/** What the figure shows; its texts are escaped already. */
export interface GateFigureOptions {
  readonly samples: readonly number[];
  /** The one of them that is shown first. */
  readonly sample: number;
  readonly sliders: readonly ("samples" | "timesteps")[];
  readonly title: string;
  readonly notes: readonly string[];
}

/** What a trace of the figure shows: a site of a layer, of one unit where it is a line. */
export interface Shown {
  readonly layer: number;
  readonly site: SiteName;
  readonly unit?: number;
}

/** One site. */
export interface SiteValue {
  readonly site: SiteName;
  readonly symbol: string;
  readonly values: Tensor;
}

const DIGITS = 4;
const MOST_LINES = 5;
/** Of a note's line, in characters: so many fit in 760 pixels. */
const NOTE_LENGTH = 100;

/** A layer with what is drawn of it. */
interface Drawn extends ShownLayer {
  readonly values: readonly SiteValue[];
  readonly states: readonly SiteValue[];
  readonly lines: readonly number[];
}

/** What each trace of the figure shows, in its order. */
export function shownOf(layers: readonly ShownLayer[]): Shown[] {
  return layers.flatMap((layer, k) => {
    const { values, states, lines } = drawnOf(layer);
    return [
      ...values.map(({ site }) => ({ layer: k, site })),
      ...states.flatMap(({ site }) => lines.map((unit) => ({ layer: k, site, unit }))),
    ];
  });
}

/** Heatmaps of gates and states, lines of the states, and sliders. */
export function gateFigure(layers: readonly ShownLayer[], options: GateFigureOptions): Figure {
  const { samples, sample, sliders, title } = options;
  const drawn = layers.map(drawnOf);
  const { layers: panels, height } = panelsOf(drawn.map(({ values, states, units, timesteps }) => ({
    heatmaps: values.length,
    lines: states.length,
    units: units.length,
    timesteps: timesteps[1] - timesteps[0],
  })));
  const groups = drawn.map(({ values }) => colorGroups(values));
  const firstGroup = groups.map((_, k) => groups.slice(0, k).flat().length);
  const colorOf = (k: number, { values }: SiteValue) =>
    colorAxisName(firstGroup[k]! + groups[k]!.findIndex((group) => group.values.includes(values)));
  const tracesAt = (at: number) =>
    drawn.flatMap((layer, k) => [
      ...layer.values.map((value, own) =>
        heatmapOf(value, layer, colorOf(k, value), panels[k]!.first + own, at)
      ),
      ...layer.states.flatMap((state, own) =>
        layer.lines.map((unit) =>
          lineOf(state, layer, unit, panels[k]!.first + layer.values.length + own, own === 0, k, at)
        )
      ),
    ]);
  const rangesAt = (at: number) =>
    Object.assign({}, ...drawn.map((d, k) => ranges(d, panels[k]!, at)));
  const start = layers[0]!.timesteps[0];
  const lines = cursors(panels, start);
  const longest = Math.max(...panels.map(({ timesteps }) => timesteps));
  const own = [
    ...(sliders.includes("samples") ? [sampleSlider(samples, sample)] : []),
    ...(sliders.includes("timesteps") ? [timestepSlider(start, longest, lines.length)] : []),
  ];
  const { sliders: below, room } = placed(own, 0.91);
  const notes = noteLines([
    ...options.notes,
    ...groups.flatMap((own) => own.flatMap(({ note }) => note ?? [])),
  ]);
  const margin = { t: notes.length === 0 ? 76 : 92, b: 28 + room, r: 12 }; // of a title and one line
  const axes = Object.assign(
    {},
    ...drawn.map(({ units, timesteps }, k) => axesOf(panels[k]!, units, timesteps[0])),
  );
  for (const [key, range] of Object.entries(rangesAt(sample))) {
    axes[key] = { ...axes[key], ...range! };
  }
  return {
    data: tracesAt(sample),
    layout: {
      title: {
        text: title,
        ...(notes.length > 0 && { subtitle: { text: notes.join("<br>") } }),
      },
      height: Math.round(height + margin.t + margin.b),
      margin,
      ...axes,
      ...Object.assign({}, ...groups.map((own, k) => colorAxes(panels[k]!, own, firstGroup[k]!))),
      annotations: [
        ...drawn.flatMap((layer, k) => equations(panels[k]!, textsOf(layer))),
        ...(layers.length === 1
          ? []
          : drawn.map(({ name }, k) =>
            textAt(`<b>${escapePlotly(name)}</b>`, 0, panels[k]!.top, 16)
          )),
      ],
      ...legends(panels),
      ...(sliders.includes("timesteps") && { shapes: lines }),
      sliders: below,
    },
    frames: sliders.includes("samples")
      ? samples.map((at) => ({
        name: `sample ${at}`,
        data: tracesAt(at).map(({ type, z, y }: { type: string; z?: unknown; y?: unknown }) =>
          z === undefined ? { type, y } : { type, z }
        ),
        layout: rangesAt(at),
      }))
      : [],
  };
}

function valueIn({ data, shape }: Tensor, sample: number, t: number, unit: number): number {
  return data[(sample * shape[1]! + t) * shape[2]! + unit]!;
}

function drawnOf(layer: ShownLayer): Drawn {
  const sites = sitesOf(layer.trace);
  const values = sites.map((site): SiteValue => ({
    site,
    symbol: symbolOf(site, sites),
    values: valueAt(layer.trace, site),
  }));
  const states = values.filter(({ site }) => !isGate(site));
  return { ...layer, values, states, lines: movingUnits(states[0]!.values, layer.units) };
}

/** What stands above each panel. */
function textsOf({ values, states, equations }: Drawn): string[] {
  return [
    ...values.map(({ site, symbol }) => equations[site] ?? `<b>${escapePlotly(symbol)}</b>`),
    ...states.map(({ symbol }, k) => {
      const [isFirst, isLast] = [k === 0, k === states.length - 1];
      const units = isFirst ? "the units that move most" : isLast ? "" : "the same units";
      const text = [isLast ? "what the layer returns" : "", units].filter(Boolean).join(": ");
      return `<b>${escapePlotly(symbol)}</b>${isFirst && isLast ? ", " : ": "}${text}`;
    }),
  ];
}

/** The notes in lines, each as long as it may be. */
function noteLines(notes: readonly string[]): string[] {
  const lines: string[] = [];
  for (const note of notes) {
    const joined = lines.length === 0 ? note : `${lines.at(-1)}; ${note}`;
    if (lines.length > 0 && joined.length <= NOTE_LENGTH) lines[lines.length - 1] = joined;
    else lines.push(note);
  }
  return lines;
}

/** Units are rows, timesteps run to the right. */
function heatmapOf(
  { symbol, values }: SiteValue,
  { units, timesteps: [from, to] }: Drawn,
  coloraxis: string,
  axis: number,
  sample: number,
) {
  const steps = Array.from({ length: to - from }, (_, k) => from + k);
  return {
    type: "heatmap",
    name: symbol, // said in the text
    z: units.map((unit) => steps.map((t) => roundTo(valueIn(values, sample, t, unit), DIGITS))),
    x0: from,
    ...(areInARow(units) ? { y0: units[0] } : { y: units.map(String) }),
    coloraxis,
    xaxis: axisName("x", axis),
    yaxis: axisName("y", axis),
    xgap: steps.length <= 32 ? 1 : 0,
    ygap: units.length <= 16 ? 1 : 0,
    hovertemplate: `${escapePlotly(symbol)}[timestep %{x}, unit %{y}] = %{z}<extra></extra>`,
  };
}

function lineOf(
  { symbol, values }: SiteValue,
  { lines, timesteps: [from, to] }: Drawn,
  unit: number,
  axis: number,
  isFirst: boolean,
  layer: number,
  sample: number,
) {
  return {
    type: "scatter",
    mode: to - from <= 16 ? "lines+markers" : "lines",
    name: isFirst ? `unit ${unit}` : `${symbol}, unit ${unit}`, // the legend has the first
    legendgroup: `${layer} ${unit}`,
    showlegend: isFirst,
    ...(layer > 0 && { legend: `legend${layer + 1}` }),
    x0: from,
    y: Array.from(
      { length: to - from },
      (_, k) => roundTo(valueIn(values, sample, from + k, unit), DIGITS),
    ),
    line: { width: widthOf(unit, lines), ...lineStyle(unit) },
    marker: { size: 5 },
    xaxis: axisName("x", axis),
    yaxis: axisName("y", axis),
    hovertemplate: `${escapePlotly(symbol)}[timestep %{x}, unit ${unit}] = %{y}<extra></extra>`,
  };
}

/** Thinner where one before it has its look already. */
function widthOf(unit: number, lines: readonly number[]): number {
  const look = (unit: number) => Object.values(lineStyle(unit)).join();
  const before = lines.slice(0, lines.indexOf(unit)).filter((other) => look(other) === look(unit));
  return roundTo(2 / (1 + before.length), 2);
}

/** Beside the lines of each layer, its units. */
function legends(panels: readonly LayerPanels[]): Record<string, object> {
  return Object.fromEntries(panels.map(({ panels }, k) => [
    `legend${k === 0 ? "" : k + 1}`,
    {
      x: 0.925,
      y: panels.at(-1)!.bottom,
      yanchor: "bottom",
      font: { size: 12 },
      tracegroupgap: 0,
      bgcolor: "rgba(0,0,0,0)",
    },
  ]));
}

/** From where to where the lines of a sample go, with 0 where every state starts. */
function ranges(
  { values, states, lines, timesteps: [from, to] }: Drawn,
  { first }: LayerPanels,
  sample: number,
): Record<string, object> {
  return Object.fromEntries(states.map(({ values: state }, k) => {
    let [low, high] = [0, 0];
    for (const unit of lines) {
      for (let t = from; t < to; t++) {
        const value = valueIn(state, sample, t, unit);
        if (!Number.isFinite(value)) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    const margin = 0.06 * (high - low || 1);
    const range = [low - margin, high + margin].map((end) => roundTo(end, DIGITS));
    return [axisKey("y", first + values.length + k), { range }];
  }));
}

/** The units among these whose first state moves most, in any sample. */
function movingUnits(state: Tensor, units: readonly number[]): number[] {
  const [batch = 0, timesteps = 0, all = 0] = state.shape;
  const moves = units.map((unit) => {
    let [low, high] = [0, 0]; // every state starts at zero
    for (let k = 0; k < batch * timesteps; k++) {
      low = Math.min(low, state.data[k * all + unit]!);
      high = Math.max(high, state.data[k * all + unit]!);
    }
    return { unit, range: high - low };
  });
  return moves.sort((a, b) => b.range - a.range).slice(0, MOST_LINES)
    .map(({ unit }) => unit).sort((a, b) => a - b);
}
