import { checkOptions, type KeysOf } from "../../../base/options.ts";
import { formatShape } from "../../../tensor/shape.ts";
import { type Loss, type LossName, lossOf, prepareDense, requireTargets } from "./loss.ts";
import { clipProbability } from "./probability.ts";

/** How a cross-entropy reads the output. */
export interface CrossentropyOptions {
  /** Whether the output are logits, before the softmax or sigmoid; false unless said. */
  readonly fromLogits?: boolean;
}

export const CROSSENTROPY_OPTIONS: KeysOf<CrossentropyOptions> = {
  fromLogits: "optional",
};

/**
 * Categorical cross-entropy between one-hot targets and probabilities, as Keras's JAX, torch and
 * NumPy backends take it: p ← p / Σp, kept within [1e-7, 1 − 1e-7]; L = −Σ y·ln p, and the mean
 * over samples and timesteps. Where a probability is clipped, its gradient is 0.
 *
 * With `fromLogits`, L = −Σ y·ln softmax(z), unclipped; the model's last layer has no activation.
 *
 * Targets are `[batch, classes]`, or `[batch, timesteps, classes]`, each within 0 to 1.
 *
 * Source: keras/src/backend/jax/nn.py, `categorical_crossentropy`.
 *
 * @example
 * ```ts
 * import { categoricalCrossentropy, tensor } from "@gatescope/lstm";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const { value } = categoricalCrossentropy().compute(tensor([[0, 1]]), tensor([[0.2, 0.8]]));
 * assertAlmostEquals(value, -Math.log(0.8), 1e-15);
 * ```
 */
export function categoricalCrossentropy(options: CrossentropyOptions = {}): Loss {
  const name = "categorical_crossentropy";
  checkOptions(`make ${name}`, options, CROSSENTROPY_OPTIONS);
  const { fromLogits = false } = options;
  return lossOf(
    name,
    { from_logits: fromLogits },
    (target, outputShape) => {
      requireClasses(name, outputShape);
      const prepared = prepareDense(name, target, outputShape);
      const rule = "one-hot targets must be within 0 to 1";
      requireTargets(name, prepared, rule, (y) => y >= 0 && y <= 1);
      return prepared;
    },
    (target, output, row, width, gradient) =>
      crossentropyOfRow((k) => target[row * width + k]!, output, row, width, gradient, fromLogits),
  );
}

/** Cross-entropy over classes says nothing where there is one: it is 0 whatever the output. */
export function requireClasses(name: LossName, outputShape: readonly number[]): void {
  if (outputShape.at(-1)! >= 2) return;
  throw new TypeError(
    `Cannot take ${name}: the output must have 2 classes or more (for one probability, ` +
      `take binary_crossentropy), but the shape is ${formatShape(outputShape)}`,
  );
}

/** One row's −Σ y·ln p, and its gradient by the row. */
export function crossentropyOfRow(
  yOf: (k: number) => number,
  output: Float64Array,
  row: number,
  width: number,
  gradient: Float64Array,
  fromLogits: boolean,
): number {
  const start = row * width;
  const p = output.subarray(start, start + width);
  const slope = gradient.subarray(start, start + width);
  return fromLogits ? ofLogits(yOf, p, slope) : ofProbabilities(yOf, p, slope);
}

function ofProbabilities(
  yOf: (k: number) => number,
  p: Float64Array,
  slope: Float64Array,
): number {
  const total = p.reduce((sum, value) => sum + value, 0);
  let loss = 0;
  let along = 0; // Σ ∂L/∂q·q: what dividing by the sum takes back
  for (let k = 0; k < p.length; k++) {
    const q = p[k]! / total;
    const clipped = clipProbability(q);
    const y = yOf(k);
    loss -= y * Math.log(clipped);
    slope[k] = clipped === q ? -y / q : 0;
    along += slope[k]! * q;
  }
  for (let k = 0; k < p.length; k++) slope[k] = (slope[k]! - along) / total;
  return loss;
}

function ofLogits(yOf: (k: number) => number, z: Float64Array, slope: Float64Array): number {
  const largest = z.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = z.reduce((sum, value) => sum + Math.exp(value - largest), 0);
  const logTotal = largest + Math.log(total);
  let loss = 0;
  let sumOfTargets = 0;
  for (let k = 0; k < z.length; k++) {
    loss -= yOf(k) * (z[k]! - logTotal);
    sumOfTargets += yOf(k);
  }
  for (let k = 0; k < z.length; k++) {
    slope[k] = sumOfTargets * Math.exp(z[k]! - logTotal) - yOf(k);
  }
  return loss;
}
