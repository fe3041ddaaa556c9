import { amongNames } from "../../../base/names.ts";
import { binaryCrossentropy } from "./binary_crossentropy.ts";
import { categoricalCrossentropy } from "./categorical_crossentropy.ts";
import type { Loss, LossName } from "./loss.ts";
import { meanAbsoluteError } from "./mean_absolute_error.ts";
import { meanSquaredError } from "./mean_squared_error.ts";
import { sparseCategoricalCrossentropy } from "./sparse_categorical_crossentropy.ts";

/** What `compile` takes for a loss: Keras's name or short name, or a loss with its options. */
export type LossIdentifier = LossName | "mse" | "mae" | Loss;

const LOSSES: Readonly<Record<LossName | "mse" | "mae", () => Loss>> = {
  categorical_crossentropy: categoricalCrossentropy,
  sparse_categorical_crossentropy: sparseCategoricalCrossentropy,
  binary_crossentropy: binaryCrossentropy,
  mean_squared_error: meanSquaredError,
  mse: meanSquaredError,
  mean_absolute_error: meanAbsoluteError,
  mae: meanAbsoluteError,
};

/** The loss of that name, with Keras's defaults; a loss itself as it is. */
export function getLoss(loss: LossIdentifier): Loss {
  if (typeof loss === "object" && loss !== null && typeof loss.compute === "function") return loss;
  if (typeof loss === "string" && Object.hasOwn(LOSSES, loss)) return LOSSES[loss as LossName]();
  throw new RangeError(
    `Cannot compile: the loss must be ${amongNames(loss, Object.keys(LOSSES))}`,
  );
}
