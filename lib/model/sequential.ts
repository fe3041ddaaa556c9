import type { SequentialOptions } from "./architecture.ts";
import type { Layer } from "../layers/layer.ts";
import { Model } from "./model.ts";

/**
 * A model of layers in a row, its weights started as Keras starts them.
 *
 * @param layers made by {@linkcode lstm}, {@linkcode dense} and their like, in order
 * @param options the shape of a sample, where chance starts, and the precision
 * @throws {TypeError} where a layer does not fit the one before it, or an option is unknown.
 * @throws {RangeError} where the seed or the precision is out of range.
 *
 * @example The article's model, with 370 parameters
 * ```ts
 * import { arange, dense, lstm, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([
 *   lstm({ units: 8 }),
 *   dense({ units: 2, activation: "softmax" }),
 * ], { inputShape: [3, 2], seed: 1 });
 * const x = arange(24).reshape([4, 3, 2]);
 * assertEquals(model.predict(x).shape, [4, 2]);
 * assertEquals(model.getWeights().map(({ shape }) => shape), [[2, 32], [8, 32], [32], [8, 2], [2]]);
 * ```
 */
export function sequential(layers: readonly Layer[], options: SequentialOptions): Model {
  return new Model(layers, options);
}
