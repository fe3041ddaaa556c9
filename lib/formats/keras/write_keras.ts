// A model as a .keras file, its training with it; loaded when one is written.

import { writeKerasArchive } from "../../files/keras_archive.ts";
import { writeFile } from "../../files/source.ts";
import type { Network } from "../../model/network.ts";
import type { Training } from "../../model/training/compile.ts";
import type { Loss } from "../../model/training/losses/loss.ts";
import type { Optimizer } from "../../model/training/optimizers/optimizer.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { configOf, storeOf } from "./write.ts";

const KERAS_VERSION = "3.15.1"; // whose format it is
const CLASSES = { adam: "Adam", sgd: "SGD", rmsprop: "RMSprop" } as const;

/** A model as it was when it was to be saved. */
export interface KeptModel {
  readonly network: Network;
  readonly weights: readonly Tensor[];
  /** None where it was never compiled. */
  readonly training: Training | undefined;
  readonly progress: Training["progress"] | undefined;
  readonly batchSize: number | null;
}

/** What `saveKeras` does. */
export async function writeKeras(
  target: string | URL,
  { network, weights, training, progress, batchSize }: KeptModel,
): Promise<void> {
  const config = configOf(network, batchSize);
  const { arrays, names } = storeOf(network, weights);
  if (training !== undefined && progress !== undefined) {
    config.compile_config = compileConfig(training);
    trainingArrays(training.optimizer, progress).forEach((tensor, k) =>
      arrays.set(`optimizer/vars/${k}`, tensor)
    );
    names.set("optimizer/vars", training.optimizer.name);
  }
  // the time is always the same one, as in the archive: the same model gives the same configuration
  const metadata = { keras_version: KERAS_VERSION, date_saved: "1980-01-01@00:00:00" };
  await writeFile(target, await writeKerasArchive(metadata, config, { arrays, names }));
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
function trainingArrays(optimizer: Optimizer, progress: Training["progress"]): Tensor[] {
  const { iteration, variables } = progress.optimizer;
  return [
    new Tensor(Int32Array.of(iteration), []),
    new Tensor(Float32Array.of(optimizer.config.learning_rate as number), []),
    ...variables.map(({ data, shape }) => new Tensor(new Float32Array(data), shape)),
  ];
}
