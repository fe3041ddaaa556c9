// How often the likeliest class is the right one.

import { sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** How many were right, of how many that count. */
export interface Accuracy {
  /** How many predictions were right. */
  readonly correct: number;
  /** How many there were, masked steps left out. */
  readonly counted: number;
}

/**
 * Counts right predictions as Keras's metric `"accuracy"` does, which picks by the shapes: for one
 * output, whether it is above 0.5 as its target says (a logit's threshold would be 0, yet Keras
 * takes 0.5 there too); for one target per row of outputs, whether it is the largest one's number;
 * otherwise whether both have their largest at the same place.
 *
 * Masked steps do not count. Keras on JAX loses the mask in training, not in validation, and counts
 * them there.
 *
 * @param target what the loss prepared
 * @param output `[batch, …, width]`
 * @param mask `[batch, timesteps]`
 */
export function accuracyOf(target: Tensor, output: Tensor, mask?: Tensor): Accuracy {
  const width = output.shape.at(-1)!;
  const rows = sizeOf(output.shape.slice(0, -1));
  const repeats = mask === undefined ? 1 : rows / mask.data.length;
  const isSparse = target.shape.length < output.shape.length;
  let [correct, counted] = [0, 0];
  for (let row = 0; row < rows; row++) {
    if (mask !== undefined && mask.data[Math.floor(row / repeats)] === 0) continue;
    counted++;
    const right = width === 1
      ? target.data[row] === Number(output.data[row]! > 0.5)
      : largestAt(output, row, width) ===
        (isSparse ? target.data[row] : largestAt(target, row, width));
    if (right) correct++;
  }
  return { correct, counted };
}

/** Where the row's largest number stands; the first of equals. */
function largestAt({ data }: Tensor, row: number, width: number): number {
  let best = 0;
  for (let k = 1; k < width; k++) {
    if (data[row * width + k]! > data[row * width + best]!) best = k;
  }
  return best;
}
