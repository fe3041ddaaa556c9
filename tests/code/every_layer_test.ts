// Each kind of layer is written as C, or refused by name: no kind is forgotten.

import { type Layer, type Model, saveC } from "@gatescope/lstm";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { LAYER_KINDS } from "../../lib/layers/table.ts";
import { randomModels } from "./random_models.ts";

/** Of kinds whose layers are others' once they are read, or that make a mask. */
const NOT_WRITTEN: Readonly<Record<string, string>> = {
  RNN: "an LSTM, a GRU or a SimpleRNN",
  CuDNNLSTM: "an LSTM",
  CuDNNGRU: "a GRU",
  Masking: "makes a mask",
};

const models = randomModels(60);
const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

function classesOf({ layers }: Model): string[] {
  const inside = (
    layer: Layer,
  ): string[] => [layer.className, ...(layer.wrapped ? inside(layer.wrapped) : [])];
  return layers.flatMap(({ layer }) => inside(layer));
}

Deno.test("60 models of all kinds are written, with a test of every layer", async () => {
  for (const { name, model } of models) {
    const { source, flashBytes } = await saveC(`${folder}/${name}.c`, model);
    assert(!/undefined|NaN|\[object/.test(source), name);
    assertMatch(source, new RegExp(`_AT\\(${name}_\\w+_site, `));
    const weights = model.getWeights().reduce((sum, { data }) => sum + data.length, 0);
    assert(flashBytes <= 4 * weights + 4096, `${name}: ${flashBytes} bytes of ${weights} weights`);
  }
});

Deno.test("the 60 models have each kind of layer that is written", () => {
  const written = new Set(models.flatMap(({ model }) => classesOf(model)));
  const kinds = LAYER_KINDS.map(({ className }) => className);
  const left = kinds.filter((className) => !written.has(className));
  assertEquals(left.toSorted(), Object.keys(NOT_WRITTEN).toSorted());
});
