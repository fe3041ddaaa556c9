import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Trace } from "../trace/trace.ts";

/** A line for each LSTM: its shape, how far its gates are open on average, how large its states are. */
export function traceView({ layers, names, prediction }: Trace): View {
  const caption = `Trace of ${prediction.shape[0]} samples, prediction ` +
    formatShape(prediction.shape);
  if (layers.length === 0) return table([{ LSTM: "none in this model" }], { caption });
  return table(layers.map((layer, k) => line(names[k]!, layer as unknown as CellTrace)), {
    caption,
  });
}

function line(name: string, trace: CellTrace) {
  const { gates, cellState, hiddenState } = trace;
  const [, timesteps, units] = hiddenState.shape;
  if (trace.source?.cell !== undefined) {
    const means = Object.entries(gates).map(([gate, x]) => [`mean ${gate}`, mean(x)]);
    const { gates: _, source: _s, ...states } = trace;
    const sizes = Object.entries(states).map(([state, x]) => [`largest |${state}|`, largest(x)]);
    return { layer: name, timesteps, units, ...Object.fromEntries([...means, ...sizes]) };
  }
  if (cellState === undefined) {
    const means = "update" in gates
      ? { "mean z": mean(gates.update as Tensor), "mean r": mean(gates.reset as Tensor) }
      : {};
    return { layer: name, timesteps, units, ...means, "largest |h|": largest(hiddenState) };
  }
  return {
    LSTM: name,
    timesteps,
    units,
    "mean i": mean(gates.input!),
    "mean f": mean(gates.forget!),
    "mean o": mean(gates.output!),
    "largest |c|": largest(cellState),
    "largest |h|": largest(hiddenState),
  };
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
