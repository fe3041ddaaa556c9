import { arange, denseForward, lstmCell, lstmForward, tensor } from "@gatescope/lstm";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";

const weights = {
  kernel: arange(24).reshape([2, 12]).toArray(),
  recurrentKernel: arange(36).reshape([3, 12]),
  bias: arange(12),
};

Deno.test("one unit, one step: the cell is the equations, number by number", () => {
  const σ = (z: number) => 1 / (1 + Math.exp(-z));
  const [x, c, h] = [0.5, 0.3, -0.2];
  const step = lstmCell([[x]], { cellState: [[c]], hiddenState: [[h]] }, {
    kernel: [[0.1, 0.2, 0.3, 0.4]],
    recurrentKernel: [[0.5, 0.6, 0.7, 0.8]],
    bias: [0.01, 0.02, 0.03, 0.04],
  });
  const i = σ(x * 0.1 + h * 0.5 + 0.01);
  const f = σ(x * 0.2 + h * 0.6 + 0.02);
  const candidate = Math.tanh(x * 0.3 + h * 0.7 + 0.03);
  const o = σ(x * 0.4 + h * 0.8 + 0.04);
  assertAlmostEquals(step.cellState.item(0, 0), f * c + i * candidate, 1e-15);
  assertAlmostEquals(step.hiddenState.item(0, 0), o * Math.tanh(f * c + i * candidate), 1e-15);
});

Deno.test("lstmForward() is lstmCell() handed its own results", () => {
  const x = arange(12).reshape([2, 3, 2]);
  const trace = lstmForward(x, weights, { activation: "softsign" });
  let step = lstmCell(x.select(1, 0), undefined, weights, { activation: "softsign" });
  for (const t of [1, 2]) {
    step = lstmCell(x.select(1, t), step, weights, { activation: "softsign" });
    assertEquals(trace.cellState.select(1, t).toArray(), step.cellState.toArray());
    assertEquals(trace.gates.output.select(1, t).toArray(), step.gates.output.toArray());
  }
});

Deno.test("weights that do not fit each other or the input are refused with their shapes", () => {
  const x = arange(12).reshape([2, 3, 2]);
  const { kernel, recurrentKernel, bias } = weights;
  assertThrows(
    () => lstmForward(arange(6).reshape([3, 2]), weights),
    TypeError,
    "but the shape is [3, 2]",
  );
  assertThrows(() => lstmForward(tensor([[[]]]), weights), TypeError, "but the shape is [1, 1, 0]");
  assertThrows(
    () => lstmForward(arange(18).reshape([2, 3, 3]), weights),
    TypeError,
    "kernel [2, 12]",
  );
  assertThrows(
    () => lstmForward(x, { kernel, recurrentKernel, bias: arange(11) }),
    TypeError,
    "bias [11]",
  );
  assertThrows(
    () => lstmForward(x, { kernel: recurrentKernel, recurrentKernel: kernel, bias }),
    TypeError,
    "recurrentKernel [2, 12]",
  );
  assertThrows(() => lstmForward(x, weights, { activation: "glu" }), TypeError, "glu");
  assertThrows(() => lstmForward(x, weights, { activation: "Tanh" as never }), RangeError, "tanh");
  assertThrows(
    () => lstmCell([[1, 2]], { cellState: [[1]], hiddenState: [[1]] }, weights),
    TypeError,
    "cellState is [1, 1]",
  );
});

Deno.test("denseForward() refuses a bias or an input that does not fit", () => {
  assertThrows(
    () => denseForward([[1, 2]], { kernel: [[1], [2]], bias: [1, 2] }),
    TypeError,
    "[2]",
  );
  assertThrows(
    () => denseForward([[1, 2, 3]], { kernel: [[1], [2]] }),
    TypeError,
    "[1, 3] and [2, 1]",
  );
});
