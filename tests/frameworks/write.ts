// Writes every model of the fixtures anew, as .keras and as .onnx: what check.py gives to Keras and to
// ONNX Runtime. The models come from Keras's own files, and so do the expected predictions. A model
// in training is trained here for one epoch of the two that Keras's own went on.

import {
  loadModel,
  loadNpz,
  type Model,
  saveKeras,
  saveNpz,
  saveOnnx,
  type Tensor,
} from "@gatescope/lstm";
import { join } from "@std/path";

const fixtures = new URL("../fixtures/", import.meta.url);

/** A model that was written. */
interface Written {
  readonly name: string;
  /** Why it is not there as .onnx, or nothing. */
  readonly noOnnx?: string;
}

/** Writes the models, and a list of them, to a folder. */
export async function writeModels(folder: string): Promise<Written[]> {
  const written: Written[] = [];
  for await (const { name: file } of Deno.readDir(new URL("formats/keras/", fixtures))) {
    if (!file.endsWith(".keras") || /^refused|_none/.test(file)) continue;
    const name = file.slice(0, -".keras".length);
    const model = await loadModel(new URL(`formats/keras/${file}`, fixtures));
    written.push(await write(folder, name, model, await arraysOf(name)));
  }
  for (const formats of ["keras_layers", "keras_masks", "keras_attention"]) {
    const around = await loadNpz(new URL(`formats/${formats}/values.npz`, fixtures));
    for (const [key, x] of around) {
      if (!key.startsWith("x_")) continue;
      const name = key.slice("x_".length);
      const model = await loadModel(new URL(`formats/${formats}/${name}.keras`, fixtures));
      const arrays = new Map([["x", x], ["prediction", around.get(`y_${name}`)!]]);
      written.push(await write(folder, `around_${name}`, model, arrays));
    }
  }
  await Deno.writeTextFile(join(folder, "models.json"), JSON.stringify(written));
  return written;
}

async function write(
  folder: string,
  name: string,
  model: Model,
  arrays: ReadonlyMap<string, Tensor>,
): Promise<Written> {
  const batchSize = arrays.get("x")!.shape[0]!;
  const isStateful = model.layers.some(({ layer }) => layer.config.stateful === true);
  await saveNpz(join(folder, `${name}.npz`), arrays);
  if (arrays.has("losses")) {
    const options = { epochs: 1, batchSize: 4, shuffle: false, verbose: false };
    await model.fit(arrays.get("x")!, arrays.get("y")!, options);
  }
  await saveKeras(join(folder, `${name}.keras`), model, isStateful ? { batchSize } : {});
  try {
    await saveOnnx(join(folder, `${name}.onnx`), model);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    return { name, noOnnx: error.message };
  }
  return { name };
}

async function arraysOf(name: string): Promise<Map<string, Tensor>> {
  for (const folder of ["formats/keras/", "layers/"]) {
    const url = new URL(`${folder}${name}.npz`, fixtures);
    try {
      return await loadNpz(url);
    } catch {
      continue;
    }
  }
  throw new Error(`no arrays for ${name}`);
}
