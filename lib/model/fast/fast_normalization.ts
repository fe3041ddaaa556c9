// Batch normalization: by the moving moments, or in training by the batch's own.

import { gradientOfNormalized, momentsOfRows, normalizeRows } from "../../compute/normalization.ts";
import type { FastNormalization } from "../../layers/fast_form.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { numbersOf } from "./chain.ts";
import { type FastRun, predicted } from "./fast_run.ts";

/** What it gives, and in training what becomes of the moving moments. */
export function fastNormalization(
  { epsilon, momentum, center, scale }: FastNormalization,
  x: Tensor,
  weights: readonly Tensor[],
  training: boolean,
): FastRun {
  const data = numbersOf(x);
  const [movingMean, movingVariance] = weights.slice(-2).map(numbersOf);
  const shaped = {
    gamma: scale ? numbersOf(weights[0]!) : undefined,
    beta: center ? numbersOf(weights.at(-3)!) : undefined,
  };
  if (!training) {
    const moments = { mean: movingMean!, variance: movingVariance! };
    return predicted(normalizeRows(data, moments, shaped, epsilon), x.shape);
  }
  const moments = momentsOfRows(data, movingMean!.length);
  const like = (values: ArrayLike<number>) =>
    new Tensor(Float64Array.from(values), weights.at(-1)!.shape);
  const moved = (kept: ArrayLike<number>, now: ArrayLike<number>) =>
    like(Float64Array.from(kept, (value, c) => value * momentum + now[c]! * (1 - momentum)));
  return {
    output: new Tensor(normalizeRows(data, moments, shaped, epsilon), x.shape),
    backward: (gradient) => {
      const g = gradientOfNormalized(numbersOf(gradient), data, moments, shaped, epsilon);
      return {
        input: new Tensor(g.x, x.shape),
        weights: [...(scale ? [like(g.gamma)] : []), ...(center ? [like(g.beta)] : [])],
      };
    },
    updates: [
      ...weights.slice(0, -2).map(() => undefined),
      moved(movingMean!, moments.mean),
      moved(movingVariance!, moments.variance),
    ],
  };
}
