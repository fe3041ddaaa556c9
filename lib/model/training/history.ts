import { shownAs } from "../../base/shown.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Network } from "../network.ts";

/** What one epoch came to. */
export interface EpochReport {
  /** The epoch's number, from 1 (after `initialEpoch`). */
  readonly epoch: number;
  /**
   * The mean over samples of the batches' losses, each taken before its update; what Keras reports.
   */
  readonly loss: number;
  /** How many predictions were right, 0 to 1, taken as the loss was; where it is measured. */
  readonly accuracy?: number;
  /** The loss of the samples kept for validation, after the epoch; where there are any. */
  readonly valLoss?: number;
  /** Their accuracy. */
  readonly valAccuracy?: number;
}

/** What a run of `fit` came to, epoch by epoch; it shows itself as a chart of the losses. */
export interface History {
  /** The epochs' numbers. */
  readonly epoch: number[];
  /** The loss of each epoch, as Keras reports it. */
  readonly loss: number[];
  /** The accuracy of each epoch, where it is measured. */
  readonly accuracy?: number[];
  /** The validation loss of each epoch, where samples are kept for it. */
  readonly valLoss?: number[];
  /** The validation accuracy of each epoch. */
  readonly valAccuracy?: number[];
  /** Whether an AbortSignal stopped the run; an epoch that it cut short is not in the lists. */
  readonly aborted: boolean;
}

/** The lists of these epochs' reports. */
export function historyOf(reports: readonly EpochReport[], aborted: boolean): History {
  const list = (name: "accuracy" | "valLoss" | "valAccuracy") => {
    const values = reports.flatMap((report) => report[name] ?? []);
    return values.length > 0 ? { [name]: values } : {};
  };
  return Object.freeze(shownAs<History>("History", {
    epoch: reports.map(({ epoch }) => epoch),
    loss: reports.map(({ loss }) => loss),
    ...list("accuracy"),
    ...list("valLoss"),
    ...list("valAccuracy"),
    aborted,
  }));
}

/** Where a run of `fit` began. */
export interface FitStart {
  readonly network: Network;
  /** Its weights then. */
  readonly weights: readonly Tensor[];
}

const starts = new WeakMap<History, FitStart>();

/** Keeps where a run began, for as long as its history is kept. */
export function rememberStart(
  history: History,
  network: Network,
  weights: readonly Tensor[],
): void {
  starts.set(history, { network, weights });
}

/** Where the run of this history began; unknown of a copy. */
export function startOf(history: History): FitStart | undefined {
  return starts.get(history);
}
