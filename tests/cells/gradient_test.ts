// Tolerance: 1e-6 relative, as central_differences.ts says. The LSTM's weights, input and options
// are checked in tests/model/gradients_of_layers_test.ts; here is what no layer shows.

import {
  denseBackward,
  lstmBackward,
  lstmForward,
  type LstmOptions,
  tensor,
} from "@gatescope/lstm";
import { assertEquals, assertThrows } from "@std/assert";
import { assertGradient, differences, numbers, weighedSum } from "../model/central_differences.ts";

const x = numbers([2, 4, 3], 1);
const weights = {
  kernel: numbers([3, 8], 2),
  recurrentKernel: numbers([2, 8], 3),
  bias: numbers([8], 4),
};
const initialState = { cellState: numbers([2, 2], 5), hiddenState: numbers([2, 2], 6) };

Deno.test("lstmBackward() gives the initial state's gradient, with masks and backwards too", () => {
  const mask = tensor([[0, 1, 1, 0], [0, 0, 0, 0]]);
  const all: LstmOptions[] = [{}, { mask }, { goBackwards: true }, { mask, goBackwards: true }];
  for (const option of all) {
    const options = { ...option, initialState };
    const trace = lstmForward(x, weights, options);
    const { gradient } = weighedSum(trace.hiddenState);
    const found = lstmBackward({ x, weights, trace }, gradient, options).initialState;
    const loss = () => weighedSum(lstmForward(x, weights, options).hiddenState).value;
    for (const name of ["cellState", "hiddenState"] as const) {
      assertGradient(found[name], differences(initialState[name], loss), name);
    }
  }
});

Deno.test("lstmBackward() has a bias's gradient where there is a bias", () => {
  const { kernel, recurrentKernel } = weights;
  const bare = { kernel, recurrentKernel };
  const trace = lstmForward(x, bare);
  const gradients = lstmBackward({ x, weights: bare, trace }, trace.hiddenState);
  assertEquals(Object.keys(gradients), ["x", "kernel", "recurrentKernel", "initialState"]);
});

Deno.test("at a masked step the state stays, going either way", () => {
  const mask = tensor([[1, 0, 1, 0], [0, 1, 1, 1]]);
  const ahead = lstmForward(x, weights, { mask, initialState });
  assertEquals(ahead.cellState.at(0, 1).toArray(), ahead.cellState.at(0, 0).toArray());
  assertEquals(ahead.hiddenState.at(1, 0).toArray(), initialState.hiddenState.at(1).toArray());
  const back = lstmForward(x, weights, { mask, initialState, goBackwards: true });
  assertEquals(back.hiddenState.at(0, 1).toArray(), back.hiddenState.at(0, 2).toArray());
  assertEquals(back.cellState.at(0, 3).toArray(), initialState.cellState.at(0).toArray());
});

Deno.test("what does not fit is refused with its shape", () => {
  const trace = lstmForward(x, weights);
  const run = { x, weights, trace };
  assertThrows(() => lstmBackward(run, numbers([2, 2], 1)), TypeError, "but its shape is [2, 2]");
  assertThrows(() => lstmForward(x, weights, { mask: [[1, 1, 1]] }), TypeError, "[2, 4] here");
  const drop = numbers([2, 2], 1);
  const inputDropout = { input: drop, forget: drop, candidate: drop, output: drop };
  assertThrows(() => lstmForward(x, weights, { inputDropout }), TypeError, "[2, 3] for each gate");
  assertThrows(
    () => denseBackward({ x: [[1, 2]], weights: { kernel: [[1], [2]] } }, [[1, 2]]),
    TypeError,
    "the result's shape [1, 1], but its shape is [1, 2]",
  );
});
