// The gate view at three sizes, the article's, 16 × 8 × 10 and 4 × 100 × 64, of each of Keras's cells: compared
// with what a person has looked at (tests/display/snapshot_test.ts says how to accept another one).

import { gateView, gru, lstm, sequential, simpleRnn, Tensor, toSvg, trace } from "@gatescope/lstm";
import type { CellTrace } from "../../lib/cells/cell_run.ts";
import { assertSnapshot, onLines } from "../display/snapshot.ts";

const CELLS = { lstm, gru, rnn: simpleRnn };
const SIZES = [[4, 3, 8], [16, 8, 10], [4, 100, 64]] as const;
const INPUTS = 2;

/** Whole hundredths, so that no last digit depends on a machine's sine. */
function numbers(shape: readonly [number, number, number]): Tensor {
  const length = shape.reduce((product, axis) => product * axis, 1);
  const data = Float64Array.from({ length }, (_, i) => ((i * 37 + 11) % 200 - 100) / 100);
  return new Tensor(data, shape);
}

for (const [name, layer] of Object.entries(CELLS)) {
  for (const [batch, timesteps, units] of SIZES) {
    const size = `${batch}x${timesteps}x${units}`;
    Deno.test(`the gate view of ${name} ${size} looks as it did`, async () => {
      const model = sequential([layer({ units, returnSequences: true })], {
        inputShape: [timesteps, INPUTS],
        seed: 5,
      });
      const view = gateView(trace<CellTrace>(model, numbers([batch, timesteps, INPUTS])));
      await assertSnapshot(`gate_view_${name}_${size}.txt`, `${view.text}\n`);
      await assertSnapshot(`gate_view_${name}_${size}.svg`, withoutCells(await toSvg(view)));
    });
  }
}

/** The cells are in the text and, number by number, in gate_view_size_test.ts; their pixels are many. */
function withoutCells(svg: string): string {
  return onLines(svg.replaceAll(/data:image\/png;base64,[^"]*/g, "data:image/png;base64,…"));
}
