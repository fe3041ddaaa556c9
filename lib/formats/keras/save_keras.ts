// The door of saveKeras: what writes .keras is loaded when it is asked for.

import { checkOptions, type KeysOf } from "../../base/options.ts";
import type { Training } from "../../model/training/compile.ts";
import { type Model, networkOf, trainingOf } from "../../model/model.ts";

/** What a `.keras` file is written with. */
export interface SaveKerasOptions {
  /** How many samples each batch has: Keras's stateful layers must know; others need not. Where the model's own file told, as there. */
  readonly batchSize?: number;
}

const OPTIONS: KeysOf<SaveKerasOptions> = { batchSize: "optional" };

/**
 * Writes a model to a `.keras` file that Keras 3 opens, predicting equally:
 * `keras.models.load_model("model.keras")`. A compiled model takes its optimizer along, with all that
 * it remembers, so that training goes on there, or here after {@linkcode loadModel}.
 *
 * @param target a path or a file URL; what is there is replaced
 * @param model any model that Keras can have
 * @throws {TypeError} where a layer is one that Keras does not have, or the target is no file.
 * @throws {RangeError} where an activation is one that Keras 3 does not have: it is named.
 * @throws {Error} where the file cannot be written; `cause` says why.
 *
 * @example
 * ```ts
 * import { dense, loadModel, lstm, saveKeras, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layers = [lstm({ units: 4 }), dense({ units: 1 })];
 * const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
 * model.compile({ optimizer: "adam", loss: "mse" });
 * const [x, y] = [[[[1, 2], [3, 4], [5, 6]]], [1]];
 * await model.fit(x, y, { epochs: 2, verbose: false });
 *
 * const file = await Deno.makeTempFile({ suffix: ".keras" });
 * await saveKeras(file, model);
 * const opened = await loadModel(file); // compiled, and as far as the other one
 * assertEquals((await opened.fit(x, y)).loss, (await model.fit(x, y)).loss);
 * await Deno.remove(file);
 * ```
 */
export async function saveKeras(
  target: string | URL,
  model: Model,
  options: SaveKerasOptions = {},
): Promise<void> {
  const network = networkOf(model, "save a model");
  const { batchSize = null } = network;
  checkOptions("save a model", options, OPTIONS);
  const training = compiled(model);
  const kept = { // training goes on with others
    network,
    weights: network.keptWeights,
    training,
    progress: training?.progress,
    batchSize: options.batchSize ?? batchSize,
  };
  await (await import("./write_keras.ts")).writeKeras(target, kept);
}

function compiled(model: Model): Training | undefined {
  try {
    return trainingOf(model, "save the training state");
  } catch (error) {
    if (error instanceof TypeError) return undefined; // never compiled
    throw error;
  }
}
