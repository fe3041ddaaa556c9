import { kindOf } from "../../base/kind.ts";
import { amongNames } from "../../base/names.ts";
import { checkOptions, type KeysOf } from "../../base/options.ts";
import type { TensorLike } from "../../tensor/tensor.ts";
import type { ModelInput } from "../inputs.ts";
import type { EpochReport } from "./history.ts";

/** When training stops because it no longer helps: Keras's EarlyStopping. */
export interface EarlyStopping {
  /** What is to become smaller. Default: `"valLoss"` where there is one, else `"loss"`. */
  readonly monitor?: "loss" | "valLoss";
  /** How many epochs may pass without a smaller one. Default: 0. */
  readonly patience?: number;
  /** By how much it must be smaller, at least. Default: 0. */
  readonly minDelta?: number;
  /** Whether the weights of the best epoch come back at the end. Default: true. */
  readonly restoreBestWeights?: boolean;
}

const EARLY_STOPPING: KeysOf<EarlyStopping> = {
  monitor: "optional",
  patience: "optional",
  minDelta: "optional",
  restoreBestWeights: "optional",
};

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
  /** The share of the samples, the last ones, to validate on instead. Default: 0. */
  readonly validationSplit?: number;
  /** Samples of their own to validate on, with their targets. Default: none. */
  readonly validationData?: readonly [x: ModelInput, y: ModelInput];
  /** What each sample's loss counts, `[samples]`. Default: 1 each. */
  readonly sampleWeight?: TensorLike;
  /** What the loss of each class counts, by its number; of one output of classes. Default: 1 each. */
  readonly classWeight?: Readonly<Record<number, number>>;
  /** When to stop before the last epoch. Default: never. */
  readonly earlyStopping?: EarlyStopping;
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
  & Required<Pick<FitOptions, NeedsDefault>>
  & Omit<FitOptions, NeedsDefault>;

type NeedsDefault = "epochs" | "initialEpoch" | "batchSize" | "shuffle" | "validationSplit";

const OPTIONS: KeysOf<FitOptions> = {
  epochs: "optional",
  initialEpoch: "optional",
  batchSize: "optional",
  shuffle: "optional",
  validationSplit: "optional",
  validationData: "optional",
  sampleWeight: "optional",
  classWeight: "optional",
  earlyStopping: "optional",
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
  const { validationData, earlyStopping } = options;
  if (validationData !== undefined) {
    if (validationSplit > 0) {
      throw new RangeError(
        `Cannot fit: validation samples come from validationSplit or from validationData, ` +
          `but both are given`,
      );
    }
    if (!Array.isArray(validationData) || validationData.length !== 2) {
      throw new TypeError(
        `Cannot fit: validationData must be [x, y], but ${kindOf(validationData)} was given`,
      );
    }
  }
  if (earlyStopping !== undefined) checkEarlyStopping(earlyStopping, checked);
  return checked;
}

function checkEarlyStopping(given: EarlyStopping, options: FitOptions): void {
  checkOptions("fit", given, EARLY_STOPPING, "earlyStopping's parts");
  const { monitor, patience = 0, minDelta = 0, restoreBestWeights = true } = given;
  requireWhole("patience", patience, 0);
  const validates = options.validationData !== undefined || options.validationSplit! > 0;
  if (monitor !== undefined && monitor !== "loss" && monitor !== "valLoss") {
    throw new RangeError(`Cannot fit: monitor must be ${amongNames(monitor, ["loss", "valLoss"])}`);
  }
  if (monitor === "valLoss" && !validates) {
    throw new RangeError(
      `Cannot fit: valLoss is there with validation samples, but there are none`,
    );
  }
  if (!(minDelta >= 0 && minDelta < Infinity)) {
    throw new RangeError(`Cannot fit: minDelta must be a number from 0, but it is ${minDelta}`);
  }
  if (typeof restoreBestWeights !== "boolean") {
    throw new TypeError(
      `Cannot fit: restoreBestWeights must be true or false, but it is ${
        kindOf(restoreBestWeights)
      }`,
    );
  }
}

function requireWhole(option: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(
    `Cannot fit: ${option} must be a whole number from ${least}, but it is ${value}`,
  );
}
