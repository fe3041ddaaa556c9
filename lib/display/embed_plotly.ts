// The bundle itself, for pages without a network.

import { refuseOptions } from "../base/options.ts";
import { escapeHtml } from "./html.ts";
import { PLOTLY_VERSION, plotlyBundle } from "./plotly_bundle.ts";
import { View } from "./view.ts";

/**
 * Puts Plotly itself (1.5 MB) into the notebook, so that its charts need no network. To be shown
 * once, in a cell of its own before the charts; without it, charts load Plotly from its CDN.
 *
 * @returns a view that is one line, and the bundle
 *
 * @example The first cell of a notebook for a room without a network
 * ```ts
 * import { embedPlotly } from "@gatescope/lstm";
 *
 * embedPlotly();
 * ```
 */
export function embedPlotly(): View {
  refuseOptions("embed Plotly", arguments, 0);
  const text = `Plotly ${PLOTLY_VERSION} is in this output: the page's charts need no network.`;
  return new View(text, async () => ({
    "text/html": `<p>${escapeHtml(text)}</p>\n<script>\n${embeddedScript(await plotlyBundle())}` +
      `\n</script>`,
  }));
}

/**
 * The bundle as the text of a script: nothing in it ends the script, and module loaders of the
 * page (`define`, `module`) are hidden from it, so that it becomes the page's `Plotly`.
 */
function embeddedScript(bundle: string): string {
  const safe = bundle.replaceAll(/<\/script/gi, "<\\/script").replaceAll("<!--", "<\\!--");
  return `if (!globalThis.Plotly?.newPlot) {
(function (module, exports, define) {
${safe}
}).call(globalThis);
}
globalThis.dispatchEvent(new Event("gatescope-plotly"));`;
}
