import { refuseOptions } from "../../../base/options.ts";
import { type Loss, lossOf, prepareDense, requireTargets } from "./loss.ts";

/**
 * The mean squared error: L = (p − y)², and the mean over everything; its gradient is 2·(p − y).
 *
 * Targets have the output's shape; `[batch]` will do for `[batch, 1]`.
 *
 * Source: keras/src/losses/losses.py, `mean_squared_error`.
 *
 * @example
 * ```ts
 * import { meanSquaredError, tensor } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(meanSquaredError().compute(tensor([[1, 2]]), tensor([[1, 4]])).value, 2);
 * ```
 */
export function meanSquaredError(): Loss {
  const name = "mean_squared_error";
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
        loss += error * error / width;
        gradient[k] = 2 * error / width;
      }
      return loss;
    },
  );
}
