// Models of two outputs that Keras fitted for an epoch: fit() goes on as Keras does
// (tests/fixtures/formats/keras_losses.py). Tolerances: losses 1e-5, relative; weights 1e-5.

import { assert, assertEquals } from "@std/assert";
import { loadModel, loadNpz } from "@gatescope/lstm";
import { difference, formatFile } from "./loaded.ts";

const NOTES: Readonly<Record<string, string[]>> = {
  list: [`Metrics left out: ["mae","accuracy"]`],
  by_name: [],
  one: [],
};

for (const [name, notes] of Object.entries(NOTES)) {
  for (const end of ["keras", "h5"]) {
    Deno.test(`fit() of a loaded ${name}.${end} with two outputs goes on where Keras stopped`, async () => {
      const values = await loadNpz(formatFile("keras_losses/values.npz"));
      const at = (key: string) => values.get(key)!;
      const model = await loadModel(formatFile(`keras_losses/${name}.${end}`));
      assertEquals(model.provenance!.notes, notes);
      const options = { epochs: 2, batchSize: 4, shuffle: false, verbose: false } as const;
      const { loss } = await model.fit(at("x"), [at("p"), at("q")], options);
      at(`${name}/loss`).data.forEach((expected, k) => {
        assert(Math.abs(loss[k]! / Number(expected) - 1) <= 1e-5, `epoch ${k}: ${loss[k]}`);
      });
      model.getWeights().forEach((weight, k) => {
        const off = difference(weight, at(`${name}/w${k}`));
        assert(off <= 1e-5, `weight ${k} is off by ${off}`);
      });
    });
  }
}
