import type { Activation, ActivationName } from "../values/activations.ts";
import { denseEquation } from "../cells/dense.ts";
import { fastActivationOf, type FastForm } from "./fast_form.ts";
import { glorotUniform, zeros } from "./initializers.ts";
import {
  defineLayer,
  formatOpenShape,
  type Layer,
  type OpenShape,
  type WeightSpec,
} from "./layer.ts";
import {
  activationConfig,
  activationRule,
  checkOptions,
  countRule,
  definedOptions,
  flagRule,
  layerActivation,
  type LayerName,
} from "./layer_options.ts";
import { type LayerKind, names } from "./kind.ts";

/** The options of a dense layer, with Keras's defaults. */
export interface DenseLayerOptions extends LayerName {
  /** How many results. */
  readonly units: number;
  /** φ. Default: `"linear"`. */
  readonly activation?: ActivationName | Activation;
  /** Whether a bias is added. Default: true. */
  readonly useBias?: boolean;
}

const rules = { units: countRule, activation: activationRule, useBias: flagRule };

/**
 * A dense layer, φ(x·W + b): `[…, inputSize]` becomes `[…, units]`, each timestep by itself.
 * Source: keras/src/layers/core/dense.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { dense, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([dense({ units: 2 })], { inputShape: [3] });
 * model.setWeights([[[1, 2], [3, 4], [5, 6]], [0.5, 0]]);
 * assertEquals(model.predict([[1, 0, 1]]).toArray(), [[6.5, 8]]);
 * ```
 */
export function dense(options: DenseLayerOptions): Layer {
  const chosen = {
    activation: "linear" as const,
    useBias: true,
    ...definedOptions("a Dense", options),
  };
  checkOptions("a Dense", chosen, rules);
  const { name, units, useBias } = chosen;
  const activation = layerActivation("a Dense", chosen.activation);

  return defineLayer({
    className: "Dense",
    name,
    config: {
      units,
      activation: activationConfig(activation),
      use_bias: useBias,
    },
    overTime: "each",
    outputShape: (input: OpenShape) => [...input.slice(0, -1), checkInputSize(input) && units],
    weights: (input: OpenShape): WeightSpec[] => [
      { name: "kernel", shape: [checkInputSize(input), units], initialize: glorotUniform },
      ...(useBias ? [{ name: "bias", shape: [units], initialize: zeros }] : []),
    ],
    fast: (): FastForm | undefined => {
      const fast = fastActivationOf(activation);
      return fast && { kind: "dense", units, activation: fast };
    },
    run: (o, [x], [W, b], { masks }) => ({
      outputs: [denseEquation(o, x!, W!, b, activation)],
      mask: masks[0],
    }),
  });
}

function checkInputSize(input: OpenShape): number {
  const inputSize = input.at(-1);
  if (typeof inputSize === "number") return inputSize;
  throw new TypeError(
    `Cannot build a Dense: the last axis of its input must be known, ` +
      `but the input is ${formatOpenShape(input)}, None the batch`,
  );
}

/** Keras's Dense. */
export const DENSE: LayerKind = {
  className: "Dense",
  options: names(
    "units activation use_bias kernel_initializer bias_initializer kernel_regularizer " +
      "bias_regularizer kernel_constraint bias_constraint quantization_config lora_rank lora_alpha",
  ),
  only: { quantization_config: null, lora_rank: null },
  read: (config, { activation }) =>
    dense({
      name: config.name,
      units: config.units as number,
      activation: activation(config.activation ?? null),
      useBias: (config.use_bias ?? true) as boolean,
    }),
};
