import type { Activation, ActivationName } from "../values/activations.ts";
import { fastActivationOf, type FastForm } from "./fast_form.ts";
import { defineLayer, type Layer, type OpenShape } from "./layer.ts";
import {
  activationConfig,
  activationRule,
  checkOptions,
  definedOptions,
  layerActivation,
  type LayerName,
} from "./layer_options.ts";
import type { LayerKind } from "./kind.ts";

/**
 * An activation as a layer of its own.
 *
 * @param activation Keras's name, or made by {@linkcode getActivation}
 * @throws {RangeError} where the name is unknown.
 * @throws {TypeError} where it is no activation, or one that does not keep the number of units.
 *
 * @example
 * ```ts
 * import { activation, dense, lstm, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([
 *   lstm({ units: 4 }),
 *   dense({ units: 2 }),
 *   activation("softmax"),
 * ], { inputShape: [3, 2] });
 * assertEquals(model.outputShape, [2]);
 * ```
 */
export function activation(
  activation: ActivationName | Activation,
  options: LayerName = {},
): Layer {
  const named = definedOptions("an Activation", options);
  checkOptions("an Activation", named, {});
  const chosen = { ...named, activation };
  checkOptions("an Activation", chosen, { activation: activationRule });
  const φ = layerActivation("an Activation", activation);
  return defineLayer({
    className: "Activation",
    name: chosen.name,
    config: { activation: activationConfig(φ) },
    overTime: "each",
    outputShape: (input: OpenShape) => input,
    weights: () => [],
    fast: (): FastForm | undefined => {
      const activation = fastActivationOf(φ);
      return activation && { kind: "activation", activation };
    },
    run: (o, [x], _weights, { masks }) => ({ outputs: [o.apply(φ, x!)], mask: masks[0] }),
  });
}

/** Keras's Activation. */
export const ACTIVATION: LayerKind = {
  className: "Activation",
  options: ["activation"],
  read: ({ name, activation: given }, reading) =>
    given === undefined
      ? reading.refuse("an Activation has an activation", "the configuration leaves it out")
      : activation(reading.activation(given), { name }),
};
