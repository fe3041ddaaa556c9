import { Tensor } from "../tensor/tensor.ts";
import { inverseRoot } from "../values/functions.ts";
import { ones, zeros } from "./initializers.ts";
import { type LayerKind, names } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type OpenShape } from "./layer.ts";
import {
  checkOptions,
  definedOptions,
  flagRule,
  type LayerName,
  numberRule,
  type OptionRule,
} from "./layer_options.ts";
import { atLeast } from "./unit_normalization.ts";

/** The options of a Normalization, with Keras's defaults. */
export interface NormalizationOptions extends LayerName {
  /** The axis whose entries have a mean each, the batch being axis 0: the last one. Default: -1. */
  readonly axis?: number;
  /** The means, or one for all; null where they are weights, as Keras's adapt() leaves them. Default: null. */
  readonly mean?: number | readonly number[] | null;
  /** The variances, as the means. Default: null. */
  readonly variance?: number | readonly number[] | null;
  /** Whether it turns normalized numbers back into what they were. Default: false. */
  readonly invert?: boolean;
}

/** The smallest σ that is divided by: keras.config.epsilon(). */
const SMALLEST = 1e-7;

const momentRule: OptionRule = {
  expected: "a number, a list of numbers, or null",
  isKind: (value) =>
    value === null || [value].flat().length > 0 &&
      [value].flat().every((one) => typeof one === "number"),
  isInRange: (value: null | number | number[]) =>
    value === null || [value].flat().every(Number.isFinite),
};

/**
 * Each entry by a mean and variance that are known before, y = (x − μ) / max(σ, 10⁻⁷): given, or
 * weights that training does not move, beside the count of what they come from.
 * Source: keras/src/layers/preprocessing/normalization.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind, or one moment is given alone.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { normalization, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layers = [normalization({ mean: 3, variance: 4 })];
 * assertEquals(sequential(layers, { inputShape: [1] }).predict([[5]]).toArray(), [[1]]);
 * ```
 */
export function normalization(options: NormalizationOptions = {}): Layer {
  const chosen = {
    axis: -1,
    mean: null,
    variance: null,
    invert: false,
    ...definedOptions("a Normalization", options),
  };
  checkOptions("a Normalization", chosen, {
    axis: numberRule,
    mean: momentRule,
    variance: momentRule,
    invert: flagRule,
  });
  const { name, axis, invert } = chosen;
  const mean = listed(chosen.mean);
  const variance = listed(chosen.variance);
  if (mean?.length !== variance?.length) {
    throw new TypeError(
      `Cannot make a Normalization: mean and variance must be given together, as many of each, but ` +
        `they are ${JSON.stringify(chosen.mean)} and ${JSON.stringify(chosen.variance)}`,
    );
  }
  if (variance?.some((one) => one < 0)) {
    throw new RangeError(
      `Cannot make a Normalization: variance must be from 0, but it is ${JSON.stringify(variance)}`,
    );
  }
  const checked = (input: OpenShape): number => {
    const width = input.at(-1);
    const fits = mean === undefined || mean.length === 1 || mean.length === width;
    if (typeof width === "number" && fits && (axis === -1 || axis === input.length)) return width;
    throw new TypeError(
      `Cannot build a Normalization: its axis must be the last one of its input, known, and as long ` +
        `as its mean, but it is ${axis} of ${formatOpenShape(input)}` +
        (mean === undefined ? "" : `, the mean's length ${mean.length}`),
    );
  };
  const config = { mean: chosen.mean, variance: chosen.variance };
  return defineLayer({
    className: "Normalization",
    name,
    config: { axis, invert, ...config },
    overTime: "each",
    outputShape: (input: OpenShape) => [...input.slice(0, -1), checked(input)],
    weights: (input: OpenShape) => {
      const shape = [checked(input)];
      return mean !== undefined ? [] : [
        { name: "mean", shape, initialize: zeros, trainable: false },
        { name: "variance", shape, initialize: ones, trainable: false },
        { name: "count", shape: [], initialize: zeros, trainable: false },
      ];
    },
    run: (o, [x], weights, { masks }) => {
      const constant = (numbers: readonly number[]) =>
        o.given(
          new Tensor(Float64Array.from(numbers), numbers.length === 1 ? [] : [numbers.length]),
        );
      const μ = mean === undefined ? weights[0]! : constant(mean);
      const squared = atLeast(
        o,
        variance === undefined ? weights[1]! : constant(variance),
        SMALLEST ** 2,
      );
      const inverse = o.apply(inverseRoot, squared);
      const output = invert
        ? o.add(o.sumOfProducts([x!, o.sumOfProducts([squared, inverse])]), μ)
        : o.sumOfProducts([o.add(x!, o.scale(μ, -1)), inverse]);
      return { outputs: [output], mask: masks[0] };
    },
  });
}

function listed(moments: number | readonly number[] | null): readonly number[] | undefined {
  return moments === null ? undefined : typeof moments === "number" ? [moments] : moments;
}

/** Keras's Normalization. */
export const NORMALIZATION: LayerKind = {
  className: "Normalization",
  forgetsMasks: true,
  options: names("axis mean variance invert"),
  read: ({ name, axis = -1, mean, variance, invert }, { refuse }) => {
    const [only] = Array.isArray(axis) && axis.length === 1 ? axis : [axis];
    if (typeof only !== "number") {
      return refuse("axis must be one axis", `it is ${JSON.stringify(axis)}`);
    }
    return normalization({
      name,
      axis: only,
      mean: (mean ?? null) as number | null,
      variance: (variance ?? null) as number | null,
      invert: (invert ?? false) as boolean,
    });
  },
};
