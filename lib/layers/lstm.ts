import { LSTM_CELL } from "../cells/lstm.ts";
import type { Activation, ActivationName } from "../values/activations.ts";
import { unitForgetBias, zeros } from "./initializers.ts";
import { type LayerKind, names } from "./kind.ts";
import type { Layer } from "./layer.ts";
import {
  activationConfig,
  activationRule,
  checkOptions,
  definedOptions,
  flagRule,
} from "./layer_options.ts";
import {
  gatedFunctions,
  RECURRENT_NAMES,
  recurrentActivationOf,
  recurrentDefaults,
  recurrentFiles,
  recurrentLayer,
  type RecurrentOptions,
  recurrentOptions,
  recurrentRules,
} from "./recurrent.ts";

/** The options of an LSTM, with Keras's defaults. */
export interface LstmLayerOptions extends RecurrentOptions {
  /** σ, of the three gates. Default: `"sigmoid"`. */
  readonly recurrentActivation?: ActivationName | Activation;
  /** Whether the forget gate's bias starts at 1. Default: true. */
  readonly unitForgetBias?: boolean;
}

/** An LSTM's definition. */
export interface LstmLayer extends Layer {
  /** The options it was made with, defaults in place. */
  readonly options: Required<LstmLayerOptions>;
}

const rules = { ...recurrentRules, recurrentActivation: activationRule, unitForgetBias: flagRule };
const defaults = {
  ...recurrentDefaults,
  recurrentActivation: "sigmoid",
  unitForgetBias: true,
} as const;

/**
 * An LSTM layer: `[timesteps, inputSize]` becomes `[units]`, or `[timesteps, units]` with
 * `returnSequences`. Source: keras/src/layers/rnn/lstm.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { dense, lstm, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([
 *   lstm({ units: 8, returnSequences: true }),
 *   lstm({ units: 4, activation: "relu" }),
 *   dense({ units: 1 }),
 * ], { inputShape: [null, 2] });
 * assertEquals(model.layers.map(({ name }) => name), ["lstm", "lstm_1", "dense"]);
 * ```
 */
export function lstm(options: LstmLayerOptions): LstmLayer {
  const chosen = { ...defaults, ...definedOptions("an LSTM", options) };
  checkOptions("an LSTM", chosen, rules);
  const functions = gatedFunctions("an LSTM", chosen);
  return recurrentLayer({
    className: "LSTM",
    cell: LSTM_CELL,
    owner: "an LSTM",
    options: chosen as Required<LstmLayerOptions>,
    functions,
    config: {
      recurrent_activation: activationConfig(functions.σ),
      unit_forget_bias: chosen.unitForgetBias,
    },
    startBias: chosen.unitForgetBias ? unitForgetBias : zeros,
    make: lstm,
    cellName: "lstm",
  });
}

/** Keras's LSTM. */
export const LSTM: LayerKind = {
  className: "LSTM",
  options: names(`${RECURRENT_NAMES} recurrent_activation unit_forget_bias`),
  ...recurrentFiles,
  read: (config, reading) => {
    const own = {
      recurrentActivation: recurrentActivationOf(config, reading),
      unitForgetBias: config.unit_forget_bias ?? undefined,
    };
    return lstm({ ...recurrentOptions(config, reading), ...own } as LstmLayerOptions);
  },
};
