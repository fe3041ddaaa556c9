import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import { formatShape } from "../tensor/shape.ts";
import { asFloat64, type Tensor } from "../tensor/tensor.ts";
import type { LayerTrace } from "./sequence.ts";

/** What a trace holds, one line for each value: its symbol, name and range. */
export function layerTraceView({ gates, cellState, hiddenState }: LayerTrace): View {
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
  return table([
    line("i", "gates.input", gates.input),
    line("f", "gates.forget", gates.forget),
    line("c̃", "gates.candidate", gates.candidate),
    line("o", "gates.output", gates.output),
    line("c", "cellState", cellState),
    line("h", "hiddenState", hiddenState),
  ], { caption: `LayerTrace, ${formatShape(cellState.shape)} each: batch, timesteps, units` });
}
