// A chart's title, and the smaller line below it.

import { escapePlotly } from "./html.ts";

/** The part of a layout that says them, with the room that they take. */
export function titleOf(title: string | undefined, note: string | undefined): object {
  const text = title === undefined ? undefined : escapePlotly(title);
  if (note === undefined) return text === undefined ? {} : { title: text };
  return {
    title: { text: text ?? " ", subtitle: { text: escapePlotly(note) } },
    margin: { t: 76 },
  };
}
