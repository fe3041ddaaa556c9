// Charts: a Plotly figure in every form that a front end may want.

import { checkOptions, type KeysOf } from "../base/options.ts";
import { figureText } from "./figure_text.ts";
import { type Figure, figureOf, plainFigure } from "./plain_figure.ts";
import { type ChartLook, LOOK, withLook } from "./chart_look.ts";
import type { Travel } from "./chart_media.ts";
import { thinned } from "./thin.ts";
import { View } from "./view.ts";

/** A chart: a figure that shows itself. */
export class Chart extends View implements Figure {
  /** The traces, in plain objects and arrays. */
  readonly data: readonly object[];
  /** The layout with the shared look. */
  readonly layout: object;
  /** What sliders and buttons go to. */
  readonly frames: readonly object[];

  /**
   * {@linkcode plot} and its kin make it; where they give no text, it tells the ranges. A figure that
   * says how it travels is shown whole, any other thinned where it is too large.
   */
  constructor(figure: Figure, text?: string, travel?: Travel) {
    const whole = plainFigure(figure);
    const plain = travel === undefined ? thinned(whole) : whole;
    super(
      text ?? figureText(plain.data, plain.layout),
      async () => (await import("./chart_media.ts")).chartMedia(plain, this.text, travel),
    );
    if (travel !== undefined) travels.set(this, travel);
    this.data = plain.data;
    this.layout = plain.layout;
    this.frames = plain.frames;
  }
}

/** How the large ones travel, whatever size and theme they take on. */
const travels = new WeakMap<Figure, Travel>();

/**
 * Shows a Plotly figure: a chart to explore in a notebook, a description in a terminal.
 *
 * The bundle at hand draws scatter, bar, box, heatmap, histogram, contour, pie and their kin. A
 * text in the layout is Plotly's, which reads a little HTML (`<b>`, `<i>`, `<sub>`) in it.
 *
 * @param figure traces and layout; numbers may be typed arrays or tensors, and NaN and Infinity
 * are gaps. A chart, or what is shown as one (a history, an attribution), in another size or theme
 * @param look its size and colours
 * @returns the chart: interactive where scripts run, a picture where they do not, else text
 * @throws {TypeError} If the figure has no list of traces, or contains itself.
 * @throws {RangeError} If a size or a colour is out of range.
 *
 * @example The probabilities of three classes
 * ```ts
 * import { plot } from "@gatescope/lstm";
 *
 * plot({
 *   data: [{ type: "bar", x: ["a", "b", "c"], y: [0.2, 0.5, 0.3] }],
 *   layout: { title: "Softmax", yaxis: { title: "probability", range: [0, 1] } },
 * });
 * ```
 *
 * @example A chart for a slide, dark whatever the page is
 * ```ts
 * import { heatmap, plot } from "@gatescope/lstm";
 *
 * plot(heatmap([[0.1, -0.5], [0.9, 0]]), { width: 640, height: 360, theme: "dark" });
 * ```
 */
export function plot(figure: Figure | object, look: ChartLook = {}): Chart {
  const action = "plot the figure";
  checkOptions(action, look, LOOK);
  const own = figureOf(figure, action);
  const text = own instanceof Chart ? own.text : undefined;
  const chart = chartOf(own, look, action, text);
  if (text === undefined) checkOptions(action, own, FIGURE, "its parts");
  return chart;
}

/** The chart of a figure with the look that is among a view's options. */
export function chartOf(
  figure: Figure,
  look: ChartLook,
  action: string,
  text?: string,
  travel = travels.get(figure),
): Chart {
  const part = travel?.part;
  return new Chart(
    withLook(figure, look, action),
    text,
    travel && {
      ...travel,
      ...(part && { part: (halves: number) => withLook(part(halves), look, action) }),
    },
  );
}

const FIGURE: KeysOf<Figure> = {
  data: "required",
  layout: "optional",
  frames: "optional",
};
