// Tolerances. Keras computes in float32, the equations in float64, so what is between them is
// Keras's own rounding: at most 2e-7 in a probability; states grow with the network (cell states up
// to 2000), so theirs is 1e-6 of the largest value of that array.

import {
  compare,
  denseForward,
  gateOrders,
  type Gates,
  joinGates,
  lstmForward,
  splitGates,
  type Tensor,
} from "@gatescope/lstm";
import { assert } from "@std/assert";
import { activationsOf, fixturesOf, readArrays, weightsOf } from "../fixtures/fixtures.ts";

const PROBABILITY = 2e-7;
const OF_THE_LARGEST = 1e-6;
const SMALLEST_FLOAT32 = 2 ** -126; // what is smaller, Keras takes for 0

const models = await Promise.all(
  fixturesOf("experiment", "activation").map(async (entry) => {
    const arrays = await readArrays(entry.file);
    return { entry, arrays, ...weightsOf(entry, arrays) };
  }),
);

function assertClose(actual: Tensor, expected: Tensor, atol: number, what: string): void {
  const comparison = compare(actual, expected, { atol });
  assert(comparison.within, `${what}: ${Deno.inspect(comparison)}`);
}

function predict(
  { entry, arrays, dense }: typeof models[number],
  lstm: typeof models[number]["lstm"],
) {
  const { hiddenState } = lstmForward(arrays("x"), lstm, activationsOf(entry));
  return denseForward(hiddenState.select(1, -1), dense, { activation: "softmax" });
}

Deno.test("lstmForward(), denseForward() and softmax match Keras's predict within 2e-7", () => {
  for (const model of models) {
    const prediction = predict(model, model.lstm);
    assertClose(prediction, model.arrays("prediction"), PROBABILITY, model.entry.name);
  }
});

Deno.test("lstmForward() matches every gate and state of Keras within 1e-6 of the largest", () => {
  for (const { entry, arrays, lstm } of models) {
    const trace = lstmForward(arrays("x"), lstm, activationsOf(entry));
    const pairs: [Tensor, string][] = [
      [trace.cellState, "cell_state"],
      [trace.hiddenState, "hidden_state"],
      [trace.gates.input, "gates_input"],
      [trace.gates.forget, "gates_forget"],
      [trace.gates.candidate, "gates_candidate"],
      [trace.gates.output, "gates_output"],
    ];
    for (const [actual, name] of pairs) {
      const expected = arrays(name);
      const largest = Math.max(...expected.data.map(Math.abs));
      assertClose(
        actual,
        expected,
        OF_THE_LARGEST * largest + SMALLEST_FLOAT32,
        `${entry.name} ${name}`,
      );
    }
  }
});

Deno.test("swapping any two gates of a live network moves its prediction beyond the tolerance", () => {
  const names: readonly (keyof Gates)[] = gateOrders.keras;
  for (const model of models.filter(({ entry }) => entry.state === "live")) {
    const { kernel, recurrentKernel, bias } = model.lstm;
    const { activation, recurrentActivation } = model.entry;
    for (const [k, first] of names.entries()) {
      for (const second of names.slice(k + 1)) {
        // i ⊙ c̃ = c̃ ⊙ i where one function serves both
        const symmetric = activation === recurrentActivation &&
          `${first} ${second}` === "input candidate";
        if (symmetric) continue;
        const swap = (fused: Parameters<typeof splitGates>[0]) => {
          const gates = splitGates(fused);
          return joinGates({ ...gates, [first]: gates[second], [second]: gates[first] });
        };
        const swapped = predict(model, {
          kernel: swap(kernel),
          recurrentKernel: swap(recurrentKernel),
          ...(bias === undefined ? {} : { bias: swap(bias) }),
        });
        const { maxAbsDiff } = compare(swapped, model.arrays("prediction"), { atol: PROBABILITY });
        assert(
          !(maxAbsDiff <= PROBABILITY),
          `${model.entry.name} with ${first} and ${second} swapped`,
        );
      }
    }
  }
});
