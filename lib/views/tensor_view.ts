import { numberSummary } from "../display/number_summary.ts";
import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A tensor as a table; above it its shape and kind, and what matters of its numbers. */
export function tensorView(x: Tensor): View {
  const kind = x.data.constructor.name.replace("Array", "").toLowerCase();
  return table(x, {
    caption: `Tensor ${formatShape(x.shape)} ${kind}`,
    ...(x.data.length > 1 ? { note: numberSummary(x.data) } : {}),
  });
}
