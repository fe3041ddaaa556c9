// A chart in the forms that front ends take, together no larger than an output of a notebook should be;
// loaded when a front end asks.

import { followsPage } from "./chart_template.ts";
import { withoutNumbers } from "./figure_numbers.ts";
import type { PackedBits } from "./pack.ts";
import { drawPicture } from "./draw_picture.ts";
import { type Figure, type Plain, type PlainFigure, plainFigure } from "./plain_figure.ts";
import { chartHtml } from "./plotly_page.ts";
import { thinned } from "./thin.ts";
import type { Media } from "./view.ts";

/** All forms of one output, its text too; what stands around them has the rest of 200 kB. */
const MOST_BYTES = 199_000;
/** A figure of more characters is not even tried as text, twice. */
const MOST_TEXT = 90_000;
/** The others do the same, or have no meaning here; and a title needs the room. */
const UNUSED_BUTTONS = ["zoomIn2d", "zoomOut2d", "autoScale2d", "lasso2d", "select2d"];
/** How often the picture is halved. */
const MOST_HALVES = 6;

/** How a large figure travels. */
export interface Travel {
  /** Of a packed number. */
  readonly bits: PackedBits;
  /** JavaScript that computes the numbers in the page: `(figure) => figure`. */
  readonly numbers?: string;
  /** For the picture a half of what is shown, a quarter, and so on; it says so itself. */
  readonly part?: (halves: number) => Figure;
}

/**
 * Plotly's JSON, HTML and a picture. Where they are too large together, HTML packs the numbers or has
 * them computed, and Plotly's JSON is left out, since HTML draws the same; then the second copy of the
 * picture; then the picture shows less.
 */
export async function chartMedia(
  plain: PlainFigure,
  text: string,
  { bits, numbers, part }: Travel = { bits: 16 },
): Promise<Media> {
  const sizeOf = (media: Media) => bytesOf({ ...media, "text/plain": text });
  const draw = (figure: PlainFigure) => drawPicture(figure).catch(() => undefined);
  const html = (figure: object, picture: string | undefined, numbers?: string) =>
    chartHtml({
      figure,
      numbers,
      picture,
      text,
      themed: followsPage(plain.layout.template),
    });
  const json = jsonOf(plain);
  let picture = await draw(plain);
  const svg = () => picture === undefined ? {} : { "image/svg+xml": picture };
  if (numbers === undefined && JSON.stringify(json).length <= MOST_TEXT) {
    const whole = {
      "application/vnd.plotly.v1+json": json,
      "text/html": html(json, picture),
      ...svg(),
    };
    if (sizeOf(whole) <= MOST_BYTES) return whole;
  }
  const small = numbers === undefined
    ? (await import("./pack.ts")).packed(json, bits)
    : { figure: withoutNumbers(json), numbers };
  for (let halves = 0;;) {
    const only = { "text/html": html(small.figure, picture, small.numbers) };
    if (sizeOf({ ...only, ...svg() }) <= MOST_BYTES) return { ...only, ...svg() };
    const over = sizeOf(only) - MOST_BYTES;
    if (over <= 0 || picture === undefined) return only;
    halves += halvesFor(picture, over);
    picture = halves > MOST_HALVES
      ? undefined // its text stands there
      : await draw(part ? plainFigure(part(halves)) : thinned(plain, 0.5 ** halves));
  }
}

/** How often the cells of a picture are to be halved for so many bytes less of HTML. */
function halvesFor(picture: string, over: number): number {
  const cells = (picture.match(/base64,[^"]*/g) ?? []).join("").length * 4 / 3;
  return cells > over ? Math.max(1, Math.ceil(Math.log2(cells / (cells - over)))) : MOST_HALVES;
}

/** As JSON writes it: NaN and Infinity become null, which Plotly draws as gaps. */
function jsonOf({ data, layout, frames }: PlainFigure): { data: Plain[]; frames?: Plain[] } {
  return JSON.parse(JSON.stringify({
    data,
    layout,
    config: { displaylogo: false, modeBarButtonsToRemove: UNUSED_BUTTONS },
    ...(frames.length === 0 ? {} : { frames }),
  }));
}

function bytesOf(media: Media): number {
  return new TextEncoder().encode(JSON.stringify(media)).length;
}
