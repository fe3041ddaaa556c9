// Epoch after epoch, batch after batch; loaded when a model is trained.

import { arrival } from "../../display/jupyter.ts";
import { CutOff, Turns } from "../../display/turns.ts";
import type { Network } from "../network.ts";
import type { Training } from "./compile.ts";
import type { CheckedFitOptions } from "./fit_options.ts";
import { type FitProgress, fitProgress } from "./fit_progress.ts";
import { type EpochReport, type History, historyOf, rememberStart } from "./history.ts";
import { countOf, type Samples } from "./samples.ts";
import { Stopping } from "./stopping.ts";
import { trainEpoch } from "./train_epoch.ts";
import { validate } from "./validate.ts";

/** The samples to train on, and those to validate on. */
export interface Parts {
  readonly training: Samples;
  readonly validation: Samples | undefined;
}

/** What `fit` does once all is checked. */
export async function trainingRun(
  network: Network,
  training: Training,
  parts: Parts,
  options: CheckedFitOptions,
): Promise<History> {
  const turns = new Turns();
  const reports: EpochReport[] = [];
  const shown = fitProgress(options, countOf(parts.training));
  let kept = placeOf(network, training);
  const turn = () => {
    const pause = turns.turn();
    if (pause !== undefined) kept = placeOf(network, training);
    return pause;
  };
  try {
    return await turns.guard(() =>
      run(network, training, parts, options, { turns, turn, shown, reports })
    );
  } catch (error) {
    if (!(error instanceof CutOff)) throw error;
    network.weights = kept.weights;
    network.states = kept.states;
    training.progress = kept.progress;
    // Its last message may have been cut off as well.
    await Promise.race([shown.finish(reports), arrival()]);
    throw stopped(reports.at(-1)?.epoch ?? options.initialEpoch, training);
  }
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
  parts: Parts,
  options: CheckedFitOptions,
  { turns, turn, shown, reports }: Surroundings,
): Promise<History> {
  const { epochs, initialEpoch, signal } = options;
  const start = network.keptWeights;
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
function placeOf({ keptWeights, states }: Network, { progress }: Training) {
  return { weights: keptWeights, states, progress };
}

function stopped(epoch: number, { progress: { running } }: Training): DOMException {
  const place = running === undefined ? "" : ` and ${running.done} samples of the next one`;
  return new DOMException(
    "Cannot go on with fit: the Deno kernel was told to stop, but nothing is lost; the model is as it was after " +
      `epoch ${epoch}${place}, and fit goes on from there`,
    "AbortError",
  );
}
