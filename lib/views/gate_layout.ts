// The gate view without its numbers: where the panels stand, their colours and equations.

import { DIVERGING_COLORS, SEQUENTIAL_COLORS } from "../display/chart_template.ts";
import { roundTo } from "../display/number.ts";
import type { Tensor } from "../tensor/tensor.ts";

const LEFT: Span = [0, 0.43];
const RIGHT: Span = [0.48, 0.91];
const WHOLE: Span = [0, 0.91];

// In pixels.
const ABOVE_ROW = 30; // the equations
const ABOVE_LAYER = 34; // its name, where there are several
const ABOVE_FIRST = 22;
const BELOW_LAYER = 44; // ticks and "timestep"

type Span = readonly [number, number];

/** How much of a layer there is to show. */
export interface LayerSize {
  readonly heatmaps: number;
  readonly lines: number;
  readonly units: number;
  readonly timesteps: number;
}

/** Where a panel stands, as shares of the plot. */
export interface Panel {
  readonly isLine: boolean;
  readonly x: Span;
  readonly top: number;
  readonly bottom: number;
  /** Whether its column ends here. */
  readonly isLast: boolean;
}

/** A layer's panels, in two columns: the heatmaps, and below them the lines. */
export interface LayerPanels extends LayerSize {
  readonly panels: readonly Panel[];
  /** Of its first panel among all. */
  readonly first: number;
  /** The panel whose timesteps all of as many follow. */
  readonly leader: number;
  /** Its top, where its name stands. */
  readonly top: number;
  /** From where to where the heatmaps go. */
  readonly heat: { readonly top: number; readonly bottom: number };
}

/** All layers' panels, one layer below the other, and their height in pixels. */
export function panelsOf(layers: readonly LayerSize[]): { layers: LayerPanels[]; height: number } {
  const isOne = layers.length === 1;
  const rowsOf = ({ heatmaps, lines }: LayerSize) =>
    [Math.ceil(heatmaps / 2), Math.ceil(lines / 2)] as const;
  const rows = layers.map((layer) => {
    const [heat, line] = rowsOf(layer);
    const tall = heatHeight(layer.units);
    return [
      ...Array.from({ length: heat }, () => tall),
      ...Array.from({ length: line }, () => Math.min(tall, 130)),
    ];
  });
  const above = (k: number) => isOne ? 0 : k === 0 ? ABOVE_FIRST : ABOVE_LAYER + BELOW_LAYER;
  const height = rows.flat().reduce((a, b) => a + b, 0) +
    rows.reduce((sum, own, k) => sum + ABOVE_ROW * (own.length - (isOne ? 1 : 0)) + above(k), 0);
  const share = (pixels: number) => Number(Math.max(0, 1 - pixels / height).toFixed(5));
  let [at, first] = [0, 0];
  const leaders = new Map<number, number>();
  const placed = layers.map((layer, k): LayerPanels => {
    at += above(k);
    const top = share(at);
    const spans = rows[k]!.map((tall, row) => {
      at += row === 0 && isOne ? 0 : ABOVE_ROW;
      const span = { top: share(at), bottom: share(at + tall) };
      at += tall;
      return span;
    });
    const [heat] = rowsOf(layer);
    const count = layer.heatmaps + layer.lines;
    const panels = Array.from({ length: count }, (_, index): Panel => {
      const isLine = index >= layer.heatmaps;
      const [own, all] = isLine ? [index - layer.heatmaps, layer.lines] : [index, layer.heatmaps];
      const isAlone = own % 2 === 0 && own === all - 1;
      const row = Math.floor(own / 2) + (isLine ? heat : 0);
      const x = isAlone ? WHOLE : own % 2 === 0 ? LEFT : RIGHT;
      return { isLine, x, ...spans[row]!, isLast: row === spans.length - 1 };
    });
    const leader = leaders.get(layer.timesteps) ?? first;
    leaders.set(layer.timesteps, leader);
    const part = {
      ...layer,
      panels,
      first,
      leader,
      top,
      heat: { top: spans[0]!.top, bottom: spans[heat - 1]!.bottom },
    };
    first += count;
    return part;
  });
  return { layers: placed, height };
}

/** A heatmap's height in pixels: units that are few are tall, of many each is still seen. */
function heatHeight(units: number): number {
  return Math.min(400, Math.max(110, 14 * Math.min(units, 12) + 2 * Math.max(0, units - 12)));
}

/** Plotly's name of a panel's axis: x, x2, … */
export const axisName = (letter: string, index: number) =>
  `${letter}${index === 0 ? "" : index + 1}`;

