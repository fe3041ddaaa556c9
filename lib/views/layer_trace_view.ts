import { JUPYTER_DISPLAY, View } from "../display/view.ts";
import { table } from "../display/table.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { sitesOf, symbolOf, valueAt } from "../cells/sites.ts";
import { formatShape } from "../tensor/shape.ts";
import { asFloat64 } from "../tensor/tensor.ts";
import { gateView } from "./gate_view.ts";

/** The gate view of a trace; in text, one line for each value: its symbol, name and range. */
export function layerTraceView(trace: CellTrace): View {
  const sites = sitesOf(trace);
  const ranges = table(
    sites.map((site) => {
      const { data } = asFloat64(valueAt(trace, site));
      return {
        symbol: symbolOf(site, sites),
        value: site,
        smallest: data.reduce((a, b) => Math.min(a, b), Infinity),
        mean: data.reduce((a, b) => a + b, 0) / data.length,
        largest: data.reduce((a, b) => Math.max(a, b), -Infinity),
      };
    }),
    {
      caption: `LayerTrace, ${formatShape(trace.hiddenState.shape)} each: batch, timesteps, units`,
    },
  );
  return new View(ranges.text, async () => {
    const chart = await gateView(trace)[JUPYTER_DISPLAY]();
    const { "text/html": rangesHtml } = await ranges[JUPYTER_DISPLAY]();
    return { ...chart, "text/html": `${rangesHtml}\n${chart["text/html"]}` };
  });
}
