import { checkOptions } from "../../../base/options.ts";
import { CROSSENTROPY_OPTIONS, type CrossentropyOptions } from "./categorical_crossentropy.ts";
import { type Loss, lossOf, prepareDense, requireTargets } from "./loss.ts";
import { clipProbability } from "./probability.ts";

/**
 * Binary cross-entropy: each output is a probability of its own, kept within [1e-7, 1 − 1e-7];
 * L = −y·ln p − (1 − y)·ln(1 − p), and the mean over everything. Where p is clipped, its gradient
 * is 0.
 *
 * With `fromLogits`, p = σ(z), unclipped; the model's last layer has no activation.
 *
 * Targets have the output's shape, `[batch]` will do for `[batch, 1]`; each within 0 to 1.
 *
 * Source: keras/src/backend/jax/nn.py, `binary_crossentropy`.
 *
 * @example
 * ```ts
 * import { binaryCrossentropy, tensor } from "@gatescope/lstm";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const { value } = binaryCrossentropy().compute(tensor([[1]]), tensor([[0.8]]));
 * assertAlmostEquals(value, -Math.log(0.8), 1e-15);
 * ```
 */
export function binaryCrossentropy(options: CrossentropyOptions = {}): Loss {
  const name = "binary_crossentropy";
  checkOptions(`make ${name}`, options, CROSSENTROPY_OPTIONS);
  const { fromLogits = false } = options;
  return lossOf(
    name,
    { from_logits: fromLogits },
    (target, outputShape) => {
      const prepared = prepareDense(name, target, outputShape);
      const rule = "each target must be within 0 to 1";
      requireTargets(name, prepared, rule, (y) => y >= 0 && y <= 1);
      return prepared;
    },
    (target, output, row, width, gradient) => {
      let loss = 0;
      for (let k = row * width; k < (row + 1) * width; k++) {
        loss += (fromLogits ? ofLogit : ofProbability)(target[k]!, output[k]!, k, gradient) / width;
        gradient[k]! /= width;
      }
      return loss;
    },
  );
}

function ofProbability(y: number, p: number, k: number, gradient: Float64Array): number {
  const clipped = clipProbability(p);
  gradient[k] = clipped === p ? (1 - y) / (1 - p) - y / p : 0;
  return -y * Math.log(clipped) - (1 - y) * Math.log(1 - clipped);
}

function ofLogit(y: number, z: number, k: number, gradient: Float64Array): number {
  // ln σ(z) = min(z, 0) − ln(1 + e^(−|z|)), which neither overflows nor loses digits
  const rest = Math.log1p(Math.exp(-Math.abs(z)));
  gradient[k] = 1 / (1 + Math.exp(-z)) - y;
  return -y * (Math.min(z, 0) - rest) - (1 - y) * (Math.min(-z, 0) - rest);
}
