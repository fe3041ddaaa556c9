// Models saved by Keras, each with an input, its prediction, and the gradients of a weighted sum of it:
// what every layer must show. Tolerance 1e-6 of the largest number: float32 on Keras's side.

import { loadModel, loadNpz, prove, saveKeras, type Tensor, trace } from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { networkOf } from "../../lib/model/model.ts";
import { formatFile } from "../formats/loaded.ts";

/** Throws where two differ by more than that part of the largest number. */
export function assertClose(actual: Tensor, expected: Tensor, tolerance: number, what: string) {
  assertEquals(actual.shape, expected.shape, what);
  const largest = Math.max(1, ...Array.from(expected.data, Math.abs));
  expected.data.forEach((e, k) => {
    const off = Math.abs(actual.data[k]! - e) / largest;
    assert(off <= tolerance, `${what} at ${k}: ${actual.data[k]}, Keras ${e}`);
  });
}

/** A test for each model of a folder below tests/fixtures/formats; gives the arrays beside them. */
export async function testKerasFiles(folder: string): Promise<ReadonlyMap<string, Tensor>> {
  const arrays = await loadNpz(formatFile(`${folder}/values.npz`));
  const names = [...arrays.keys()].filter((key) => key.startsWith("x_")).map((key) => key.slice(2));
  for (const name of names) {
    Deno.test(`${name}: prediction and gradients are Keras's, the proof holds, the file comes back`, async () => {
      const model = await loadModel(formatFile(`${folder}/${name}.keras`));
      const [x, y] = [arrays.get(`x_${name}`)!, arrays.get(`y_${name}`)!];
      assertClose(model.predict(x), y, 1e-6, "prediction");
      const { verdict } = prove(model, x, { expected: y });
      assert(verdict === "rounding" || verdict === "equal", verdict);
      assertClose(trace(model, x).prediction, y, 1e-6, "traced");

      const network = networkOf(model);
      const run = network.forwardOnTape(network.checkInputs(x, "predict"));
      const gradients = run.backward([arrays.get(`factors_${name}`)!]);
      network.trainable.forEach((k, at) => {
        const what = `gradient of ${network.weightSpecs[k]!.name}`;
        assertClose(gradients[k]!, arrays.get(`gradients_${name}_${at}`)!, 2e-6, what);
      });

      const file = await Deno.makeTempFile({ suffix: ".keras" });
      await saveKeras(file, model);
      const again = await loadModel(file);
      await Deno.remove(file);
      assertEquals(again.predict(x), model.predict(x));
    });
  }
  return arrays;
}
