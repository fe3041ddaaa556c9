import { shapeOf } from "../values/arrange.ts";
import type { Activation, ActivationName } from "../values/activations.ts";
import {
  checkSteps,
  convolved,
  countsOf,
  glorotOfWindows,
  timestepsBefore,
  windowsIn,
} from "./convolution.ts";
import { zeros } from "./initializers.ts";
import { given, type LayerKind, names, perAxis } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type OpenShape } from "./layer.ts";
import {
  activationConfig,
  activationRule,
  checkOptions,
  choiceRule,
  countRule,
  definedOptions,
  flagRule,
  layerActivation,
  type LayerName,
} from "./layer_options.ts";

/** The options of a SeparableConv1D, with Keras's defaults. */
export interface SeparableConv1DOptions extends LayerName {
  /** How many results a timestep. */
  readonly filters: number;
  /** How many timesteps a window sees. */
  readonly kernelSize: number;
  /** How many timesteps a window moves on. Default: 1. */
  readonly strides?: number;
  /** As in a Conv1D. Default: `"valid"`. */
  readonly padding?: "valid" | "same";
  /** How far what a window sees lies apart. Default: 1. */
  readonly dilationRate?: number;
  /** How many numbers each channel gives before they are mixed. Default: 1. */
  readonly depthMultiplier?: number;
  /** Default: `"linear"`. */
  readonly activation?: ActivationName | Activation;
  /** Whether a bias is added. Default: true. */
  readonly useBias?: boolean;
}

/**
 * A convolution of each channel by itself, then one of all channels at each place:
 * y = φ(conv(x, D)·P + b). `[timesteps, channels]` becomes `[windows, filters]`.
 * Source: keras/src/layers/convolutional/separable_conv1d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { separableConv1D, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layer = separableConv1D({ filters: 1, kernelSize: 2 });
 * const model = sequential([layer], { inputShape: [2, 2] });
 * model.setWeights([[[[1], [2]], [[3], [4]]], [[[1], [10]]], [0.5]]);
 * assertEquals(model.predict([[[1, 1], [1, 1]]]).toArray(), [[[64.5]]]);
 * ```
 */
export function separableConv1D(options: SeparableConv1DOptions): Layer {
  const chosen = {
    strides: 1,
    padding: "valid" as const,
    dilationRate: 1,
    depthMultiplier: 1,
    activation: "linear" as ActivationName | Activation,
    useBias: true,
    ...definedOptions("a SeparableConv1D", options),
  };
  checkOptions("a SeparableConv1D", chosen, {
    filters: countRule,
    kernelSize: countRule,
    strides: countRule,
    padding: choiceRule(["valid", "same"]),
    dilationRate: countRule,
    depthMultiplier: countRule,
    activation: activationRule,
    useBias: flagRule,
  });
  const { name, filters, kernelSize, strides, padding, dilationRate, depthMultiplier } = chosen;
  const φ = layerActivation("a SeparableConv1D", chosen.activation);
  checkSteps("SeparableConv1D", [strides], [dilationRate]);
  const geometry = {
    sizes: [kernelSize],
    strides: [strides],
    dilations: [dilationRate],
    padding,
  };
  const channelsOf = (input: OpenShape): number => {
    const channels = input.at(-1);
    if (input.length === 2 && typeof channels === "number") return channels;
    throw new TypeError(
      `Cannot build a SeparableConv1D: its input must be [timesteps, channels], but it is ` +
        formatOpenShape(input),
    );
  };
  return defineLayer({
    className: "SeparableConv1D",
    name,
    overTime: timestepsBefore(geometry),
    config: {
      filters,
      kernel_size: [kernelSize],
      strides: [strides],
      padding,
      dilation_rate: [dilationRate],
      depth_multiplier: depthMultiplier,
      activation: activationConfig(φ),
      use_bias: chosen.useBias,
    },
    outputShape: (input: OpenShape) => {
      channelsOf(input);
      return [...countsOf("SeparableConv1D", input.slice(0, -1), geometry), filters];
    },
    weights: (input: OpenShape) => {
      const channels = channelsOf(input);
      return [
        {
          name: "depthwise_kernel",
          shape: [kernelSize, channels, depthMultiplier],
          initialize: glorotOfWindows,
        },
        {
          name: "pointwise_kernel",
          shape: [1, channels * depthMultiplier, filters],
          initialize: glorotOfWindows,
        },
        ...(chosen.useBias ? [{ name: "bias", shape: [filters], initialize: zeros }] : []),
      ];
    },
    run: (o, [x], [depthwise, pointwise, b]) => {
      const [, timesteps, channels] = shapeOf(o, x!) as [number, number, number];
      const between = channels * depthMultiplier;
      const windows = windowsIn("SeparableConv1D", [timesteps], geometry);
      const kernel = o.reshape(depthwise!, [kernelSize, 1, between]); // each channel a group
      const own = convolved(o, x!, kernel, undefined, windows, channels);
      const mixed = o.affine([[own, o.reshape(pointwise!, [between, filters])]], b);
      return { outputs: [o.apply(φ, mixed)] };
    },
  });
}

/** Keras's SeparableConv1D. */
export const SEPARABLE_CONV_1D: LayerKind = {
  className: "SeparableConv1D",
  options: names(
    "filters kernel_size strides padding data_format dilation_rate depth_multiplier activation " +
      "use_bias depthwise_initializer pointwise_initializer bias_initializer " +
      "depthwise_regularizer pointwise_regularizer bias_regularizer depthwise_constraint " +
      "pointwise_constraint bias_constraint rank groups kernel_initializer kernel_regularizer " +
      "kernel_constraint",
  ),
  only: { data_format: "channels_last", groups: 1 },
  read: (config, reading) => {
    const one = (option: string, otherwise?: number) =>
      perAxis(config[option] ?? otherwise, 1, option, reading)[0]!;
    return separableConv1D({
      name: config.name,
      filters: config.filters as number,
      kernelSize: one("kernel_size"),
      strides: one("strides", 1),
      padding: given(config.padding, "valid") as "valid",
      dilationRate: one("dilation_rate", 1),
      depthMultiplier: (config.depth_multiplier ?? 1) as number,
      activation: reading.activation(config.activation ?? null),
      useBias: (config.use_bias ?? true) as boolean,
    });
  },
};
