import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import { formatShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Gates } from "./gates.ts";

/** Four gates as blocks below each other, named as in the equations. */
export function gatesView({ input, forget, candidate, output }: Gates): View {
  const four = [input, forget, candidate, output];
  const data = Float64Array.from(four.flatMap((gate) => [...gate.data]));
  return table(new Tensor(data, [4, ...input.shape]), {
    caption: `Gates, ${formatShape(input.shape)} each`,
    ...(input.shape.length === 1
      ? { rows: ["i", "f", "c̃", "o"] }
      : { blocks: blockNames(input.shape.slice(0, -2)) }),
  });
}

/** One label for each matrix: the gate, and the leading indices where there are any. */
function blockNames(leading: readonly number[]): (index: number) => string {
  const each = leading.reduce((product, length) => product * length, 1);
  const symbols = ["i (input)", "f (forget)", "c̃ (candidate)", "o (output)"];
  return (index) => {
    const symbol = symbols[Math.floor(index / each)]!;
    return leading.length === 0 ? symbol : `${symbol}, sample ${index % each}`;
  };
}
