import { JUPYTER_DISPLAY, View } from "../display/view.ts";
import { table } from "../display/table.ts";
import { formatShape } from "../tensor/shape.ts";
import { asFloat64, type Tensor } from "../tensor/tensor.ts";
import { gateView } from "./gate_view.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import type { LayerTrace } from "../cells/lstm_forward.ts";

/** The gate view of a trace; in text, one line for each value: its symbol, name and range. */
export function layerTraceView(trace: LayerTrace): View {
  const { gates, source, cellState, hiddenState, ...more } = trace as unknown as CellTrace;
  const isOwn = source?.cell !== undefined;
  const line = (symbol: string, value: string, x: Tensor) => {
    const { data } = asFloat64(x);
    return {
      symbol,
      value,
      smallest: data.reduce((a, b) => Math.min(a, b), Infinity),
      mean: data.reduce((a, b) => a + b, 0) / data.length,
      largest: data.reduce((a, b) => Math.max(a, b), -Infinity),
    };
  };
  const symbols: Readonly<Record<string, string>> = cellState === undefined
    ? { update: "z", reset: "r", candidate: "h̃" }
    : { input: "i", forget: "f", candidate: "c̃", output: "o" };
  const ranges = table([
    ...Object.entries(gates).map(([name, gate]) =>
      line(symbols[name] ?? "", `gates.${name}`, gate)
    ),
    ...(cellState === undefined ? [] : [line("c", "cellState", cellState)]),
    ...Object.entries(more).map(([state, x]) => line("", state, x as Tensor)),
    line("h", "hiddenState", hiddenState),
  ], { caption: `LayerTrace, ${formatShape(hiddenState.shape)} each: batch, timesteps, units` });
  if (cellState === undefined || isOwn) return ranges; // the gate view is an LSTM's
  return new View(ranges.text, async () => {
    const chart = await gateView(trace)[JUPYTER_DISPLAY]();
    const { "text/html": rangesHtml } = await ranges[JUPYTER_DISPLAY]();
    return { ...chart, "text/html": `${rangesHtml}\n${chart["text/html"]}` };
  });
}
