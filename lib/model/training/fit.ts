// Epoch after epoch, batch after batch.

import { Tensor, type TensorLike } from "../../tensor/tensor.ts";
import type { Training } from "./compile.ts";
import { type CheckedFitOptions, checkFitOptions, type FitOptions } from "./fit_options.ts";
import { fitProgress } from "./fit_progress.ts";
import { type EpochReport, type History, historyOf, rememberStart } from "./history.ts";
import type { Network } from "../network.ts";
import { checkStateful, prepareSamples } from "./prepare_samples.ts";
import { countOf, type Samples, split } from "./samples.ts";
import { trainEpoch } from "./train_epoch.ts";
import { validate } from "./validate.ts";

// How long the event loop may wait: a signal, a progress line and a click come through in between.
const TURN_MS = 20;

/**
 * Trains; what `Model.fit` does. Everything is checked before a weight changes.
 *
 * A signal stops it between two batches; the next run on as many samples, with the same batch size
 * and shuffling, finishes the epoch first.
 */
export async function fit(
  network: Network,
  training: Training,
  x: TensorLike,
  y: TensorLike,
  options: FitOptions = {},
): Promise<History> {
  const checked = checkFitOptions(options);
  const samples = prepareSamples(network, training.loss, x, y, "fit");
  const parts = split(samples, checked.validationSplit);
  if (parts.validation !== undefined) checkStateful(network, parts.validation, checked.batchSize);
  checkStateful(network, parts.training, checked.batchSize);
  if (training.isRunning) {
    throw new TypeError(`Cannot fit as a model trains once at a time: current fit is running`);
  }
  training.isRunning = true;
  try {
    return await run(network, training, parts, checked);
  } finally {
    training.isRunning = false;
  }
}

async function run(
  network: Network,
  training: Training,
  parts: { training: Samples; validation: Samples | undefined },
  options: CheckedFitOptions,
): Promise<History> {
  const { epochs, initialEpoch, signal } = options;
  const reports: EpochReport[] = [];
  const start = network.weights.map(({ data, shape }) => new Tensor(data.slice(), shape));
  const shown = fitProgress(options, countOf(parts.training));
  const turn = eventLoopTurns();
  try {
    for (let epoch = initialEpoch + 1; epoch <= epochs; epoch++) {
      const result = await trainEpoch(network, training, parts.training, options, {
        turn,
        where: (batch) => `epoch ${epoch}, batch ${batch}`,
        onBatch: (running) => shown.update(epoch, running),
      });
      if (result === undefined) break;
      const report = {
        epoch,
        ...result,
        ...validate(network, training, parts.validation, options),
      };
      reports.push(report);
      await options.onEpoch?.(report);
    }
    const aborted = signal?.aborted === true && reports.length < epochs - initialEpoch;
    const history = historyOf(reports, aborted);
    rememberStart(history, network, start);
    return history;
  } finally {
    await shown.finish(reports);
  }
}

/** Gives the event loop a turn where it has waited long enough. */
function eventLoopTurns(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < TURN_MS) return undefined;
    return new Promise((resolve) =>
      setTimeout(() => {
        last = performance.now();
        resolve();
      }, 0)
    );
  };
}
