import { gruCellOf } from "../cells/gru.ts";
import type { Activation, ActivationName } from "../values/activations.ts";
import { zeros } from "./initializers.ts";
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

/** The options of a GRU, with Keras's defaults. */
export interface GruLayerOptions extends RecurrentOptions {
  /** σ, of the two gates. Default: `"sigmoid"`. */
  readonly recurrentActivation?: ActivationName | Activation;
  /** Whether r meets h after its product with U, and each has its own bias. Default: true. */
  readonly resetAfter?: boolean;
}

/** A GRU's definition. */
export interface GruLayer extends Layer {
  /** The options it was made with, defaults in place. */
  readonly options: Required<GruLayerOptions>;
}

const rules = { ...recurrentRules, recurrentActivation: activationRule, resetAfter: flagRule };
const defaults = {
  ...recurrentDefaults,
  recurrentActivation: "sigmoid",
  resetAfter: true,
} as const;

/**
 * A GRU layer: `[timesteps, inputSize]` becomes `[units]`, or `[timesteps, units]` with
 * `returnSequences`. Its equations: {@linkcode gruCell}. Source: keras/src/layers/rnn/gru.py
 * (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { dense, gru, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([gru({ units: 8 }), dense({ units: 1 })], { inputShape: [null, 2] });
 * assertEquals(model.getWeights().map(({ shape }) => shape), [[2, 24], [8, 24], [2, 24], [8, 1], [1]]);
 * ```
 */
export function gru(options: GruLayerOptions): GruLayer {
  const chosen = { ...defaults, ...definedOptions("a GRU", options) };
  checkOptions("a GRU", chosen, rules);
  const { resetAfter } = chosen;
  const functions = gatedFunctions("a GRU", chosen);
  return recurrentLayer({
    className: "GRU",
    cell: gruCellOf(resetAfter),
    owner: "a GRU",
    options: chosen as Required<GruLayerOptions>,
    functions,
    config: { recurrent_activation: activationConfig(functions.σ), reset_after: resetAfter },
    startBias: zeros,
    make: gru,
    cellName: resetAfter ? "gru" : "gruBefore",
  });
}

/** Keras's GRU. */
export const GRU: LayerKind = {
  className: "GRU",
  options: names(`${RECURRENT_NAMES} recurrent_activation reset_after`),
  ...recurrentFiles,
  read: (config, reading) => {
    const own = {
      recurrentActivation: recurrentActivationOf(config, reading),
      // false in Keras 2, before TensorFlow 2's, and in TF.js
      resetAfter: config.reset_after ?? reading.generation === "keras3",
    };
    return gru({ ...recurrentOptions(config, reading), ...own } as GruLayerOptions);
  },
};
