// Layers that add, drop or repeat timesteps.

import { pickedSteps, shapeOf } from "../values/arrange.ts";
import type { LayerKind } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type OpenShape } from "./layer.ts";
import {
  checkOptions,
  countRule,
  definedOptions,
  type LayerName,
  type OptionRule,
  wholesRule,
} from "./layer_options.ts";

/** The options of a ZeroPadding1D. */
export interface ZeroPadding1DOptions extends LayerName {
  /** How many timesteps of zeros before and after; a number is both. Default: 1. */
  readonly padding?: number | readonly [before: number, after: number];
}

/** The options of a Cropping1D. */
export interface Cropping1DOptions extends LayerName {
  /** How many timesteps are cut off before and after; a number is both. Default: 1. */
  readonly cropping?: number | readonly [before: number, after: number];
}

/** The options of an UpSampling1D. */
export interface UpSampling1DOptions extends LayerName {
  /** How often each timestep stands there. Default: 2. */
  readonly size?: number;
}

const pair = wholesRule("a whole number from 0, or two", 0, 2);
const pairRule: OptionRule = {
  expected: pair.expected,
  isKind: (value) => typeof value === "number" || pair.isKind(value),
  isInRange: (value: number | number[]) =>
    pair.isInRange!((typeof value === "number" ? [value, value] : value) as never),
};
const both = (value: number | readonly [number, number]) =>
  typeof value === "number" ? [value, value] as const : value;

/**
 * Timesteps of zeros before and after a sequence.
 * Source: keras/src/layers/reshaping/zero_padding1d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { sequential, zeroPadding1D } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([zeroPadding1D({ padding: [1, 0] })], { inputShape: [2, 1] });
 * assertEquals(model.predict([[[1], [2]]]).toArray(), [[[0], [1], [2]]]);
 * ```
 */
export function zeroPadding1D(options: ZeroPadding1DOptions = {}): Layer {
  const chosen = { padding: 1, ...definedOptions("a ZeroPadding1D", options) };
  checkOptions("a ZeroPadding1D", chosen, { padding: pairRule });
  const [before, after] = both(chosen.padding);
  return ofSteps(
    "ZeroPadding1D",
    chosen.name,
    { padding: [before, after] },
    (timesteps) => timesteps + before + after,
    (timesteps) =>
      Array.from(
        { length: timesteps + before + after },
        (_, t) => t < before || t >= before + timesteps ? -1 : t - before,
      ),
  );
}

/**
 * A sequence without its first and last timesteps.
 * Source: keras/src/layers/reshaping/cropping1d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range, or nothing is left.
 *
 * @example
 * ```ts
 * import { cropping1D, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([cropping1D({ cropping: [1, 0] })], { inputShape: [3, 1] });
 * assertEquals(model.predict([[[1], [2], [3]]]).toArray(), [[[2], [3]]]);
 * ```
 */
export function cropping1D(options: Cropping1DOptions = {}): Layer {
  const chosen = { cropping: 1, ...definedOptions("a Cropping1D", options) };
  checkOptions("a Cropping1D", chosen, { cropping: pairRule });
  const [before, after] = both(chosen.cropping);
  const count = (timesteps: number) => {
    if (timesteps > before + after) return timesteps - before - after;
    throw new RangeError(
      `Cannot build a Cropping1D: a timestep must be left, but ${before} and ${after} of ` +
        `${timesteps} are cut off`,
    );
  };
  return ofSteps(
    "Cropping1D",
    chosen.name,
    { cropping: [before, after] },
    count,
    (timesteps) => Array.from({ length: count(timesteps) }, (_, t) => t + before),
  );
}

/**
 * Each timestep several times. Source: keras/src/layers/reshaping/up_sampling1d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { sequential, upSampling1D } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([upSampling1D({ size: 2 })], { inputShape: [2, 1] });
 * assertEquals(model.predict([[[1], [2]]]).toArray(), [[[1], [1], [2], [2]]]);
 * ```
 */
export function upSampling1D(options: UpSampling1DOptions = {}): Layer {
  const chosen = { size: 2, ...definedOptions("an UpSampling1D", options) };
  checkOptions("an UpSampling1D", chosen, { size: countRule });
  const { name, size } = chosen;
  return ofSteps(
    "UpSampling1D",
    name,
    { size },
    (timesteps) => timesteps * size,
    (timesteps) => Array.from({ length: timesteps * size }, (_, t) => Math.floor(t / size)),
  );
}

/** A layer of so many timesteps, and where each comes from: −1 for zeros. */
function ofSteps(
  className: string,
  name: string | undefined,
  config: Record<string, unknown>,
  count: (timesteps: number) => number,
  steps: (timesteps: number) => number[],
): Layer {
  return defineLayer({
    className,
    name,
    config,
    outputShape: ([timesteps, ...rest]: OpenShape) => {
      if (rest.length === 1) {
        return [typeof timesteps === "number" ? count(timesteps) : null, ...rest];
      }
      throw new TypeError(
        `Cannot build a ${className}: its input must be [timesteps, size], ` +
          `but it is ${formatOpenShape([timesteps ?? null, ...rest])}`,
      );
    },
    weights: () => [],
    run: (o, [x]) => ({ outputs: [pickedSteps(o, x!, steps(shapeOf(o, x!)[1]!))] }),
  });
}

/** Keras's ZeroPadding1D. */
export const ZERO_PADDING_1D: LayerKind = {
  className: "ZeroPadding1D",
  options: ["padding", "data_format"],
  only: { data_format: "channels_last" },
  read: ({ name, padding }) => zeroPadding1D({ name, padding: padding as number }),
};

/** Keras's Cropping1D. */
export const CROPPING_1D: LayerKind = {
  className: "Cropping1D",
  options: ["cropping"],
  read: ({ name, cropping }) => cropping1D({ name, cropping: cropping as number }),
};

/** Keras's UpSampling1D. */
export const UP_SAMPLING_1D: LayerKind = {
  className: "UpSampling1D",
  options: ["size"],
  read: ({ name, size }) => upSampling1D({ name, size: size as number }),
};
