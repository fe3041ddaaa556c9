// What a model is asked to be, checked before anything is made of it.

import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import type { Layer, OpenShape } from "./layer.ts";
import type { Precision } from "./network.ts";

/** How a model starts. */
export interface SequentialOptions {
  /**
   * A sample's shape, without the batch: `[timesteps, inputSize]`, or `[timesteps]` before an
   * embedding; timesteps may be null, so that each call chooses its own.
   */
  readonly inputShape: OpenShape;
  /** Where chance starts, a whole number: the same seed gives the same weights. Any unless said. */
  readonly seed?: number;
  /**
   * `"float32"` as in Keras unless said, computed fast; `"float64"` keeps the weights in float64 and
   * computes by the equations.
   */
  readonly precision?: Precision;
}

const OPTIONS: KeysOf<SequentialOptions> = {
  inputShape: "required",
  seed: "optional",
  precision: "optional",
};

const precisions: readonly Precision[] = ["float32", "float64"];

/** The options with their defaults in place; throws where the layers or an option make no model. */
export function checkArchitecture(
  layers: readonly Layer[],
  options: SequentialOptions,
): { inputShape: OpenShape; seed: number; precision: Precision } {
  checkLayers(layers);
  const given: Partial<SequentialOptions> = options ?? {};
  checkOptions("build a model", given, OPTIONS);
  // A seed that nobody chose is kept, so that the model can tell where it started.
  const {
    inputShape,
    seed = Math.floor(Math.random() * 2 ** 32),
    precision = "float32",
  } = given;
  checkInputShape(inputShape);
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(
      `Cannot build a model as its seed must be a whole number: current seed is ${seed}`,
    );
  }
  if (!precisions.includes(precision)) {
    throw new RangeError(
      `Cannot build a model: its precision must be ${amongNames(precision, precisions)}`,
    );
  }
  return { inputShape, seed, precision };
}

function checkLayers(layers: readonly Layer[]): void {
  if (!Array.isArray(layers) || layers.length === 0) {
    throw new TypeError(
      `Cannot build a model as it needs a list of one layer or more: ` +
        `current value is ${Array.isArray(layers) ? "empty" : typeof layers}`,
    );
  }
  for (const [k, layer] of layers.entries()) {
    if (typeof layer?.forward !== "function" || typeof layer.className !== "string") {
      throw new TypeError(
        `Cannot build a model as each layer must be made by lstm(), dense() and their like: ` +
          `current layer ${k} is ${typeof layer === "object" ? "another object" : typeof layer}`,
      );
    }
  }
}

function checkInputShape(shape: OpenShape | undefined): asserts shape is OpenShape {
  const isLength = (length: unknown) =>
    length === null || Number.isInteger(length) && length as number > 0;
  if (!Array.isArray(shape) || shape.length === 0 || !shape.every(isLength)) {
    throw new TypeError(
      `Cannot build a model as inputShape must be [timesteps, inputSize], or [timesteps] before ` +
        `an embedding, of whole numbers from 1, with null where timesteps may vary: ` +
        `current inputShape is ${JSON.stringify(shape)}`,
    );
  }
}
