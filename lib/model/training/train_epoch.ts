// One epoch: its samples in their order, batch after batch.

import { randomFromState } from "../../tensor/random.ts";
import type { Training } from "./compile.ts";
import type { CheckedFitOptions } from "./fit_options.ts";
import type { EpochReport } from "./history.ts";
import type { Network } from "../network.ts";
import { countOf, type Samples, take } from "./samples.ts";
import { trainBatch } from "./train_batch.ts";
import type { RunningEpoch } from "./training_state.ts";

/** What goes on around an epoch's batches. */
export interface EpochSurroundings {
  /** Awaited before each batch. */
  readonly turn: () => Promise<void> | undefined;
  /** Names a batch in an error. */
  readonly where: (batch: number) => string;
  /** Called after each batch. */
  readonly onBatch: (running: RunningEpoch) => void;
}

/** Finishes the epoch; undefined where the signal stopped it before. */
export async function trainEpoch(
  network: Network,
  training: Training,
  samples: Samples,
  { batchSize, shuffle, signal }: CheckedFitOptions,
  { turn, where, onBatch }: EpochSurroundings,
): Promise<Pick<EpochReport, "loss" | "accuracy"> | undefined> {
  const count = countOf(samples);
  const random = randomFromState(training.progress.shuffle);
  const places = shuffle
    ? random.permutation(count)
    : Array.from({ length: count }, (_, place) => place);
  let running = startOrContinue(training.progress.running, { samples: count, batchSize, shuffle });
  while (running.done < count) {
    await turn();
    if (signal?.aborted) return undefined;
    const batch = take(samples, places.slice(running.done, running.done + batchSize));
    const batchNumber = running.done / batchSize + 1;
    const { loss, accuracy } = trainBatch(network, training, batch, where(batchNumber));
    running = Object.freeze({
      ...running,
      done: running.done + countOf(batch),
      lossSum: running.lossSum + loss * countOf(batch),
      correct: running.correct + (accuracy?.correct ?? 0),
      counted: running.counted + (accuracy?.counted ?? 0),
    });
    training.progress = Object.freeze({ ...training.progress, running });
    onBatch(running);
  }
  const { running: _, epoch, ...progress } = training.progress;
  training.progress = Object.freeze({ ...progress, epoch: epoch + 1, shuffle: random.getState() });
  return {
    loss: running.lossSum / count,
    ...(training.measuresAccuracy ? { accuracy: running.correct / running.counted } : {}),
  };
}

/** The epoch that was stopped, where it is one of these samples; otherwise a new one. */
function startOrContinue(
  stopped: RunningEpoch | undefined,
  wanted: Pick<RunningEpoch, "samples" | "batchSize" | "shuffle">,
): RunningEpoch {
  const continues = stopped !== undefined && stopped.samples === wanted.samples &&
    stopped.batchSize === wanted.batchSize && stopped.shuffle === wanted.shuffle;
  return continues ? stopped : { ...wanted, done: 0, lossSum: 0, correct: 0, counted: 0 };
}
