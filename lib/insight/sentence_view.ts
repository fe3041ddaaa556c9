// A sentence that may be long, and the table below it.

import { escapeHtml } from "../display/html.ts";
import { JUPYTER_DISPLAY, View } from "../display/view.ts";

/** The sentence as a paragraph (a caption would not break), then the table. */
export function sentenceView(sentence: string, shown: View): View {
  return new View(`${sentence}\n${shown.text}`, async () => {
    const { "text/plain": _, "text/html": table = "", ...media } = await shown[JUPYTER_DISPLAY]();
    return { ...media, "text/html": `<p><strong>${escapeHtml(sentence)}</strong></p>\n${table}` };
  });
}
