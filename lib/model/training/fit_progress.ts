// What the updating line says while a model trains.

import { formatDuration } from "../../display/duration.ts";
import { formatNumber } from "../../display/number.ts";
import { progress } from "../../display/progress.ts";
import type { CheckedFitOptions } from "./fit_options.ts";
import type { EpochReport } from "./history.ts";
import type { RunningEpoch } from "./training_state.ts";

const DIGITS = 4;

/** The line of one run of `fit`. */
export interface FitProgress {
  /** After each batch. */
  update(epoch: number, running: RunningEpoch): void;
  /** When the run has ended, whichever way. */
  finish(reports: readonly EpochReport[]): Promise<void>;
}

/** `epoch 3/60 · batch 12/40 · loss 0.4312 · 5 s left` */
export function fitProgress(options: CheckedFitOptions, samples: number): FitProgress {
  const { epochs, initialEpoch, batchSize, verbose } = options;
  const line = progress(verbose);
  const began = performance.now();
  const all = (epochs - initialEpoch) * samples;
  let doneBefore: number | undefined; // what a run that goes on found done
  return {
    update(epoch, { done, lossSum, correct, counted }) {
      const before = doneBefore ??= done - Math.min(batchSize, done);
      line.update(() => {
        const trained = (epoch - initialEpoch - 1) * samples + done;
        const elapsed = performance.now() - began;
        const left = elapsed / Math.max(1, trained - before) * (all - trained);
        return [
          `epoch ${epoch}/${epochs}`,
          `batch ${Math.ceil(done / batchSize)}/${Math.ceil(samples / batchSize)}`,
          `loss ${formatNumber(lossSum / done, { digits: DIGITS })}`,
          ...(counted > 0
            ? [`accuracy ${formatNumber(correct / counted, { digits: DIGITS })}`]
            : []),
          `${formatDuration(left)} left`,
        ].join(" · ");
      });
    },
    finish(reports) {
      const { epoch = initialEpoch, ...last } = reports.at(-1) ?? {};
      return line.finish([
        `epoch ${epoch}/${epochs}`,
        ...Object.entries(last).map(([name, value]) =>
          `${NAMES[name as keyof typeof NAMES]} ${formatNumber(value, { digits: DIGITS })}`
        ),
        formatDuration(performance.now() - began),
      ].join(" · "));
    },
  };
}

const NAMES = {
  loss: "loss",
  accuracy: "accuracy",
  valLoss: "validation loss",
  valAccuracy: "validation accuracy",
} as const;
