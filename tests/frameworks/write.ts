// Writes every model of the fixtures anew, as .keras and as .onnx: what check.py gives to Keras and to
// ONNX Runtime. The models come from Keras's own files, and so do the expected predictions. A model
// in training is trained here for one epoch of the two that Keras's own went on.

import { loadModel, saveKeras, saveNpz, saveOnnx, type Tensor } from "@gatescope/lstm";
import { join } from "@std/path";
import { type KerasFixture, kerasFixtures } from "../formats/keras_fixtures.ts";
import { formatFile } from "../formats/loaded.ts";

/** A model that was written. */
interface Written {
  readonly name: string;
  /** Why it is not there as .keras, or nothing. */
  readonly noKeras?: string;
  /** Why it is not there as .onnx, or nothing. */
  readonly noOnnx?: string;
}

/** Writes the models, and a list of them, to a folder. */
export async function writeModels(folder: string): Promise<Written[]> {
  const written: Written[] = [];
  for await (const fixture of kerasFixtures()) written.push(await write(folder, fixture));
  await Deno.writeTextFile(join(folder, "models.json"), JSON.stringify(written));
  return written;
}

async function write(
  folder: string,
  { name, file, xs, ys, training }: KerasFixture,
): Promise<Written> {
  const model = await loadModel(formatFile(file));
  const numbered = (kind: string, tensors: readonly Tensor[]) =>
    tensors.map((one, k) => [`${kind}_${k}`, one] as const);
  await saveNpz(
    join(folder, `${name}.npz`),
    training ?? new Map([...numbered("x", xs), ...numbered("y", ys)]),
  );
  if (training !== undefined) {
    const options = { epochs: 1, batchSize: 4, shuffle: false, verbose: false };
    await model.fit(training.get("x")!, training.get("y")!, options);
  }
  const batchSize = xs[0]!.shape[0]!;
  const isStateful = model.layers.some(({ layer }) => layer.config.stateful === true);
  const options = isStateful ? { batchSize } : {};
  const noKeras = await refused(() => saveKeras(join(folder, `${name}.keras`), model, options));
  const noOnnx = await refused(() => saveOnnx(join(folder, `${name}.onnx`), model));
  return { name, ...(noKeras && { noKeras }), ...(noOnnx && { noOnnx }) };
}

/** What the error says, where there is one. */
async function refused(save: () => Promise<void>): Promise<string | undefined> {
  try {
    await save();
    return undefined;
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    return error.message;
  }
}
