import { valueAt } from "../../cells/sites.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { CheckResult } from "./finding.ts";
import type { CheckContext } from "./check_context.ts";

/** NaN and infinities, where they stand first: in the order of the layers and of the sites. */
export function notFinite({ layers, recurrents }: CheckContext): CheckResult {
  const all: [layer: string, value: string, x: Tensor][] = layers.flatMap((visit) => {
    const { name } = visit;
    const inside = recurrents.filter((one) => one.name === name || one.name.startsWith(`${name}/`));
    const values: [string, string, Tensor][] = visit.weights.map((
      x,
      k,
    ) => [name, visit.placed.weights[k]!.name, x]);
    for (const one of inside) {
      for (const site of one.ledger.cell.sites) {
        values.push([one.name, site, valueAt(one.trace, site)]);
      }
    }
    const outputs = visit.outputs.map((x): [string, string, Tensor] => [name, "output", x]);
    return [...values, ...outputs];
  });
  const counts = all.map(([, , { data }]) => countNotFinite(data));
  const first = counts.findIndex((count) => count > 0);
  const total = counts.reduce((a, b) => a + b, 0);
  const measurement = {
    check: "not finite",
    worst: total,
    unit: "numbers that are NaN or infinite",
    limit: 0,
  } as const;
  if (first === -1) return { measurement, findings: [] };
  const [layer, value] = all[first]!;
  return {
    measurement,
    findings: [{
      kind: "not finite",
      layer,
      number: total,
      what: `${counts[first]} of ${value}'s numbers are NaN or infinite, ${total} in all`,
      cause: "an overflow in training or in the cell states, or a NaN in the input",
      remedy:
        "look at the input; train again from finite weights with a smaller learning rate, and " +
        "with activations that have an upper end",
      severity: 1,
    }],
  };
}

function countNotFinite(data: ArrayLike<number>): number {
  let count = 0;
  for (let k = 0; k < data.length; k++) if (!Number.isFinite(data[k])) count++;
  return count;
}
