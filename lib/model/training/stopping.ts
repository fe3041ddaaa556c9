// When training no longer helps (keras/src/callbacks/early_stopping.py, Keras 3.15.1).

import type { Tensor } from "../../tensor/tensor.ts";
import type { Network } from "../network.ts";
import type { EarlyStopping } from "./fit_options.ts";
import type { EpochReport } from "./history.ts";

/** Sees each epoch, and keeps the weights of the best one. */
export class Stopping {
  readonly #network: Network;
  readonly #options: EarlyStopping;
  #best = Infinity;
  #weights: readonly Tensor[] | undefined;
  #waited = 0;

  /** Nothing was seen yet. */
  constructor(network: Network, options: EarlyStopping) {
    this.#network = network;
    this.#options = options;
  }

  /** Whether so many epochs have passed since the best one that it is over. */
  isOver(report: EpochReport): boolean {
    const { monitor, patience = 0, minDelta = 0 } = this.#options;
    const value = report[monitor ?? (report.valLoss === undefined ? "loss" : "valLoss")]!;
    if (value + minDelta < this.#best) {
      this.#best = value;
      this.#weights = this.#network.keptWeights;
      this.#waited = 0;
      return false;
    }
    this.#waited++;
    return this.#waited >= Math.max(patience, 1);
  }

  /** Puts the weights of the best epoch back. */
  restore(): void {
    const { restoreBestWeights = true } = this.#options;
    if (restoreBestWeights && this.#weights !== undefined) this.#network.weights = this.#weights;
  }
}
