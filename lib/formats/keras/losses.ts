// The losses of a compiled model, out of Keras's files.

import { amongNames } from "../../base/names.ts";
import { isRecord } from "../../files/json.ts";
import { binaryCrossentropy } from "../../model/training/losses/binary_crossentropy.ts";
import { categoricalCrossentropy } from "../../model/training/losses/categorical_crossentropy.ts";
import { getLoss, type LossIdentifier } from "../../model/training/losses/get_loss.ts";
import type { Loss, LossName } from "../../model/training/losses/loss.ts";
import { sparseCategoricalCrossentropy } from "../../model/training/losses/sparse_categorical_crossentropy.ts";
import { isKerasOwn } from "./options.ts";

type Config = Readonly<Record<string, unknown>>;

/** Options that change a loss, and the values of each that are known here; the mean over the batch has
 * several names. */
const ONLY_LOSS: Readonly<Record<string, readonly unknown[]>> = {
  label_smoothing: [0],
  reduction: ["sum_over_batch_size", "mean", "mean_with_sample_weight", "auto"],
  axis: [-1],
  ignore_class: [null],
};

const LOSSES: Readonly<
  Record<string, LossName | ((options: { fromLogits?: boolean }) => Loss)>
> = {
  CategoricalCrossentropy: categoricalCrossentropy,
  SparseCategoricalCrossentropy: sparseCategoricalCrossentropy,
  BinaryCrossentropy: binaryCrossentropy,
  MeanSquaredError: "mean_squared_error",
  MeanAbsoluteError: "mean_absolute_error",
};

/**
 * The loss of each output: one for all, a list in their order, or by their names.
 *
 * @throws {RangeError} where one is not known here, or an output has none.
 */
export function lossesOf(given: unknown, names: readonly string[]): LossIdentifier[] {
  if (Array.isArray(given) && given.length === names.length) return given.map(lossOf);
  if (!isRecord(given) || given.class_name !== undefined) return names.map(() => lossOf(given));
  return ofEach(given, names).map((loss, k) => {
    if (loss === undefined) throw new RangeError(`the output ${names[k]} has no loss`);
    return lossOf(loss);
  });
}

/**
 * What each output's loss counts in the sum; those of no name count whole.
 *
 * @throws {RangeError} where it is no number.
 */
export function lossWeightsOf(given: unknown, names: readonly string[]): number[] {
  const isOne = typeof given === "number" && names.length === 1;
  const weights = isOne
    ? [given]
    : Array.isArray(given) && given.length === names.length
    ? given
    : isRecord(given)
    ? ofEach(given, names)
    : (given ?? null) === null
    ? names.map(() => undefined)
    : [given];
  return weights.map((weight) => {
    const whole = weight ?? 1;
    if (weights.length === names.length && typeof whole === "number") return whole;
    throw new RangeError(`its loss_weights are ${JSON.stringify(given)?.slice(0, 200)}`);
  });
}

function ofEach(given: Config, names: readonly string[]): unknown[] {
  const stray = Object.keys(given).find((key) => !names.includes(key));
  if (stray !== undefined) {
    throw new RangeError(`each of its losses must be of ${amongNames(stray, names)}`);
  }
  return names.map((name) => given[name]);
}

function lossOf(given: unknown): LossIdentifier {
  if (typeof given === "string") return getLoss(given as LossName);
  const { class_name: className, config } = isRecord(given) ? given : {};
  const make = typeof className === "string" && Object.hasOwn(LOSSES, className)
    ? LOSSES[className]
    : undefined;
  const options = isRecord(config) ? config : {};
  const isKnown = Object.entries(ONLY_LOSS).every(([option, known]) =>
    !Object.hasOwn(options, option) || known.includes(options[option])
  );
  if (make === undefined || !isKnown || !isKerasOwn(given as Config)) {
    throw new RangeError(`the loss is ${JSON.stringify(given)?.slice(0, 200)}`);
  }
  if (typeof make === "string") return make;
  return make({ fromLogits: options.from_logits === true });
}
