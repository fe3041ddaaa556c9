// Charts as pictures, drawn by Plotly itself without a browser.

import { checkOptions } from "../base/options.ts";
import { type ChartLook, LOOK, withLook } from "./chart_look.ts";
import { contentKey } from "./content_key.ts";
import { figureText } from "./figure_text.ts";
import type { Stage } from "./picture_stage.ts";
import { type Figure, figureOf, type PlainFigure, plainFigure } from "./plain_figure.ts";
import { stillFigure } from "./still.ts";

/** The width of a picture in pixels, where its figure says none. */
export const PICTURE_WIDTH = 760;

let stage: Promise<Stage> | undefined;
/** Plotly draws one figure at a time. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Draws a figure as SVG, without a browser: the very Plotly that notebooks show, in a DOM of its
 * own. The same figure gives the same text. A slider is left out, and its position said.
 *
 * Needs no permission. The first call loads Plotly and takes most of a second, later ones a tenth.
 *
 * @param figure a chart ({@linkcode plot}, {@linkcode heatmap}, …), what is shown as one, or a
 * Plotly figure
 * @param look its size and colours
 * @returns an SVG document
 * @throws {TypeError} If the figure has no list of traces, or contains itself.
 * @throws {RangeError} If an option is out of range.
 *
 * @example A loss curve for a slide
 * ```ts
 * import { lineChart, toSvg } from "@gatescope/lstm";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const svg = await toSvg(lineChart({ loss: [0.69, 0.41, 0.2] }, { title: "Training" }));
 * assertStringIncludes(svg, "Training");
 * ```
 */
export async function toSvg(figure: Figure | object, look: ChartLook = {}): Promise<string> {
  return await drawLook(figure, look, "draw a picture");
}

/**
 * Saves a chart as an SVG file.
 *
 * Needs the permission to write that file, and no other.
 *
 * @param target a path or a `file:` URL that ends in `.svg`
 * @param figure a chart, what is shown as one, or a Plotly figure
 * @param look its size and colours
 * @throws {TypeError} If the target is no SVG file, or the figure is none.
 * @throws {RangeError} If an option is out of range.
 *
 * @example For a slide with a dark background of its own
 * ```ts
 * import { heatmap, savePicture } from "@gatescope/lstm";
 *
 * const file = await Deno.makeTempFile({ suffix: ".svg" });
 * const chart = heatmap([[0.1, -0.5], [0.9, 0]], { title: "Kernel" });
 * await savePicture(file, chart, { width: 1280, theme: "dark", background: "transparent" });
 * ```
 */
export async function savePicture(
  target: string | URL,
  figure: Figure | object,
  look: ChartLook = {},
): Promise<void> {
  if (!/\.svg$/i.test(target instanceof URL ? target.pathname : target)) {
    throw new TypeError(
      `Cannot save a picture: its file must end in .svg, but the target is ${target}`,
    );
  }
  const file = typeof target === "string" && target.startsWith("file:") ? new URL(target) : target;
  await Deno.writeTextFile(file, await drawLook(figure, look, "save a picture"));
}

async function drawLook(figure: Figure | object, look: ChartLook, action: string): Promise<string> {
  checkOptions(action, look, LOOK);
  return await drawPicture(plainFigure(withLook(figureOf(figure, action), look, action)));
}

/** Draws a figure whose parts are plain already. */
export function drawPicture(figure: PlainFigure): Promise<string> {
  const { data, layout } = stillFigure(figure);
  const drawn = last.then(async () => {
    stage ??= import("./picture_stage.ts").then(({ openStage }) => openStage());
    const plain = JSON.parse(JSON.stringify({ data, layout }));
    const { width = PICTURE_WIDTH, height } = plain.layout;
    const name = figureText(data, layout).split("\n", 1)[0] ?? "";
    return (await stage)(plain, { width, height }, {
      name,
      key: contentKey(JSON.stringify(plain)),
    });
  });
  last = drawn.catch(() => {});
  return drawn;
}
