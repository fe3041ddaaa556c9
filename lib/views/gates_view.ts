import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import { formatShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Gates } from "../cells/gates.ts";

const SYMBOLS = ["i", "f", "c̃", "o"];
const BLOCKS = ["i (input)", "f (forget)", "c̃ (candidate)", "o (output)"];
/** A sigmoid that far from its ends hardly learns any more: σ′ is below 0.01. */
const SATURATED = 0.99;

/** Four gates as blocks below each other, named as in the equations, the saturated ones marked. */
export function gatesView({ input, forget, candidate, output }: Gates): View {
  const four = [input, forget, candidate, output];
  const data = Float64Array.from(four.flatMap((gate) => [...gate.data]));
  const { shape } = input;
  const each = shape.slice(0, -2).reduce((product, length) => product * length, 1);
  const gateOf = ([first = 0]: readonly number[]) => first;
  const marked = areActivated([input, forget, output]);
  const marks = (value: number, index: readonly number[]) => markOf(value, gateOf(index));
  const anyMarked = marked && data.some((value, at) => {
    return markOf(value, Math.floor(at / input.data.length)) !== "";
  });
  return table(new Tensor(data, [4, ...shape]), {
    caption: `Gates, ${formatShape(shape)} each`,
    ...(anyMarked ? { note: `● saturated (≥ ${SATURATED}), ○ closed (≤ 0.01)`, marks } : {}),
    hover: ([gate = 0, ...index], value) => `${SYMBOLS[gate]}[${index.join(", ")}] = ${value}`,
    ...(shape.length === 1 ? { rows: SYMBOLS } : {
      blocks: (index: number) =>
        each === 1 && shape.length === 2
          ? BLOCKS[index]!
          : `${BLOCKS[Math.floor(index / each)]}, sample ${index % each}`,
    }),
  });
}

/** Whether these are gates' values rather than weights, which are split by gate too. */
function areActivated(gates: readonly Tensor[]): boolean {
  const values = gates.flatMap(({ data }) => [...data]);
  return values.every((value) => value >= 0 && value <= 1) &&
    values.some((value) => value > 0 && value < 1);
}

function markOf(value: number, gate: number): string {
  if (gate === 2) return Math.abs(value) >= SATURATED ? "●" : "";
  return value >= SATURATED ? "●" : value <= 1 - SATURATED ? "○" : "";
}
