import { shownAs } from "../base/shown.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import { distance } from "../values/bounds/float32.ts";

/**
 * How far two values may differ: |actual − expected| ≤ atol + rtol·|expected|, every element. Where
 * one of the two is given, the other is 0; where none is, they are those of NumPy's `allclose`.
 */
export interface Tolerance {
  /** The absolute part: 1e-8 where no tolerance is given. */
  readonly atol?: number;
  /** The part relative to what is expected: 1e-5 where no tolerance is given. */
  readonly rtol?: number;
}

/** How far two tensors differ, and where most. */
export interface Comparison {
  /** The largest |actual − expected|; NaN where either holds one. */
  readonly maxAbsDiff: number;
  /** The index of the element that is worst against its tolerance. */
  readonly where: readonly number[];
  /** The two values there. */
  readonly actual: number;
  /** See `actual`. */
  readonly expected: number;
  /** Whether every element is within its tolerance; a NaN never is. */
  readonly within: boolean;
  /** The tolerance asked for. */
  readonly atol: number;
  /** See `atol`. */
  readonly rtol: number;
  /** The shape of both. */
  readonly shape: readonly number[];
}

/** Compares two tensors, element by element: what {@linkcode compare} does with them. */
export function compareTensors(
  actual: TensorLike,
  expected: TensorLike,
  { atol = 0, rtol = 0 }: Tolerance,
): Comparison {
  const [a, e] = [asFloat64(actual), asFloat64(expected)];
  if (!sameShape(a.shape, e.shape) || a.data.length === 0) {
    throw new TypeError(
      `Cannot compare: both must have one shape, and elements, ` +
        `but the shapes are ${formatShape(a.shape)} and ${formatShape(e.shape)}`,
    );
  }
  if (!(atol >= 0 && rtol >= 0)) {
    throw new RangeError(
      `Cannot compare: tolerances must be 0 or more, but atol is ${atol} and rtol ${rtol}`,
    );
  }
  let maxAbsDiff = 0;
  let worst = 0;
  let worstExcess = -Infinity;
  for (let k = 0; k < a.data.length; k++) {
    const [x, y] = [a.data[k]!, e.data[k]!];
    const diff = distance(x, y);
    const excess = diff === Infinity ? Infinity : diff - atol - rtol * Math.abs(y);
    if (Number.isNaN(diff)) {
      [maxAbsDiff, worst, worstExcess] = [NaN, k, NaN];
      break;
    }
    maxAbsDiff = Math.max(maxAbsDiff, diff);
    if (excess > worstExcess) [worst, worstExcess] = [k, excess];
  }
  return Object.freeze(shownAs("Comparison", {
    maxAbsDiff,
    where: indexOf(worst, a.shape),
    actual: a.data[worst]!,
    expected: e.data[worst]!,
    within: worstExcess <= 0,
    atol,
    rtol,
    shape: a.shape,
  }));
}

/** The largest difference at each place of the last axis, `[units]`; NaN where either holds one. */
export function largestByUnit(actual: Tensor, expected: Tensor): Tensor {
  const units = actual.shape.at(-1)!;
  const largest = new Float64Array(units);
  actual.data.forEach((value, k) => {
    largest[k % units] = Math.max(largest[k % units]!, distance(value, expected.data[k]!));
  });
  return new Tensor(largest, [units]);
}

/** The index of the k-th element, axis by axis. */
export function indexOf(k: number, shape: readonly number[]): number[] {
  return shape.map((length, axis) => {
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    return Math.floor(k / inner) % length;
  });
}
