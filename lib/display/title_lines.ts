// A title in as many lines as it needs: Plotly writes it in one, into its buttons and out of the chart.

import type { Plain } from "./plain_figure.ts";

/** What is told of a title and the line below it. */
interface Fitted {
  readonly title: Plain;
  readonly margin: Plain;
  /** How much higher than before the margin is, in pixels. */
  readonly more: number;
}

/** From the edge of the chart, in pixels; the template's. */
export const TITLE_EDGE = 16;

/**
 * The function that fits a title, as it stands in the page's script too: the layout with lines broken
 * at blanks, so that none is wider than `room`. `measure` gives a text's width in a font size.
 */
export const FIT_TITLE = `(layout, room, measure) => {
  const look = layout.template?.layout ?? {};
  const title = layout.title ?? {}, subtitle = title.subtitle ?? {};
  const plain = (text) => text.replace(/<[^>]*>/g, "")
    .replace(/&lt;|&gt;/g, "<").replace(/&amp;/g, "&").replace(/&#36;/g, "$").replace(/&#37;/g, "%");
  const broken = (text = "", size) => {
    const lines = [];
    for (const piece of String(text).split(/<br *\\/?>/)) {
      const words = piece.split(/ (?![^<]*>)/);
      let line = words.shift();
      for (const word of words) {
        if (measure(plain(line + " " + word), size) <= room) line += " " + word;
        else [line] = [word, lines.push(line)];
      }
      lines.push(line);
    }
    return lines;
  };
  const sizes = [title.font?.size ?? look.title?.font?.size ?? 18,
    subtitle.font?.size ?? look.title?.subtitle?.font?.size ?? 13];
  const [above, below] = [broken(title.text, sizes[0]), broken(subtitle.text, sizes[1])];
  const more = Math.round(1.3 * ((above.length - 1) * sizes[0] + (below.length - 1) * sizes[1]));
  const top = layout.margin?.t ?? look.margin?.t ?? 56;
  return {
    title: { ...title, text: above.join("<br>"),
      ...(subtitle.text && { subtitle: { ...subtitle, text: below.join("<br>") } }) },
    margin: { ...layout.margin, t: top + more },
    more,
  };
}`;

/** {@linkcode FIT_TITLE}, here. */
export const fitTitle = new Function(`return ${FIT_TITLE}`)() as (
  layout: Plain,
  room: number,
  measure: (text: string, fontSize: number) => number,
) => Fitted;
