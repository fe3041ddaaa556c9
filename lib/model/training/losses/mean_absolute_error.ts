import { refuseOptions } from "../../../base/options.ts";
import { type Loss, lossOf, prepareDense, requireTargets } from "./loss.ts";

/**
 * The mean absolute error: L = |p − y|, and the mean over everything; its gradient is the sign of
 * p − y, 0 where they are equal.
 *
 * Targets have the output's shape; `[batch]` will do for `[batch, 1]`.
 *
 * Source: keras/src/losses/losses.py, `mean_absolute_error`.
 *
 * @example
 * ```ts
 * import { meanAbsoluteError, tensor } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(meanAbsoluteError().compute(tensor([[1, 2]]), tensor([[1, 4]])).value, 1);
 * ```
 */
export function meanAbsoluteError(): Loss {
  const name = "mean_absolute_error";
  refuseOptions(`make ${name}`, arguments, 0);
  return lossOf(
    name,
    {},
    (target, outputShape) => {
      const prepared = prepareDense(name, target, outputShape);
      requireTargets(name, prepared, "each target must be a finite number", Number.isFinite);
      return prepared;
    },
    (target, output, row, width, gradient) => {
      let loss = 0;
      for (let k = row * width; k < (row + 1) * width; k++) {
        const error = output[k]! - target[k]!;
        loss += Math.abs(error) / width;
        gradient[k] = Math.sign(error) / width;
      }
      return loss;
    },
  );
}
