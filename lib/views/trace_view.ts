import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { isGate, sitesOf, symbolOf, valueAt } from "../cells/sites.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Trace } from "../trace/trace.ts";

/** A line for each recurrent layer: its shape, how far its gates are open on average, how large its states are. */
export function traceView({ layers, names, prediction }: Trace<CellTrace>): View {
  const caption = `Trace of ${prediction.shape[0]} samples, prediction ` +
    formatShape(prediction.shape);
  if (layers.length === 0) return table([{ layer: "none is recurrent" }], { caption });
  return table(layers.map((layer, k) => line(names[k]!, layer)), { caption });
}

function line(name: string, trace: CellTrace): Record<string, string | number | undefined> {
  const [, timesteps, units] = trace.hiddenState.shape;
  const sites = sitesOf(trace).filter((site) => site !== "gates.candidate");
  const values = sites.map((site) => {
    const [symbol, value] = [symbolOf(site, sites), valueAt(trace, site)];
    return isGate(site)
      ? [`mean ${symbol}`, mean(value)] as const
      : [`largest |${symbol}|`, largest(value)] as const;
  });
  return { layer: name, timesteps, units, ...Object.fromEntries(values) };
}

function mean({ data }: Tensor): number {
  let sum = 0;
  for (const x of data) sum += x;
  return sum / data.length;
}

/** NaN where there is one: Math.max keeps it. */
function largest({ data }: Tensor): number {
  let found = 0;
  for (const x of data) found = Math.max(found, Math.abs(x));
  return found;
}
