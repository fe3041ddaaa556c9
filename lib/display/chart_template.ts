// The look that all charts share, as a Plotly template: a figure's own layout goes before it.

import { PICTURE_FONT } from "./text_width.ts";
import { TITLE_EDGE } from "./title_lines.ts";

/** The height of a chart in pixels, where it says none. */
export const CHART_HEIGHT = 400;

/**
 * Colours of lines and bars that people with any colour vision tell apart, without the yellow
 * that is too light for a line: Okabe and Ito, "Color Universal Design" (2008).
 */
export const LINE_COLORS: readonly string[] = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#e69f00",
  "#56b4e9",
];

/**
 * Blue for negative, near-white for zero, red for positive, readable with any colour vision:
 * ColorBrewer's RdBu, 7 classes, reversed.
 */
export const DIVERGING_COLORS: readonly (readonly [number, string])[] = [
  "#2166ac",
  "#67a9cf",
  "#d1e5f0",
  "#f7f7f7",
  "#fddbc7",
  "#ef8a62",
  "#b2182b",
].map((color, index, all) => [index / (all.length - 1), color]);

/** Pale for 0, dark for the most: ColorBrewer's Greens, 5 classes. */
export const SEQUENTIAL_COLORS: readonly (readonly [number, string])[] = [
  "#f7fcf5",
  "#c7e9c0",
  "#74c476",
  "#238b45",
  "#00441b",
].map((color, index, all) => [index / (all.length - 1), color]);

/** Behind a heatmap, so that a gap is not taken for a value near zero. */
export const GAP_COLOR = "#9a9a9a";

// Seen on white and on black alike.
const GRID = "rgba(128,128,128,0.25)";
const LINE = "rgba(128,128,128,0.8)";

/** Ticks as numbers are written everywhere: 0.0004 and 4e-7, no 400μ. */
const PLAIN_NUMBERS = { exponentformat: "e", minexponent: 4 };

const AXIS = {
  ...PLAIN_NUMBERS,
  automargin: true,
  gridcolor: GRID,
  linecolor: LINE,
  zerolinecolor: LINE,
  zerolinewidth: 1,
  tickcolor: LINE,
  ticks: "outside",
  showline: true,
  title: { standoff: 12 },
};

/** The template: dark on white, unless the page's loader sets the page's own colours. */
export const CHART_TEMPLATE: object = {
  data: { heatmap: [{ colorbar: PLAIN_NUMBERS }], contour: [{ colorbar: PLAIN_NUMBERS }] },
  layout: {
    coloraxis: { colorbar: PLAIN_NUMBERS },
    font: { family: PICTURE_FONT, size: 14, color: "#222222" },
    paper_bgcolor: "#ffffff",
    plot_bgcolor: "#ffffff",
    colorway: LINE_COLORS,
    colorscale: { sequential: SEQUENTIAL_COLORS, diverging: DIVERGING_COLORS },
    title: {
      x: 0,
      xref: "container",
      xanchor: "left",
      y: 1,
      yref: "container",
      yanchor: "top",
      pad: { l: TITLE_EDGE, t: TITLE_EDGE },
      font: { size: 18 },
      subtitle: { font: { size: 13 } },
    },
    margin: { l: 64, r: 24, t: 56, b: 56 },
    xaxis: { ...AXIS, autotickangles: [0, -45, -90] },
    yaxis: AXIS,
    hovermode: "closest",
  },
};

/** The template with nothing behind its charts: their text follows the page's. */
export const CLEAR_TEMPLATE: object = templateWith(CHART_TEMPLATE, undefined, "transparent");

/** Whether the page's loader sets the page's own colours. */
export function followsPage(template: unknown): boolean {
  return template === CHART_TEMPLATE || template === CLEAR_TEMPLATE;
}

/** A template with these colours; all else of it stays. */
export function templateWith(
  template: object,
  color: string | undefined,
  background: string,
): object {
  const { layout = {}, ...rest } = template as { readonly layout?: { readonly font?: object } };
  const font = color === undefined ? layout.font : { ...layout.font, color };
  const behind = { paper_bgcolor: background, plot_bgcolor: background };
  return { ...rest, layout: { ...layout, ...(font && { font }), ...behind } };
}
