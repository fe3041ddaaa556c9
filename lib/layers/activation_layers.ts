// Keras's activations that are layers with options of their own.

import { type ActivationOptions, getActivation } from "../values/activations.ts";
import type { ElementwiseActivationName } from "../values/activation_curves.ts";
import { fastActivationOf, type FastForm } from "./fast_form.ts";
import { given, type KerasConfig, type LayerKind, names } from "./kind.ts";
import { defineLayer, type Layer, type Mask, type OpenShape } from "./layer.ts";
import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { shapeOf, where } from "../values/arrange.ts";
import { checkOptions, definedOptions, type LayerName, numberRule } from "./layer_options.ts";

/** The options of a ReLU layer. */
export interface ReLUOptions extends LayerName {
  /** The largest value; null for none. Default: null. */
  readonly maxValue?: number | null;
  /** The slope below the threshold. Default: 0. */
  readonly negativeSlope?: number;
  /** Where the curve breaks. Default: 0. */
  readonly threshold?: number;
}

/** The options of a LeakyReLU layer. */
export interface LeakyReLUOptions extends LayerName {
  /** The slope below 0. Default: 0.3. */
  readonly negativeSlope?: number;
}

/** The options of an ELU layer. */
export interface ELUOptions extends LayerName {
  /** How far the curve reaches below 0. Default: 1. */
  readonly alpha?: number;
}

/**
 * max(x, 0) as a layer, with Keras's options.
 * Source: keras/src/layers/activations/relu.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 *
 * @example
 * ```ts
 * import { reLU, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([reLU({ maxValue: 6 })], { inputShape: [3] });
 * assertEquals(model.predict([[-1, 2, 9]]).toArray(), [[0, 2, 6]]);
 * ```
 */
export function reLU(options: ReLUOptions = {}): Layer {
  const chosen = {
    negativeSlope: 0,
    threshold: 0,
    maxValue: null,
    ...definedOptions("a ReLU", options),
  };
  checkOptions("a ReLU", chosen, {
    negativeSlope: numberRule,
    threshold: numberRule,
    maxValue: { expected: "a number or null", isKind: (x) => x === null || typeof x === "number" },
  });
  const { name, negativeSlope, threshold, maxValue } = chosen;
  const given = {
    ...(negativeSlope !== 0 && { negativeSlope }),
    ...(threshold !== 0 && { threshold }),
    ...(maxValue !== null && { maxValue }),
  };
  const config = { max_value: maxValue, negative_slope: negativeSlope, threshold };
  return ofFunction("ReLU", name, config, "relu", given);
}

/**
 * x where it is above 0, and a part of it below, as a layer.
 * Source: keras/src/layers/activations/leaky_relu.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 *
 * @example
 * ```ts
 * import { leakyReLU, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([leakyReLU({ negativeSlope: 0.5 })], { inputShape: [2] });
 * assertEquals(model.predict([[-2, 2]]).toArray(), [[-1, 2]]);
 * ```
 */
export function leakyReLU(options: LeakyReLUOptions = {}): Layer {
  const chosen = { negativeSlope: 0.3, ...definedOptions("a LeakyReLU", options) };
  checkOptions("a LeakyReLU", chosen, { negativeSlope: numberRule });
  const { name, negativeSlope } = chosen;
  const config = { negative_slope: negativeSlope };
  return ofFunction("LeakyReLU", name, config, "leaky_relu", { negativeSlope });
}

/**
 * x where it is above 0, α(eˣ − 1) below, as a layer.
 * Source: keras/src/layers/activations/elu.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 *
 * @example
 * ```ts
 * import { elu, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sequential([elu()], { inputShape: [1] }).predict([[2]]).toArray(), [[2]]);
 * ```
 */
export function elu(options: ELUOptions = {}): Layer {
  const chosen = { alpha: 1, ...definedOptions("an ELU", options) };
  checkOptions("an ELU", chosen, { alpha: numberRule });
  const { name, alpha } = chosen;
  return ofFunction("ELU", name, { alpha }, "elu", { alpha });
}

/**
 * What a softmax sees where a mask leaves a number out, in keras/src/layers/activations/softmax.py
 * and keras/src/layers/attention/attention.py.
 */
