import { kindOf } from "../base/kind.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import { isTrace } from "../cells/choose_lstm.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { Model } from "../model/model.ts";
import type { TensorLike } from "../tensor/tensor.ts";
import type { Trace } from "../trace/trace.ts";
import { compareModels, type ModelComparison } from "./model_comparison.ts";
import { compareTensors, type Comparison, type Tolerance } from "./tensor_comparison.ts";
import { compareTraces, type TraceComparison } from "./trace_comparison.ts";

/**
 * Compares two tensors, element by element.
 *
 * Infinities of one sign are equal; a NaN on either side, or on both, is never within.
 *
 * @param tolerance atol and rtol; where neither is given, those of NumPy's `allclose`
 * @throws {TypeError} where the two shapes differ, or hold nothing to compare.
 * @throws {RangeError} where a tolerance is negative or NaN.
 *
 * @example
 * ```ts
 * import { compare } from "@gatescope/lstm";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const byHand = [[0.5211381547, 0.4788618453]];
 * const keras = [[0.5211382, 0.47886187]];
 * const comparison = compare(byHand, keras, { atol: 2e-7 });
 * assert(comparison.within);
 * assertEquals(comparison.where, [0, 0]);
 * ```
 */
export function compare(
  actual: TensorLike,
  expected: TensorLike,
  tolerance?: Tolerance,
): Comparison;
/**
 * Compares what happened inside two runs: by gate and unit, and where they part first, in the order
 * in which the steps are computed.
 *
 * @param actual a model's trace, or one recurrent layer's
 * @param expected another one of the same shapes
 * @throws {TypeError} where their recurrent layers are not as many, or shapes differ.
 *
 * @example
 * ```ts
 * import { arange, compare, lstm, sequential, trace } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([lstm({ units: 4 })], { inputShape: [3, 2], seed: 1 });
 * const x = arange(6).reshape([1, 3, 2]);
 * const interventions = [{ scale: "gates.output", by: 0.5, unit: 2, timestep: 1 }] as const;
 * const changed = trace(model, x, { interventions });
 * const { firstDivergence } = compare(changed, trace(model, x), { atol: 1e-9 });
 * assertEquals(firstDivergence?.site, "gates.output");
 * assertEquals([firstDivergence?.timestep, firstDivergence?.unit], [1, 2]);
 * ```
 */
export function compare(
  actual: Trace<CellTrace> | CellTrace,
  expected: Trace<CellTrace> | CellTrace,
  tolerance?: Tolerance,
): TraceComparison;
/**
 * Compares the weights and options of two models: by array, gate and unit, and where they part
 * first, in the order of the layers.
 *
 * @param actual a model
 * @param expected another one whose weights have the same shapes
 * @throws {TypeError} where their layers or shapes differ.
 *
 * @example
 * ```ts
 * import { compare, lstm, sequential } from "@gatescope/lstm";
 * import { assert } from "@std/assert";
 *
 * const model = (seed: number) => sequential([lstm({ units: 4 })], { inputShape: [3, 2], seed });
 * assert(compare(model(1), model(1), { atol: 0 }).within);
 * assert(!compare(model(1), model(2), { atol: 0 }).within);
 * ```
 */
export function compare(actual: Model, expected: Model, tolerance?: Tolerance): ModelComparison;
export function compare(
  actual: TensorLike | Trace<CellTrace> | CellTrace | Model,
  expected: TensorLike | Trace<CellTrace> | CellTrace | Model,
  tolerance?: Tolerance,
): Comparison | TraceComparison | ModelComparison {
  checkOptions("compare", tolerance, TOLERANCE, "the tolerance's parts");
  const { atol, rtol } = tolerance ?? {};
  const within = atol === undefined && rtol === undefined
    ? { atol: 1e-8, rtol: 1e-5 } // those of NumPy's allclose
    : { atol: atol ?? 0, rtol: rtol ?? 0 };
  if (actual instanceof Model && expected instanceof Model) {
    return compareModels(actual, expected, within);
  }
  if (isTrace(actual) && isTrace(expected)) {
    return compareTraces(actual as Trace, expected as Trace, within);
  }
  for (const given of [actual, expected]) {
    if (given instanceof Model || isTrace(given) || given === undefined) {
      throw new TypeError(
        `Cannot compare: both must be tensors, traces or models, ` +
          `but ${kindOf(actual)} and ${kindOf(expected)} were given`,
      );
    }
  }
  return compareTensors(actual as TensorLike, expected as TensorLike, within);
}

const TOLERANCE: KeysOf<Tolerance> = {
  atol: "optional",
  rtol: "optional",
};
