import { SIMPLE_RNN_CELL } from "../cells/simple_rnn.ts";
import { getActivation } from "../values/activations.ts";
import { zeros } from "./initializers.ts";
import { type LayerKind, names } from "./kind.ts";
import type { Layer } from "./layer.ts";
import { checkOptions, definedOptions, layerActivation } from "./layer_options.ts";
import {
  RECURRENT_NAMES,
  recurrentDefaults,
  recurrentFiles,
  recurrentLayer,
  type RecurrentOptions,
  recurrentOptions,
  recurrentRules,
} from "./recurrent.ts";

/** The options of a SimpleRNN, with Keras's defaults. */
export type SimpleRnnLayerOptions = RecurrentOptions;

/** A SimpleRNN's definition. */
export interface SimpleRnnLayer extends Layer {
  /** The options it was made with, defaults in place. */
  readonly options: Required<SimpleRnnLayerOptions>;
}

/**
 * A SimpleRNN layer, h' = φ(x·W + h·U + b): `[timesteps, inputSize]` becomes `[units]`, or
 * `[timesteps, units]` with `returnSequences`. Source: keras/src/layers/rnn/simple_rnn.py
 * (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { dense, sequential, simpleRnn } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([simpleRnn({ units: 8 }), dense({ units: 1 })], { inputShape: [3, 2] });
 * assertEquals(model.getWeights().map(({ shape }) => shape), [[2, 8], [8, 8], [8], [8, 1], [1]]);
 * ```
 */
export function simpleRnn(options: SimpleRnnLayerOptions): SimpleRnnLayer {
  const chosen = { ...recurrentDefaults, ...definedOptions("a SimpleRNN", options) };
  checkOptions("a SimpleRNN", chosen, recurrentRules);
  return recurrentLayer({
    className: "SimpleRNN",
    cell: SIMPLE_RNN_CELL,
    owner: "a SimpleRNN",
    options: chosen as Required<SimpleRnnLayerOptions>,
    functions: {
      φ: layerActivation("a SimpleRNN", chosen.activation),
      σ: getActivation("sigmoid"), // which it has not
    },
    config: {},
    startBias: zeros,
    make: simpleRnn,
    cellName: "simpleRnn",
  });
}

/** Keras's SimpleRNN. */
export const SIMPLE_RNN: LayerKind = {
  className: "SimpleRNN",
  options: names(RECURRENT_NAMES),
  ...recurrentFiles,
  read: (config, reading) => simpleRnn(recurrentOptions(config, reading)),
};
