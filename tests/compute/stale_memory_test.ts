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
import { assertEquals } from "@std/assert";
import { seededRandom } from "../../lib/tensor/random.ts";

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
