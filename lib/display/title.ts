// A chart's title, and the smaller line below it.

import { escapePlotly } from "./html.ts";
import { textWidth } from "./text_width.ts";

/** In pixels and font sizes: what a chart on a page of 900 has left of Plotly's buttons, and below them. */
const [TITLE, NOTE] = [{ widest: 600, size: 18 }, { widest: 740, size: 13 }];
/** Above a chart with a title, with a note too, and what each line more needs: Plotly centres the title. */
const [MARGIN, BOTH, LINE, LINE_OF_BOTH] = [56, 76, 23, 40];

/** Within a sentence, which is read on; `<br>` ends one. */
const SOFT = "<br />";

/** The part of a layout that says them, in as many lines as they need, with the room that they take. */
export function titleOf(
  title: string | undefined,
  note: string | undefined,
): { readonly title?: string | object; readonly margin?: { readonly t: number } } {
  const lines = title === undefined ? [] : linesOf(title, TITLE);
  const more = Math.max(0, lines.length - 1);
  const text = lines.map(escapePlotly).join(SOFT);
  if (note === undefined) {
    return title === undefined
      ? {}
      : { title: text, ...(more === 0 ? {} : { margin: { t: MARGIN + LINE * more } }) };
  }
  const notes = linesOf(note, NOTE);
  return {
    title: { text: text || " ", subtitle: { text: notes.map(escapePlotly).join(SOFT) } },
    margin: { t: BOTH + LINE_OF_BOTH * (more + notes.length - 1) },
  };
}

/** The pixels that titles of more lines than usual take. */
export function moreRoom({ margin, title }: ReturnType<typeof titleOf>): number {
  return margin === undefined ? 0 : margin.t - (typeof title === "string" ? MARGIN : BOTH);
}

/** The words in lines of which none is wider than there is room, unless it is one word. */
function linesOf(text: string, { widest, size }: typeof TITLE): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || textWidth(`${last} ${word}`, size) > widest) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