export const MASKED = -1e9;

/**
 * A softmax over the last axis as a layer; numbers that a mask leaves out get 0.
 * Source: keras/src/layers/activations/softmax.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown, or a mask does not fit its input.
 *
 * @example
 * ```ts
 * import { sequential, softmaxLayer } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([softmaxLayer()], { inputShape: [2] });
 * assertEquals(model.predict([[1, 1]]).toArray(), [[0.5, 0.5]]);
 * ```
 */
export function softmaxLayer(options: LayerName = {}): Layer {
  const chosen = definedOptions("a Softmax", options);
  checkOptions("a Softmax", chosen, {});
  const softmax = getActivation("softmax");
  const unmasked = ofFunction("Softmax", chosen.name, { axis: -1 }, "softmax", {});
  return defineLayer({
    ...unmasked,
    overTime: undefined, // a mask lies over its last axes
    run: (o, inputs, weights, context) => {
      const [[x], [mask]] = [inputs, context.masks];
      if (mask === undefined) return unmasked.run(o, inputs, weights, context);
      const counts = spread(mask, shapeOf(o, x!));
      const low = new Tensor(new Float64Array(counts.data.length).fill(MASKED), counts.shape);
      const kept = where(o, counts, x!, o.given(low));
      return { outputs: [where(o, counts, o.apply(softmax, kept))], mask };
    },
  });
}

/** A mask over numbers of that shape, the last axes against each other as NumPy does. */
function spread(mask: Mask, shape: readonly number[]): Tensor {
  const before = shape.length - mask.shape.length;
  const lengths = [...new Array<number>(Math.max(0, before)).fill(1), ...mask.shape];
  if (before < 0 || lengths.some((length, axis) => length !== 1 && length !== shape[axis])) {
    throw new TypeError(
      `Cannot run a Softmax: the last axes of its input must be as long as those of the mask, ` +
        `but the input is [${shape.join(", ")}], the mask [${mask.shape.join(", ")}]`,
    );
  }
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, k) => {
    let [at, stride, rest] = [0, 1, k];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (lengths[axis] !== 1) at += rest % shape[axis]! * stride;
      stride *= lengths[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return mask.data[at]!;
  });
  return new Tensor(data, shape);
}

function ofFunction(
  className: string,
  name: string | undefined,
  config: KerasConfig,
  activation: ElementwiseActivationName | "softmax",
  options: ActivationOptions,
): Layer {
  const φ = getActivation(activation, options);
  return defineLayer({
    className,
    name,
    config,
    overTime: "each",
    outputShape: (input: OpenShape) => input,
    weights: () => [],
    fast: (): FastForm | undefined => {
      const fast = fastActivationOf(φ);
      return fast && { kind: "activation", activation: fast };
    },
    run: (o, [x], _weights, { masks }) => ({ outputs: [o.apply(φ, x!)], mask: masks[0] }),
  });
}

const numberOr = (value: unknown, otherwise: number) => given(value, otherwise) as number;

/** Keras's activations that are layers. */
export const ACTIVATION_LAYERS: readonly LayerKind[] = [
  {
    className: "ReLU",
    options: names("max_value negative_slope threshold"),
    read: ({ name, max_value: most, negative_slope: slope, threshold }) =>
      reLU({
        name,
        maxValue: (most ?? null) as number | null,
        negativeSlope: numberOr(slope, 0),
        threshold: numberOr(threshold, 0),
      }),
  },
  {
    className: "LeakyReLU",
    options: names("negative_slope alpha"),
    read: ({ name, negative_slope: slope, alpha }) =>
      leakyReLU({ name, negativeSlope: numberOr(slope ?? alpha, 0.3) }),
  },
  {
    className: "ELU",
    options: ["alpha"],
    read: ({ name, alpha }) => elu({ name, alpha: numberOr(alpha, 1) }),
  },
  {
    className: "Softmax",
    options: ["axis"],
    read: ({ name, axis = -1 }, { refuse }) =>
      axis === -1 || Array.isArray(axis) && axis.length === 1 && axis[0] === -1
        ? softmaxLayer({ name })
        : refuse("axis must be -1", `it is ${JSON.stringify(axis)}`),
  },
];
