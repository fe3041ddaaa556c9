// What each sample's loss counts: by itself, and by its class.

import { kindOf } from "../../base/kind.ts";
import { formatShape } from "../../tensor/shape.ts";
import { asFloat64, Tensor } from "../../tensor/tensor.ts";
import type { FitOptions } from "./fit_options.ts";

/** `[samples]`; undefined where each counts 1. */
export function sampleWeightsOf(
  { sampleWeight, classWeight }: Pick<FitOptions, "sampleWeight" | "classWeight">,
  targets: readonly Tensor[],
): Tensor | undefined {
  if (sampleWeight === undefined && classWeight === undefined) return undefined;
  if (sampleWeight !== undefined && classWeight !== undefined) {
    throw new TypeError(
      "Cannot fit: a sample counts by sampleWeight or by its classWeight, but both are given",
    );
  }
  const samples = targets[0]!.shape[0]!;
  const own = sampleWeight === undefined ? undefined : asFloat64(sampleWeight);
  if (own !== undefined && (own.shape.length !== 1 || own.shape[0] !== samples)) {
    throw new TypeError(
      `Cannot fit: sampleWeight must be [samples], [${samples}] here, ` +
        `but its shape is ${formatShape(own.shape)}`,
    );
  }
  const byClass = classWeight === undefined ? undefined : classWeights(classWeight, targets);
  const weights = own === undefined ? Float64Array.from(byClass!) : own.data;
  if (weights.every((weight) => Number.isFinite(weight) && weight >= 0)) {
    return new Tensor(weights, [samples]);
  }
  throw new RangeError(`Cannot fit: each weight must be a number from 0, but one is not`);
}

/** Each sample's by the class of its target: its number, or where its one-hot row is largest. */
function classWeights(
  given: Readonly<Record<number, number>>,
  [target, ...others]: readonly Tensor[],
): number[] {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TypeError(
      `Cannot fit: classWeight must be an object of a number for each class, but ${
        kindOf(given)
      } was given`,
    );
  }
  const { data, shape } = target!;
  const width = shape.at(-1) ?? 1;
  const isOneHot = shape.length === 2 && width > 1;
  if (others.length > 0 || shape.length > 2) {
    throw new TypeError(
      `Cannot fit: classWeight is of one output with one class a sample, ` +
        `but there are ${others.length + 1} and the targets are ${formatShape(shape)}`,
    );
  }
  return Array.from({ length: shape[0]! }, (_, n) => {
    const row = Array.from(data.subarray(n * width, (n + 1) * width));
    const of = isOneHot ? row.indexOf(Math.max(...row)) : data[n]!;
    const weight = given[of];
    if (weight !== undefined) return weight;
    throw new RangeError(
      `Cannot fit: classWeight must have a number for each class, but class ${of} has none`,
    );
  });
}
