// Charts as pictures: the doors; what draws is loaded when a picture is asked for.

import { kindOf } from "../base/kind.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import { type ChartLook, LOOK, lookOf, withLook } from "./chart_look.ts";
import { isDeno, NOT_DENO } from "../base/deno.ts";
import { type Figure, figureOf, plainFigure } from "./plain_figure.ts";

/** A picture's size and colours, and its pixels. */
export interface PictureOptions extends ChartLook {
  /** How many pixels a PNG has for each of the picture, each way; 2 for slides. Default: 1. */
  readonly scale?: number;
  /**
   * Bytes of TrueType, OpenType or WOFF2 fonts for a PNG's characters beyond Latin, Greek, Cyrillic and
   * mathematical signs. Default: none.
   */
  readonly fonts?: readonly Uint8Array[];
}

const PNG_OPTIONS: KeysOf<PictureOptions> = { ...LOOK, scale: "optional", fonts: "optional" };
/** In all; more than that and resvg's memory ends. */
const MOST_PIXELS = 1e8;

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
 * Draws a figure as PNG, without a browser: what {@linkcode toSvg} draws, in pixels, with fonts of its
 * own, so that it is the same on every machine.
 *
 * Needs no permission.
 *
 * @param figure a chart, what is shown as one, or a Plotly figure
 * @param options its size, colours and scale
 * @returns the bytes of a PNG file, (scale · width) × (scale · height) pixels
 * @throws {TypeError} If the figure has no list of traces, or contains itself.
 * @throws {RangeError} If an option is out of range, or a character is in none of the fonts.
 *
 * @example Sharp on a slide
 * ```ts
 * import { lineChart, toPng } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const png = await toPng(lineChart([0.7, 0.4, 0.2]), { width: 640, height: 360, scale: 2 });
 * assertEquals(new DataView(png.buffer).getUint32(16), 1280); // the width, in the file's header
 * ```
 */
export async function toPng(
  figure: Figure | object,
  options: PictureOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const action = "draw a picture";
  checkOptions(action, options, PNG_OPTIONS);
  const { scale = 1, fonts = [] } = options;
  if (!Array.isArray(fonts) || !fonts.every((font) => font instanceof Uint8Array)) {
    throw new TypeError(
      `Cannot ${action}: fonts must be a list of fonts' bytes, but they are ${kindOf(fonts)}`,
    );
  }
  const svg = await drawLook(figure, lookOf(options), action);
  const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)!.map(Number);
  if (!(scale > 0 && scale ** 2 * width! * height! <= MOST_PIXELS)) {
    throw new RangeError(
      `Cannot ${action}: scale must be above 0, and the picture of ${
        MOST_PIXELS / 1e6
      } million pixels ` +
        `at most, but scale is ${scale} and the size ${width} × ${height}`,
    );
  }
  const { drawPng } = await import("./picture_png.ts");
  return await drawPng(svg, scale, fonts, action);
}

/**
 * Saves a chart as a file, SVG or PNG.
 *
 * Needs the permission to write that file, and no other.
 *
 * @param target a path or a `file:` URL that ends in `.svg` or `.png`
 * @param figure a chart, what is shown as one, or a Plotly figure
 * @param options its size and colours, and of a PNG its scale
 * @throws {TypeError} If the target is neither, or the figure is none.
 * @throws {RangeError} If an option is out of range, or a character is in none of the fonts.
 *
 * @example For a slide with a dark background of its own
 * ```ts
 * import { heatmap, savePicture } from "@gatescope/lstm";
 *
 * const file = await Deno.makeTempFile({ suffix: ".png" });
 * const chart = heatmap([[0.1, -0.5], [0.9, 0]], { title: "Kernel" });
 * await savePicture(file, chart, { scale: 2, theme: "dark", background: "transparent" });
 * ```
 */
export async function savePicture(
  target: string | URL,
  figure: Figure | object,
  options: PictureOptions = {},
): Promise<void> {
  const [, kind] = /\.(svg|png)$/i.exec(target instanceof URL ? target.pathname : target) ?? [];
  if (kind === undefined) {
    throw new TypeError(
      `Cannot save a picture: its file must end in .svg or .png, but the target is ${target}`,
    );
  }
  if (!isDeno()) {
    throw new Error(
      `Cannot save a picture: only Deno writes files, but ${NOT_DENO} (toSvg gives its text)`,
    );
  }
  const file = typeof target === "string" && target.startsWith("file:") ? new URL(target) : target;
  if (kind.toLowerCase() === "png") await Deno.writeFile(file, await toPng(figure, options));
  else await Deno.writeTextFile(file, await drawLook(figure, options, "save a picture"));
}

async function drawLook(figure: Figure | object, look: ChartLook, action: string): Promise<string> {
  checkOptions(action, look, LOOK);
  const plain = plainFigure(withLook(figureOf(figure, action), look, action));
  return await (await import("./draw_picture.ts")).drawPicture(plain);
}