/** An axis's place in the layout: xaxis, xaxis2, … */
export const axisKey = (letter: string, index: number) =>
  `${letter}axis${index === 0 ? "" : index + 1}`;

/** The panels' axes: a layer's all share its timesteps, its heatmaps share its units. */
export function axesOf(
  { panels, first, leader, timesteps }: LayerPanels,
  units: readonly number[],
  start: number,
): Record<string, object> {
  const axes: Record<string, object> = {};
  panels.forEach(({ isLine, x, top, bottom, isLast }, own) => {
    const index = first + own;
    const isLeft = x[0] === 0;
    axes[axisKey("x", index)] = {
      domain: [...x],
      anchor: axisName("y", index),
      ...(index === leader
        ? { range: [start - 0.5, start + timesteps - 0.5] }
        : { matches: axisName("x", leader) }),
      showgrid: isLine,
      zeroline: false,
      showticklabels: isLast,
      tickformat: "d",
      ...(isLast ? { title: { text: "timestep", standoff: 4 } } : { ticks: "", showline: false }),
    };
    axes[axisKey("y", index)] = {
      domain: [bottom, top],
      anchor: axisName("x", index),
      zeroline: isLine,
      ...(isLine ? { nticks: 5 } : {
        ...(own === 0 ? unitAxis(units) : { matches: axisName("y", first), type: typeOf(units) }),
        showgrid: false,
        showticklabels: isLeft,
        tickfont: { size: 12 },
        showline: false,
        ticks: "",
        ...(isLeft ? { title: { text: "unit", standoff: 6 } } : {}),
      }),
    };
  });
  return axes;
}

/** Units in a row are numbers, picked ones names. */
export function areInARow(units: readonly number[]): boolean {
  return units.every((unit, row) => unit === units[0]! + row);
}

const typeOf = (units: readonly number[]) => areInARow(units) ? "linear" : "category";

/** The first unit on top. */
function unitAxis(units: readonly number[]): object {
  const from = areInARow(units) ? units[0]! : 0;
  return {
    type: typeOf(units),
    range: [from + units.length - 0.5, from - 0.5],
    tickformat: "d",
    ...(units.length <= 8 ? { dtick: 1, tick0: from } : { nticks: 6 }),
  };
}

/** Values that share their colours. */
export interface ColorGroup {
  /** What they are, with commas. */
  readonly title: string;
  /** Whether the colours go both ways from 0, or from 0 up. */
  readonly isAround: boolean;
  /** The value of the strongest colour. */
  readonly limit: number;
  readonly values: readonly Tensor[];
}

/** Plotly's name of a colour axis. */
export const colorAxisName = (index: number) => `coloraxis${index === 0 ? "" : index + 1}`;

/** The colours of a layer's groups, the first of all of them the `first`, with a bar beside the panels. */
export function colorAxes(
  { heat }: LayerPanels,
  groups: readonly ColorGroup[],
  first: number,
): Record<string, object> {
  const each = (heat.top - heat.bottom) / groups.length;
  return Object.fromEntries(groups.map(({ title, isAround, limit }, index) => {
    const range = isAround
      ? { colorscale: DIVERGING_COLORS, cmin: -limit, cmax: limit }
      : { colorscale: SEQUENTIAL_COLORS, cmin: 0, cmax: limit };
    const bar = {
      x: 0.925,
      xanchor: "left",
      y: roundTo(heat.top - index * each, 5),
      yanchor: "top",
      len: roundTo(0.94 * each, 5),
      thickness: 12,
      outlinewidth: 0,
      nticks: 5,
      title: { text: title, side: "top", font: { size: 13 } },
      tickfont: { size: 12 },
    };
    return [colorAxisName(first + index), { ...range, colorbar: bar }];
  }));
}

/** Of a text in 13 pixels, tags apart: so many fit over half of 760 pixels. */
const FITTING = 50;

/** What stands above each panel: smaller where it is long. */
export function equations({ panels }: LayerPanels, texts: readonly string[]): object[] {
  return texts.map((text, index) => {
    const { x, top: y } = panels[index]!;
    const length = text.replaceAll(/<[^>]*>/g, "").length * (x === WHOLE ? 0.5 : 1);
    const size = length > FITTING ? Math.max(8, Math.floor(13 * FITTING / length)) : 13;
    return textAt(text, x[0], y, size);
  });
}

/** A text on a panel's or a layer's upper edge. */
export function textAt(text: string, x: number, y: number, size: number): object {
  return {
    text,
    showarrow: false,
    xref: "paper",
    yref: "paper",
    x,
    y,
    xanchor: "left",
    yanchor: "bottom",
    font: { size },
  };
}
