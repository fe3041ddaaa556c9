// Differences between what the equations give and what is expected, and where they are.

import type { Tensor } from "../../tensor/tensor.ts";
import { UNBOUNDED } from "../../values/bounds/estimate.ts";
import type { LstmValue } from "../../cells/lstm.ts";
import { distance, relativeDistance, ulpOf } from "../../values/bounds/float32.ts";

/** A place in a run. */
export interface ProofPlace {
  /** As in `trace(model, x).names`; for a prediction, the model's last layer. */
  readonly layer: string;
  /** A gate, a state, the `output` of a layer, or the prediction. */
  readonly value: LstmValue | "prediction";
  /** Which sample of the batch. */
  readonly sample: number;
  /** Which timestep; not there in a prediction that has none. */
  readonly timestep?: number;
  /** Which unit; of a prediction, which of its numbers. */
  readonly unit: number;
}

/** Two numbers at one place. */
export interface Difference extends ProofPlace {
  /** By the equations; inside of a model, from the values expected before it. */
  readonly actual: number;
  /** What was expected. */
  readonly expected: number;
  /** |actual − expected|. */
  readonly difference: number;
  /** The same, in units of the last place of a float32 as large as what was expected. */
  readonly ulps: number;
  /** What rounding in float32 explains of it, at most. */
  readonly bound: number;
}

/** How one value of one layer compares, all samples, timesteps and units together. */
export interface ProofRow {
  /** See {@linkcode ProofPlace}. */
  readonly layer: string;
  /** See {@linkcode ProofPlace}. */
  readonly value: LstmValue | "prediction";
  /** How many numbers were compared. */
  readonly numbers: number;
  /** How many of them differ by more than rounding explains. */
  readonly beyond: number;
  /** The largest difference of the two whole runs, relative above 1; NaN where either holds one. */
  readonly maxAbsDiff: number;
  /** The same as it is, |actual − expected|, above 1 too: what views and sentences tell. */
  readonly maxDifference: number;
  /**
   * The largest difference of a value computed from the values expected before it; of those beyond
   * rounding, where there are any.
   */
  readonly largest: Difference;
}

/** More than any float32 is as large as another. */
const BEYOND = 2 ** 300;

/** Collects the differences of one value of one layer. */
export class Differences {
  numbers = 0;
  beyond = 0;
  maxAbsDiff = 0;
  maxDifference = 0;
  largest: Difference | undefined;
  #size = -1;
  /** The first one beyond rounding. */
  first: Difference | undefined;

  /** All numbers, of the two whole runs. */
  compareWhole({ data }: Tensor, expected: Tensor): void {
    let [most, apart] = [this.maxAbsDiff, this.maxDifference];
    for (let k = 0; k < data.length; k++) {
      const [own, theirs] = [data[k]!, expected.data[k]!];
      if (Math.abs(own - theirs) <= most) continue; // relative is no more than that
      most = Math.max(most, relativeDistance(own, theirs)); // NaN stays
      apart = Math.max(apart, distance(own, theirs));
    }
    [this.maxAbsDiff, this.maxDifference] = [most, apart];
  }

  /** Numbers side by side, computed from what was expected before them. */
  addAll(
    placeOf: (k: number) => ProofPlace,
    actual: ArrayLike<number>,
    expected: ArrayLike<number>,
    bounds: ArrayLike<number>,
    from = 0,
    to: number = actual.length,
  ): void {
    let [size, usual] = [this.#size, 0];
    for (let k = from; k < to; k++) {
      const own = actual[k]!;
      const theirs = expected[k]!;
      const bound = bounds[k]!;
      const difference = Math.abs(own - theirs);
      if (difference <= bound && difference <= size) usual++;
      else {
        this.add(placeOf, k, own, theirs, bound);
        size = this.#size;
      }
    }
    this.numbers += usual;
  }

  /**
   * One number, computed from what was expected before it.
   *
   * @param placeOf where the k-th number is
   * @param bound what rounding explains
   */
  add(
    placeOf: (k: number) => ProofPlace,
    k: number,
    actual: number,
    expected: number,
    bound: number,
  ): void {
    const difference = distance(actual, expected);
    // Where float32 may overflow, an infinity is explained, and NaN, which ∞ − ∞ is.
    const overflows = bound >= UNBOUNDED && !Number.isNaN(actual) &&
      !(Math.abs(expected) < Infinity);
    const isBeyond = !(difference <= bound || overflows);
    this.numbers++;
    if (isBeyond) this.beyond++;
    // One beyond rounding says more than a larger one that is not; NaN is as far off as can be.
    const size = (Number.isNaN(difference) ? Infinity : difference) * (isBeyond ? BEYOND : 1);
    const isLargest = size > this.#size;
    if (!isLargest && (!isBeyond || this.first !== undefined)) return;
    this.#size = Math.max(size, this.#size);
    const ulps = difference / ulpOf(expected);
    const found = Object.freeze({ ...placeOf(k), actual, expected, difference, ulps, bound });
    if (isLargest) this.largest = found;
    if (isBeyond) this.first ??= found;
  }

  /** The row of them. */
  row(layer: string, value: ProofRow["value"]): ProofRow {
    const { numbers, beyond, maxAbsDiff, maxDifference, largest } = this;
    const sizes = { maxAbsDiff, maxDifference };
    return Object.freeze({ layer, value, numbers, beyond, ...sizes, largest: largest! });
  }
}
