// Which samples go together: the part kept for validation, and the batches.

import { sizeOf } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** Inputs with their targets. */
export interface Samples {
  /** `[samples, …]`, for each input. */
  readonly x: readonly Tensor[];
  /** `[samples, …]`, for each output as its loss prepared them. */
  readonly y: readonly Tensor[];
  /** What each sample's loss counts, `[samples]`; 1 each where there are none. */
  readonly weights?: Tensor | undefined;
}

/** Some of the samples. */
export interface Batch extends Samples {
  /** Where each stands among all. */
  readonly places: readonly number[];
}

/** How many samples there are. */
export function countOf({ x }: Samples): number {
  return x[0]!.shape[0]!;
}

/** The samples at these places, in this order; copies. */
export function take({ x, y, weights }: Samples, places: readonly number[]): Batch {
  const rows = (one: Tensor) => takeRows(one, places);
  return { x: x.map(rows), y: y.map(rows), weights: weights && rows(weights), places };
}

/**
 * The samples to train on and those to validate on, the last ones, as Keras splits them
 * (keras/src/trainers/data_adapters/array_slicing.py): ⌊count·(1 − share)⌋ are trained on.
 *
 * @throws {RangeError} where one part would be empty.
 */
export function split(
  samples: Samples,
  validationSplit: number,
): { training: Samples; validation: Samples | undefined } {
  if (validationSplit === 0) return { training: samples, validation: undefined };
  const count = countOf(samples);
  const at = Math.floor(count * (1 - validationSplit));
  if (at === 0 || at === count) {
    throw new RangeError(
      `Cannot fit: both parts of a validation split need samples, ` +
        `but validationSplit ${validationSplit} parts ${count} into ${at} and ${count - at}`,
    );
  }
  const places = Array.from({ length: count }, (_, place) => place);
  return {
    training: take(samples, places.slice(0, at)),
    validation: take(samples, places.slice(at)),
  };
}

function takeRows({ data, shape }: Tensor, places: readonly number[]): Tensor {
  const size = sizeOf(shape.slice(1));
  const taken = data.slice(0, places.length * size);
  places.forEach((place, k) => {
    taken.set(data.subarray(place * size, (place + 1) * size), k * size);
  });
  return new Tensor(taken, [places.length, ...shape.slice(1)]);
}
