import { nearestNames } from "../../display/nearest_names.ts";
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

const KNOWN: readonly (keyof FitOptions)[] = [
  "epochs",
  "initialEpoch",
  "batchSize",
  "shuffle",
  "validationSplit",
  "verbose",
  "signal",
  "onEpoch",
];

/** The options with their defaults; throws where one is unknown or out of range. */
export function checkFitOptions(options: FitOptions): CheckedFitOptions {
  for (const name of Object.keys(options)) {
    if (!(KNOWN as readonly string[]).includes(name)) {
      throw new TypeError(
        `Cannot fit as its options are ${nearestNames(name, KNOWN)}: current option is ${name}`,
      );
    }
  }
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
      `Cannot fit as shuffle must be true or false: current shuffle is ${JSON.stringify(shuffle)}`,
    );
  }
  if (!(validationSplit >= 0 && validationSplit < 1)) {
    throw new RangeError(
      `Cannot fit as validationSplit must be at least 0 and below 1: ` +
        `current validationSplit is ${validationSplit}`,
    );
  }
  return checked;
}

function requireWhole(option: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(
    `Cannot fit as ${option} must be a whole number from ${least}: current ${option} is ${value}`,
  );
}
