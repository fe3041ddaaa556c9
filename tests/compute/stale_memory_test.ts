// All models share one arena: what another one left there must not be seen.

import {
  bidirectional,
  dense,
  gradients,
  type Layer,
  lstm,
  masking,
  type Model,
  sequential,
  Tensor,
} from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { Arena } from "../../lib/compute/arena.ts";
import { cellKinds } from "../../lib/compute/cell_kinds.ts";
import { DenseTraining } from "../../lib/compute/dense_training.ts";
import { GatedTraining } from "../../lib/compute/gated_training.ts";
import { Plan } from "../../lib/compute/plan.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { cellNames, randomArray, randomDense, randomGated, randomInput } from "./random_layers.ts";

const random = seededRandom(8);
const numbers = (...shape: number[]) =>
  new Tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, random.normal), shape);

/** Fills what the arena hands out with numbers that nobody can overlook. */
function litter(): void {
  for (const [units, batch] of [[3, 2], [17, 5], [40, 9]] as const) {
    const layers = [lstm({ units, returnSequences: true, activation: "relu" }), lstm({ units })];
    const model = sequential(layers, { inputShape: [6, 3], seed: 1 });
    model.setWeights(model.getWeights().map((w) => new Tensor(w.data.map(() => 1e3), w.shape)));
    model.compile({ optimizer: "sgd", loss: "mse" });
    gradients(model, numbers(batch, 6, 3), numbers(batch, units));
    model.predict(numbers(batch, 6, 3));
  }
}

const FORMS: Record<string, readonly Layer[]> = {
  "last state": [lstm({ units: 5 }), dense({ units: 2 })],
  "sequences": [lstm({ units: 5, returnSequences: true }), lstm({ units: 3 }), dense({ units: 2 })],
  "backwards": [lstm({ units: 5, goBackwards: true }), dense({ units: 2 })],
  "no bias": [lstm({ units: 5, useBias: false }), dense({ units: 2, useBias: false })],
  "masked": [masking(), lstm({ units: 5 }), dense({ units: 2 })],
  "both directions": [bidirectional(lstm({ units: 5 })), dense({ units: 2 })],
};

for (const [name, layers] of Object.entries(FORMS)) {
  Deno.test(`gradients and predictions do not see what others left in memory: ${name}`, () => {
    const [x, y] = [numbers(3, 6, 3), numbers(3, 2)];
    x.data.fill(0, 0, 6); // two steps that a mask leaves out
    const fresh = () => {
      const model: Model = sequential(layers, { inputShape: [6, 3], seed: 2 });
      model.compile({ optimizer: "sgd", loss: "mse" });
      return model;
    };
    const [first, second] = [fresh(), fresh()];
    const [expected, predicted] = [gradients(first, x, y), first.predict(x)];
    litter();
    assertEquals(gradients(second, x, y), expected, "another model");
    litter();
    assertEquals(gradients(first, x, y), expected, "the same model");
    assertEquals(first.predict(x), predicted);
    assertEquals(second.predict(x), predicted);
  });
}

/** An arena in which every number that nobody has written yet is the one given. */
function filled(value: number): Arena {
  const arena = new Arena("simd");
  arena.scratch(2 ** 20);
  arena.floats.fill(value, arena.reserve(16) / 4);
  return arena;
}

const sizes = { batch: 3, timesteps: 5, inputSize: 4 };

for (const value of [NaN, 1e3]) {
  for (const cell of cellNames) {
    Deno.test(`a plan and its way back read nothing that they have not written: ${cell}, memory of ${value}`, () => {
      const [x, gradient] = [randomInput(sizes), randomArray(18, 1, 1)];
      const layer = randomGated(cell, 6, 4);
      const start = [randomArray(18, 1, 2), randomArray(18, 1, 3)].slice(-cellKinds[cell].states);
      const runIn = (arena: Arena) => {
        const training = new GatedTraining(layer, sizes, arena).forward(x, layer);
        const taking = new Plan([{ ...layer, takesStates: true }], sizes, arena);
        const dense = randomDense(3, 6);
        const head = new DenseTraining(dense, 3, 6, arena).forward(gradient, dense);
        return [
          new Plan([layer, dense], sizes, arena).run(x),
          taking.run(x),
          taking.run(x, start),
          ...taking.ends(),
          training.output,
          ...Object.values(training.backward(gradient)).flat() as Float32Array[],
          head.output,
          ...Object.values(head.backward(randomArray(9, 1, 4))),
        ];
      };
      const [expected, actual] = [runIn(filled(0)), runIn(filled(value))];
      assertEquals(actual, expected);
      assert(actual.flatMap((array) => [...array]).every(Number.isFinite));
    });
  }
}
