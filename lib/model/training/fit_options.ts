import { checkOptions, type KeysOf } from "../../base/options.ts";
import type { EpochReport } from "./history.ts";

/** How a model is trained. */
export interface FitOptions {
  /** Up to which epoch, in all; 1 unless said. */
  readonly epochs?: number;
  /** How many epochs count as done already: `epochs − initialEpoch` are trained. 0 unless said. */
  readonly initialEpoch?: number;
  /** How many samples go into one update; 32 unless said. The last batch may be smaller. */
  readonly batchSize?: number;
  /** Whether each epoch takes the samples in a new order; true unless said. */
  readonly shuffle?: boolean;
  /** The share of the samples, the last ones, to validate on instead; 0 unless said. */
  readonly validationSplit?: number;
  /**
   * Whether progress is shown: in a notebook and in a terminal unless said; true prints it
   * elsewhere too, false nowhere.
   */
  readonly verbose?: boolean;
  /** Stops the run after the batch that is being computed. */
  readonly signal?: AbortSignal;
  /** Called, and awaited, after each epoch. */
  readonly onEpoch?: (report: EpochReport) => void | Promise<void>;
}

/** The options with their defaults. */
export type CheckedFitOptions =
  & Required<Omit<FitOptions, "verbose" | "signal" | "onEpoch">>
  & Pick<FitOptions, "verbose" | "signal" | "onEpoch">;

const OPTIONS: KeysOf<FitOptions> = {
  epochs: "optional",
  initialEpoch: "optional",
  batchSize: "optional",
  shuffle: "optional",
  validationSplit: "optional",
  verbose: "optional",
  signal: "optional",
  onEpoch: "optional",
};

/** The options with their defaults; throws where one is unknown or out of range. */
export function checkFitOptions(options: FitOptions): CheckedFitOptions {
  checkOptions("fit", options, OPTIONS);
  const checked = {
    ...options,
    epochs: options.epochs ?? 1,
    initialEpoch: options.initialEpoch ?? 0,
    batchSize: options.batchSize ?? 32,
    shuffle: options.shuffle ?? true,
    validationSplit: options.validationSplit ?? 0,
  };
  requireWhole("batchSize", checked.batchSize, 1);
  requireWhole("initialEpoch", checked.initialEpoch, 0);
  requireWhole("epochs", checked.epochs, checked.initialEpoch + 1);
  const { shuffle, validationSplit } = checked;
  if (typeof shuffle !== "boolean") {
    throw new TypeError(
      `Cannot fit: shuffle must be true or false, but it is ${JSON.stringify(shuffle)}`,
    );
  }
  if (!(validationSplit >= 0 && validationSplit < 1)) {
    throw new RangeError(
      `Cannot fit: validationSplit must be at least 0 and below 1, but it is ${validationSplit}`,
    );
  }
  return checked;
}

function requireWhole(option: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(
    `Cannot fit: ${option} must be a whole number from ${least}, but it is ${value}`,
  );
}
