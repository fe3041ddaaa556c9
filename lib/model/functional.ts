import { checkOptions, type KeysOf } from "../base/options.ts";
import { Connection } from "../layers/connection.ts";
import type { OpenShape } from "../layers/layer.ts";
import { checkInputShape, type ModelOptions } from "./architecture.ts";
import { Model } from "./model.ts";

/** What an input is called. */
export interface InputOptions {
  /** Its name, for inputs given by name. Default: `input_layer`, `input_layer_1`, … */
  readonly name?: string;
}

const OPTIONS: KeysOf<InputOptions> = { name: "optional" };

/**
 * An input of a model of any shape: what {@linkcode functional} begins with.
 *
 * @param shape of a sample, without the batch; timesteps may be null
 * @throws {TypeError} where it is no shape, or an option is unknown.
 */
export function input(shape: OpenShape, options: InputOptions = {}): Connection {
  checkOptions("make an input", options, OPTIONS);
  checkInputShape(shape, "make an input", "its shape");
  return new Connection(shape, options);
}

/**
 * A model of any shape, as Keras's functional API makes it: several inputs and outputs, layers that
 * several others take, one layer in two places.
 *
 * @param inputs made by {@linkcode input}: one, or a list
 * @param outputs what a layer's `apply` gave: one, or a list
 * @param options where chance starts, and the precision
 * @throws {TypeError} where an output does not lead back to these inputs, or a shape does not fit.
 *
 * @example Two inputs, two outputs
 * ```ts
 * import { concatenate, dense, functional, input, lstm } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const [words, numbers] = [input([null, 8]), input([3])];
 * const read = lstm({ units: 4 }).apply(words);
 * const both = concatenate().apply([read, numbers]);
 * const outputs = [dense({ units: 2 }).apply(both), dense({ units: 1 }).apply(both)];
 * const model = functional([words, numbers], outputs, { seed: 1 });
 *
 * const x = [[[[1, 2, 3, 4, 5, 6, 7, 8]]], [[1, 2, 3]]]; // one sample of each
 * assertEquals(model.predictAll(x).map(({ shape }) => shape), [[1, 2], [1, 1]]);
 * ```
 */
export function functional(
  inputs: Connection | readonly Connection[],
  outputs: Connection | readonly Connection[],
  options: ModelOptions = {},
): Model {
  const list = (one: Connection | readonly Connection[]) => one instanceof Connection ? [one] : one;
  return new Model({ inputs: list(inputs), outputs: list(outputs) }, options);
}
