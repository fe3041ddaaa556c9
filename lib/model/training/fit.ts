// What Model.fit is given, checked before a weight changes; what trains is loaded then.

import type { Training } from "./compile.ts";
import { type CheckedFitOptions, checkFitOptions, type FitOptions } from "./fit_options.ts";
import type { History } from "./history.ts";
import type { Network } from "../network.ts";
import { checkStateful, prepareSamples } from "./prepare_samples.ts";
import { type Samples, split } from "./samples.ts";
import { sampleWeightsOf } from "./sample_weights.ts";
import type { Parts } from "./training_run.ts";
import type { ModelInput } from "../inputs.ts";

/**
 * Trains; what `Model.fit` does. Everything is checked before a weight changes.
 *
 * A signal stops it between two batches; the next run on as many samples, with the same batch size
 * and shuffling, finishes the epoch first.
 */
export async function fit(
  network: Network,
  training: Training,
  x: ModelInput,
  y: ModelInput,
  options: FitOptions = {},
): Promise<History> {
  const checked = checkFitOptions(options);
  const prepared = prepareSamples(network, training.losses, x, y, "fit");
  const samples = { ...prepared, weights: sampleWeightsOf(checked, prepared.y) };
  const parts = partsOf(network, training, samples, checked);
  if (parts.validation !== undefined) checkStateful(network, parts.validation, checked.batchSize);
  checkStateful(network, parts.training, checked.batchSize);
  if (training.isRunning) {
    throw new TypeError(`Cannot fit: a model trains once at a time, but another fit is running`);
  }
  training.isRunning = true;
  try {
    const { trainingRun } = await import("./training_run.ts");
    return await trainingRun(network, training, parts, checked);
  } finally {
    training.isRunning = false;
  }
}

/** The samples to train on, and those to validate on. */
function partsOf(
  network: Network,
  training: Training,
  samples: Samples,
  { validationSplit, validationData }: CheckedFitOptions,
): Parts {
  if (validationData === undefined) return split(samples, validationSplit);
  const validation = prepareSamples(network, training.losses, ...validationData, "fit");
  return { training: samples, validation };
}
