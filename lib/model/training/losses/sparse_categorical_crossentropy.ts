import { checkOptions } from "../../../base/options.ts";
import { formatShape, sameShape } from "../../../tensor/shape.ts";
import {
  CROSSENTROPY_OPTIONS,
  crossentropyOfRow,
  type CrossentropyOptions,
  requireClasses,
} from "./categorical_crossentropy.ts";
import { type Loss, lossOf, requireTargets } from "./loss.ts";

/**
 * Categorical cross-entropy whose targets are the classes' numbers, 0 to classes − 1: the same as
 * {@linkcode categoricalCrossentropy} of one-hot rows, L = −ln p[y].
 *
 * Targets are `[batch]`, or `[batch, timesteps]`; a last axis of 1 may stand behind.
 *
 * Source: keras/src/backend/jax/nn.py, `sparse_categorical_crossentropy`.
 *
 * @example
 * ```ts
 * import { sparseCategoricalCrossentropy, tensor } from "@gatescope/lstm";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const { value } = sparseCategoricalCrossentropy().compute(tensor([1]), tensor([[0.2, 0.8]]));
 * assertAlmostEquals(value, -Math.log(0.8), 1e-15);
 * ```
 */
export function sparseCategoricalCrossentropy(options: CrossentropyOptions = {}): Loss {
  const name = "sparse_categorical_crossentropy";
  checkOptions(`make ${name}`, options, CROSSENTROPY_OPTIONS);
  const { fromLogits = false } = options;
  return lossOf(
    name,
    { from_logits: fromLogits },
    (target, outputShape) => {
      requireClasses(name, outputShape);
      const wanted = outputShape.slice(0, -1);
      const classes = outputShape.at(-1)!;
      const prepared = sameShape(target.shape, [...wanted, 1]) ? target.reshape(wanted) : target;
      if (!sameShape(prepared.shape, wanted)) {
        throw new TypeError(
          `Cannot take ${name}: its targets are one class each, ${formatShape(wanted)} ` +
            `(for one-hot rows, take categorical_crossentropy), ` +
            `but the shape is ${formatShape(target.shape)}`,
        );
      }
      const rule = `each target must be one of the classes 0 to ${classes - 1}`;
      const isClass = (y: number) => Number.isInteger(y) && y >= 0 && y < classes;
      requireTargets(name, prepared, rule, isClass);
      return prepared;
    },
    (target, output, row, width, gradient) => {
      const label = target[row];
      const yOf = (k: number) => k === label ? 1 : 0;
      return crossentropyOfRow(yOf, output, row, width, gradient, fromLogits);
    },
  );
}
