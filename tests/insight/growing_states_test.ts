// Forget gates above 1 multiply a cell state long before it is large.

import { checkup, lstm, sequential } from "@gatescope/lstm";
import { assertEquals } from "@std/assert";

/** One unit of constant gates: c' = f·c + i·tanh(1), from 0. */
function growing(forget: number, timesteps: number, input = 0.1) {
  const layer = lstm({ units: 1, recurrentActivation: "linear" });
  const model = sequential([layer], { inputShape: [timesteps, 1], seed: 1, precision: "float64" });
  model.setWeights([[[0, 0, 0, 0]], [[0, 0, 0, 0]], [input, forget, 1, 0.01]]);
  const { findings } = checkup(model, [Array(timesteps).fill([0.5])]);
  return findings.map(({ kind }) => kind).filter((kind) => kind === "exploding cell states");
}

Deno.test("a cell state that its forget gates made a hundred times larger is found while it is below 100", () => {
  // c after T steps of f = 2 is 0.0762·(2^T − 1), and its first one was multiplied by 2^(T−1)
  assertEquals(growing(2, 9), ["exploding cell states"]); // c 38.9, times 256
  assertEquals(growing(2, 7), []); // c 9.7, times 64
  assertEquals(growing(2, 8).length, 1); // c 19.4, times 128
});

Deno.test("growth alone, of a state that stays small, and size alone below 100 are no findings", () => {
  assertEquals(growing(1.05, 100, 0.001), []); // times 125, to c 2.0
  assertEquals(growing(1, 13, 5), []); // times 1, to c 49.5
});
