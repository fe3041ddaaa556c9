import { checkOptions, type KeysOf } from "../../base/options.ts";
import { writeKerasArchive } from "../../files/keras_archive.ts";
import { writeFile } from "../../files/source.ts";
import type { Training } from "../../model/training/compile.ts";
import { type Model, networkOf, trainingOf } from "../../model/model.ts";
import type { Optimizer } from "../../model/training/optimizers/optimizer.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { configOf, storeOf } from "./write.ts";
import type { Loss } from "../../model/training/losses/loss.ts";

/** What a `.keras` file is written with. */
export interface SaveKerasOptions {
  /** How many samples each batch has: Keras's stateful layers must know; others need not. Where the model's own file told, as there. */
  readonly batchSize?: number;
}

const OPTIONS: KeysOf<SaveKerasOptions> = { batchSize: "optional" };

const KERAS_VERSION = "3.15.1"; // whose format it is
const CLASSES = { adam: "Adam", sgd: "SGD", rmsprop: "RMSprop" } as const;

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
  const { batchSize = null } = networkOf(model, "save a model");
  checkOptions("save a model", options, OPTIONS);
  const config = configOf(model, options.batchSize ?? batchSize);
  const { arrays, names } = storeOf(model);
  const training = compiled(model);
  if (training !== undefined) {
    config.compile_config = compileConfig(training);
    trainingArrays(training).forEach((tensor, k) => arrays.set(`optimizer/vars/${k}`, tensor));
    names.set("optimizer/vars", training.optimizer.name);
  }
  // the time is always the same one, as in the archive: the same model gives the same configuration
  const metadata = { keras_version: KERAS_VERSION, date_saved: "1980-01-01@00:00:00" };
  await writeFile(target, await writeKerasArchive(metadata, config, { arrays, names }));
}

function compiled(model: Model): Training | undefined {
  try {
    return trainingOf(model, "save the training state");
  } catch (error) {
    if (error instanceof TypeError) return undefined; // never compiled
    throw error;
  }
}

/** Keras's record of a loss: its name where it has no options. */
function lossConfig({ name, config }: Loss): unknown {
  if (Object.values(config).every((value) => value === false)) return name;
  const lossClass = name.replaceAll(/(^|_)([a-z])/g, (_, __, letter) => letter.toUpperCase());
  return {
    module: "keras.losses",
    class_name: lossClass,
    config: { name, ...config },
    registered_name: null,
  };
}

function compileConfig(training: Training): Record<string, unknown> {
  const { optimizer, losses, lossWeights, measuresAccuracy } = training;
  const isOne = losses.length === 1 && lossWeights[0] === 1;
  return {
    optimizer: {
      module: "keras.optimizers",
      class_name: CLASSES[optimizer.name],
      config: { name: optimizer.name, ...floats(optimizer.config) },
      registered_name: null,
    },
    loss: isOne ? lossConfig(losses[0]!) : losses.map(lossConfig),
    loss_weights: isOne ? null : lossWeights,
    metrics: measuresAccuracy ? ["accuracy"] : null,
    weighted_metrics: null,
    run_eagerly: false,
    steps_per_execution: 1,
    jit_compile: "auto",
  };
}

/** TypeScript does not know it yet: JSON's text of a value, as it stands. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => object };

/** Keras wants momentum and learning rate to be floats, and to Python's JSON 0 is none: 0.0 is. */
function floats(config: Optimizer["config"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([option, value]) => [
      option,
      Number.isSafeInteger(value) ? rawJSON(`${value}.0`) : value,
    ]),
  );
}

/** The step, the learning rate, and what the optimizer remembers, in Keras's order. */
function trainingArrays({ optimizer, progress }: Training): Tensor[] {
  const { iteration, variables } = progress.optimizer;
  return [
    new Tensor(Int32Array.of(iteration), []),
    new Tensor(Float32Array.of(optimizer.config.learning_rate as number), []),
    ...variables.map(({ data, shape }) => new Tensor(new Float32Array(data), shape)),
  ];
}
