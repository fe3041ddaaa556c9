// Epoch after epoch, batch after batch.

import { arrival } from "../../display/jupyter.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Training } from "./compile.ts";
import { type CheckedFitOptions, checkFitOptions, type FitOptions } from "./fit_options.ts";
import { type FitProgress, fitProgress } from "./fit_progress.ts";
import { type EpochReport, type History, historyOf, rememberStart } from "./history.ts";
import type { Network } from "../network.ts";
import { checkStateful, prepareSamples } from "./prepare_samples.ts";
import { countOf, type Samples, split } from "./samples.ts";
import { trainEpoch } from "./train_epoch.ts";
import { CutOff, Turns } from "../../display/turns.ts";
import { sampleWeightsOf } from "./sample_weights.ts";
import { Stopping } from "./stopping.ts";
import { validate } from "./validate.ts";
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
  const turns = new Turns();
  const reports: EpochReport[] = [];
  const shown = fitProgress(checked, countOf(parts.training));
  let kept = placeOf(network, training);
  const turn = () => {
    const pause = turns.turn();
    if (pause !== undefined) kept = placeOf(network, training);
    return pause;
  };
  try {
    return await turns.guard(() =>
      run(network, training, parts, checked, { turns, turn, shown, reports })
    );
  } catch (error) {
    if (!(error instanceof CutOff)) throw error;
    network.weights = kept.weights;
    network.states = kept.states;
    training.progress = kept.progress;
    // Its last message may have been cut off as well.
    await Promise.race([shown.finish(reports), arrival()]);
    throw stopped(reports.at(-1)?.epoch ?? checked.initialEpoch, training);
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
): { training: Samples; validation: Samples | undefined } {
  if (validationData === undefined) return split(samples, validationSplit);
  const validation = prepareSamples(network, training.losses, ...validationData, "fit");
  return { training: samples, validation };
}

interface Surroundings {
  readonly turns: Turns;
  readonly turn: () => Promise<void> | undefined;
  readonly shown: FitProgress;
  readonly reports: EpochReport[];
}

async function run(
  network: Network,
  training: Training,
  parts: { training: Samples; validation: Samples | undefined },
  options: CheckedFitOptions,
  { turns, turn, shown, reports }: Surroundings,
): Promise<History> {
  const { epochs, initialEpoch, signal } = options;
  const start = network.weights.map(({ data, shape }) => new Tensor(data.slice(), shape));
  try {
    const stopping = options.earlyStopping && new Stopping(network, options.earlyStopping);
    for (let epoch = initialEpoch + 1; epoch <= epochs; epoch++) {
      const result = await trainEpoch(network, training, parts.training, options, {
        turn,
        where: (batch) => `epoch ${epoch}, batch ${batch}`,
        onBatch: (running) => shown.update(epoch, running),
      });
      if (result === undefined) break;
      const report = Object.freeze({
        epoch,
        ...result,
        ...validate(network, training, parts.validation, options),
      });
      reports.push(report);
      if (options.onEpoch !== undefined) await turns.elsewhere(options.onEpoch(report));
      if (stopping?.isOver(report) === true) break;
    }
    stopping?.restore();
    const aborted = signal?.aborted === true && reports.length < epochs - initialEpoch;
    const history = historyOf(reports, aborted);
    rememberStart(history, network, start);
    return history;
  } finally {
    await turns.elsewhere(shown.finish(reports));
  }
}

/** Where a model is in its training; nothing of it is changed later, only replaced. */
function placeOf({ weights, states }: Network, { progress }: Training) {
  return { weights, states, progress };
}

function stopped(epoch: number, { progress: { running } }: Training): DOMException {
  const place = running === undefined ? "" : ` and ${running.done} samples of the next one`;
  return new DOMException(
    "Cannot go on with fit: the Deno kernel was told to stop, but nothing is lost; the model is as it was after " +
      `epoch ${epoch}${place}, and fit goes on from there`,
    "AbortError",
  );
}
