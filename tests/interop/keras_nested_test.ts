// Models within models against Keras 3.15.1 (tests/fixtures/formats/keras_nested.py): predictions to
// 1e-6, as they are read and as saveKeras writes them anew.

import { loadModel, loadNpz, prove, saveKeras, type Tensor } from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { formatFile } from "./loaded.ts";

const arrays = await loadNpz(formatFile("keras_nested/values.npz"));

/** The inputs of a model, and what Keras predicts of them. */
function known(name: string) {
  const inputs: Tensor[] = [];
  for (let k = 0; arrays.has(`${name}_x${k}`); k++) inputs.push(arrays.get(`${name}_x${k}`)!);
  const x = inputs.length === 1 ? inputs[0]! : inputs;
  return { x, y: arrays.get(`${name}_y`)! };
}

function assertClose(actual: Tensor, expected: Tensor) {
  assertEquals(actual.shape, expected.shape);
  const off = Math.max(...Array.from(actual.data, (y, k) => Math.abs(y - expected.data[k]!)));
  assert(off <= 1e-6, `${off} from Keras`);
}

for (const name of ["shared", "row", "unbuilt", "distributed"]) {
  for (const ending of ["keras", "h5"]) {
    Deno.test(`a model within a model, ${name}.${ending}, predicts as in Keras`, async () => {
      const model = await loadModel(formatFile(`keras_nested/${name}.${ending}`));
      const { x, y } = known(name);
      assertClose(model.predict(x), y);
      const { verdict } = prove(model, x, { expected: y });
      assert(["equal", "rounding"].includes(verdict), verdict);
      const file = await Deno.makeTempFile({ suffix: ".keras" });
      await saveKeras(file, model);
      const again = await loadModel(file);
      await Deno.remove(file);
      assertEquals(again.predict(x), model.predict(x));
    });
  }
}

Deno.test("its layers have its name before theirs, and one that is used twice has its weights once", async () => {
  const model = await loadModel(formatFile("keras_nested/shared.keras"));
  assertEquals(model.layers.map(({ name }) => name).slice(0, 3), [
    "encoder_lstm",
    "encoder_batch_normalization",
    "encoder_lstm_1",
  ]);
  assertEquals(model.layers.filter(({ layer }) => layer.className === "LSTM").length, 2);
});
