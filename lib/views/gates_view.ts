import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import { formatShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Gates } from "../cells/gates.ts";
import type { GruGates } from "../cells/gru_gates.ts";
import { sitesOf, symbolOf } from "../cells/sites.ts";

/** A sigmoid that far from its ends hardly learns any more: σ′ is below 0.01. */
const SATURATED = 0.99;

/** Gates as blocks below each other, named as in the equations, the saturated ones marked. */
export function gatesView(gates: Gates | GruGates): View {
  const of = gates as unknown as Readonly<Record<string, Tensor>>;
  const sites = sitesOf({ gates });
  const names = sites.map((site) => site.slice("gates.".length));
  const symbols = sites.map((site) => symbolOf(site, sites));
  const all = names.map((name) => of[name]!);
  const first = all[0]!;
  const candidate = names.indexOf("candidate");
  const data = Float64Array.from(all.flatMap((gate) => [...gate.data]));
  const { shape } = first;
  const each = shape.slice(0, -2).reduce((product, length) => product * length, 1);
  const gateOf = ([first = 0]: readonly number[]) => first;
  const marked = areActivated(all.filter((_, k) => k !== candidate));
  const marks = (value: number, index: readonly number[]) =>
    markOf(value, gateOf(index) === candidate);
  const anyMarked = marked && data.some((value, at) => {
    return markOf(value, Math.floor(at / first.data.length) === candidate) !== "";
  });
  const block = (k: number) => `${symbols[k]} (${names[k]})`;
  return table(new Tensor(data, [names.length, ...shape]), {
    caption: `Gates, ${formatShape(shape)} each`,
    ...(anyMarked ? { note: `● saturated (≥ ${SATURATED}), ○ closed (≤ 0.01)`, marks } : {}),
    parts: (index) => marked && gateOf(index) !== candidate, // of weights that are split, none
    hover: ([gate = 0, ...index], value) => `${symbols[gate]}[${index.join(", ")}] = ${value}`,
    ...(shape.length === 1 ? { rows: symbols } : {
      blocks: (index: number) =>
        each === 1 && shape.length === 2
          ? block(index)
          : `${block(Math.floor(index / each))}, sample ${index % each}`,
    }),
  });
}

/** Whether these are gates' values rather than weights, which are split by gate too. */
function areActivated(gates: readonly Tensor[]): boolean {
  const values = gates.flatMap(({ data }) => [...data]);
  return values.every((value) => value >= 0 && value <= 1) &&
    values.some((value) => value > 0 && value < 1);
}

function markOf(value: number, isCandidate: boolean): string {
  if (isCandidate) return Math.abs(value) >= SATURATED ? "●" : "";
  return value >= SATURATED ? "●" : value <= 1 - SATURATED ? "○" : "";
}
