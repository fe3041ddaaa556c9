// Charts: a Plotly figure in every form that a front end may want.

import { checkOptions, type KeysOf } from "../base/options.ts";
import { figureText } from "./figure_text.ts";
import { drawPicture } from "./picture.ts";
import { type Figure, type PlainFigure, plainFigure } from "./plain_figure.ts";
import { chartHtml } from "./plotly_page.ts";
import { CHART_TEMPLATE } from "./chart_template.ts";
import { thinned } from "./thin.ts";
import { type Media, View } from "./view.ts";

/** A chart: a figure that shows itself. */
export class Chart extends View implements Figure {
  /** The traces, in plain objects and arrays. */
  readonly data: readonly object[];
  /** The layout with the shared look. */
  readonly layout: object;
  /** What sliders and buttons go to. */
  readonly frames: readonly object[];

  /** {@linkcode plot} and its kin make it; where they give no text, it tells the ranges. */
  constructor(figure: Figure, text?: string) {
    const plain = thinned(plainFigure(figure));
    super(text ?? figureText(plain.data, plain.layout), () => mediaOf(plain, this.text));
    this.data = plain.data;
    this.layout = plain.layout;
    this.frames = plain.frames;
  }
}

/**
 * Shows a Plotly figure: a chart to explore in a notebook, a description in a terminal.
 *
 * The bundle at hand draws scatter, bar, box, heatmap, histogram, contour, pie and their kin. A
 * text in the layout is Plotly's, which reads a little HTML (`<b>`, `<i>`, `<sub>`) in it.
 *
 * @param figure traces and layout; numbers may be typed arrays or tensors, and NaN and Infinity
 * are gaps
 * @returns the chart: interactive where scripts run, a picture where they do not, else text
 * @throws {TypeError} If the figure has no list of traces, or contains itself.
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
 */
export function plot(figure: Figure): Chart {
  const chart = new Chart(figure);
  if (!(figure instanceof Chart)) checkOptions("plot the figure", figure, FIGURE, "its parts");
  return chart;
}

const FIGURE: KeysOf<Figure> = {
  data: "required",
  layout: "optional",
  frames: "optional",
};

/** The richest last in worth, not in order: a front end takes the one that it likes best. */
async function mediaOf({ data, layout, frames }: PlainFigure, text: string): Promise<Media> {
  const json = JSON.parse(JSON.stringify({
    data,
    layout,
    config: { displaylogo: false },
    ...(frames.length === 0 ? {} : { frames }),
  })); // NaN and Infinity become null, which Plotly draws as gaps
  const picture = await drawPicture({ data, layout, frames }).catch(() => undefined);
  return {
    "application/vnd.plotly.v1+json": json,
    "text/html": chartHtml({
      figure: json,
      picture,
      text,
      height: Number(layout.height),
      themed: layout.template === CHART_TEMPLATE,
    }),
    ...(picture === undefined ? {} : { "image/svg+xml": picture }),
  };
}
