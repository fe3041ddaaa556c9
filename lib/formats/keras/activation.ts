import { isRecord } from "../../files/json.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import {
  type Activation,
  type ActivationName,
  type ActivationOptions,
  getActivation,
} from "../../values/activations.ts";
import { checkLayerRecord } from "./options.ts";
import { isBuiltIn } from "../../values/built_in.ts";

/** Which Keras wrote the configuration; what it calls hard_sigmoid differs. */
export type KerasGeneration = "keras2" | "keras3";

/** Layers that Keras puts where an activation is wanted, and what their options are called here. */
const LAYERS: Readonly<
  Record<string, readonly [ActivationName, Readonly<Record<string, string>>]>
> = {
  ReLU: ["relu", {
    max_value: "maxValue",
    negative_slope: "negativeSlope",
    threshold: "threshold",
  }],
  LeakyReLU: ["leaky_relu", { negative_slope: "negativeSlope", alpha: "negativeSlope" }],
  ELU: ["elu", { alpha: "alpha" }],
  Softmax: ["softmax", {}],
};

/** Where a layer's default is not that of the function of its name. */
const DEFAULTS: Readonly<Record<string, ActivationOptions>> = {
  LeakyReLU: { negativeSlope: 0.3 }, // keras/src/layers/activations/leaky_relu.py; the function 0.2
};

/**
 * The activation that a layer's configuration names: a text, or a layer with its options.
 *
 * @param value what stands in the configuration; null is linear, as Keras takes it
 * @param place what messages call the layer
 * @throws {UnreadableFileError} where it is none that is known.
 */
export function kerasActivation(
  value: unknown,
  generation: KerasGeneration,
  place: string,
): Activation {
  try {
    if (value === null) return getActivation("linear");
    if (typeof value === "string") return byName(value, generation);
    if (isRecord(value)) {
      const { class_name: className, config } = value;
      if (className === "function") throw unknown(value, place); // the author's own, by its name alone
      checkLayerRecord(value, place);
      if (typeof className === "string" && isRecord(config) && Object.hasOwn(LAYERS, className)) {
        return ofLayer(className, config);
      }
    }
  } catch (cause) {
    if (cause instanceof UnreadableFileError) throw cause;
    throw unknown(value, place, cause);
  }
  throw unknown(value, place);
}

function byName(given: string, generation: KerasGeneration): Activation {
  const name = given.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase(); // TF.js: hardSigmoid
  if (name === "hard_sigmoid" && generation === "keras2") {
    return getActivation("hard_sigmoid_keras2");
  }
  return getActivation(name as ActivationName);
}

function ofLayer(className: string, config: Record<string, unknown>): Activation {
  const [name, keys] = LAYERS[className]!;
  if (name === "softmax" && (config.axis ?? -1) !== -1) throw new RangeError("its axis is not -1");
  const given = Object.entries(keys).flatMap(([key, option]) =>
    config[key] === undefined || config[key] === null ? [] : [[option, config[key]]]
  );
  return getActivation(name, { ...DEFAULTS[className], ...Object.fromEntries(given) });
}

function unknown(value: unknown, place: string, cause?: unknown): UnreadableFileError {
  const rule = "its activation must be one of Keras's own";
  const state = `the activation is ${JSON.stringify(value)?.slice(0, 200)}`;
  return new UnreadableFileError(rule, state, { source: place, cause });
}

/**
 * An activation as Keras 3 reads it from a configuration.
 *
 * @throws {RangeError} where Keras 3 has none such.
 */
export function activationToKeras(activation: Activation): unknown {
  const { activationName, options } = activation;
  if (!isBuiltIn(activation)) {
    throw new RangeError(
      `Cannot write an activation for Keras 3: it must be one that getActivation() makes, ` +
        `but ${activationName} is a function of your own`,
    );
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  if (activationName === "hard_sigmoid_keras2") {
    throw new RangeError(
      "Cannot write an activation for Keras 3: it must know it, but the activation is " +
        "hard_sigmoid_keras2, which is Keras 2's",
    );
  }
  if (given.length === 0) return activationName;
  const className = Object.keys(LAYERS).find((name) => LAYERS[name]![0] === activationName);
  const keys = className === undefined ? {} : LAYERS[className]![1];
  const keyOf = (option: string) => Object.keys(keys).find((key) => keys[key] === option);
  if (className === undefined || !given.every(([option]) => keyOf(option) !== undefined)) {
    throw new RangeError(
      `Cannot write an activation for Keras 3: it takes options only of relu, leaky_relu and ` +
        `elu, but the activation is ${activationName} with ${given.map(([key]) => key).join(", ")}`,
    );
  }
  const config = Object.fromEntries(given.map(([option, value]) => [keyOf(option), value]));
  const module = "keras.layers";
  return { module, class_name: className, config: { ...config, dtype: "float32" } };
}
