import { sizeOf } from "../tensor/shape.ts";
import { join, shapeOf, type Windows, windowsOf } from "../values/arrange.ts";
import type { Activation, ActivationName } from "../values/activations.ts";
import type { Ops } from "../values/ops.ts";
import { fastActivationOf, type FastForm } from "./fast_form.ts";
import { uniform, zeros } from "./initializers.ts";
import { given, type LayerKind, names, perAxis } from "./kind.ts";
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
  choiceRule,
  countRule,
  definedOptions,
  flagRule,
  layerActivation,
  type LayerName,
  wholesRule,
} from "./layer_options.ts";

/** How a window's edges are met. */
export type Padding = "valid" | "same" | "causal";

/** The options of a Conv1D, with Keras's defaults. */
export interface Conv1DOptions extends LayerName {
  /** How many results a timestep. */
  readonly filters: number;
  /** How many timesteps a window sees. */
  readonly kernelSize: number;
  /** How many timesteps a window moves on. Default: 1. */
  readonly strides?: number;
  /**
   * `"valid"`: whole windows alone; `"same"`: as many as there are timesteps, zeros on both sides;
   * `"causal"`: the same, zeros before alone, so that nothing later is seen. Default: `"valid"`.
   */
  readonly padding?: Padding;
  /** How far what a window sees lies apart. Default: 1. */
  readonly dilationRate?: number;
  /** In how many groups the channels are, each with filters of its own. Default: 1. */
  readonly groups?: number;
  /** Default: `"linear"`. */
  readonly activation?: ActivationName | Activation;
  /** Whether a bias is added. Default: true. */
  readonly useBias?: boolean;
}

/** The options of a Conv2D, with Keras's defaults; a pair is rows and columns. */
export interface Conv2DOptions extends LayerName {
  /** How many results a place. */
  readonly filters: number;
  /** How many places a window sees. */
  readonly kernelSize: readonly [number, number];
  /** How many places a window moves on. Default: `[1, 1]`. */
  readonly strides?: readonly [number, number];
  /** As in a Conv1D. Default: `"valid"`. */
  readonly padding?: "valid" | "same";
  /** How far what a window sees lies apart. Default: `[1, 1]`. */
  readonly dilationRate?: readonly [number, number];
  /** In how many groups the channels are, each with filters of its own. Default: 1. */
  readonly groups?: number;
  /** Default: `"linear"`. */
  readonly activation?: ActivationName | Activation;
  /** Whether a bias is added. Default: true. */
  readonly useBias?: boolean;
}

const COMMON = {
  strides: 1,
  padding: "valid" as Padding,
  dilationRate: 1,
  groups: 1,
  activation: "linear" as ActivationName | Activation,
  useBias: true,
};
const rules = {
  filters: countRule,
  groups: countRule,
  activation: activationRule,
  useBias: flagRule,
};

/**
 * A convolution over time, y_t = φ(Σ_k x_{t·strides + k·dilationRate}·W_k + b):
 * `[timesteps, channels]` becomes `[windows, filters]`.
 * Source: keras/src/layers/convolutional/conv1d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { conv1D, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([conv1D({ filters: 1, kernelSize: 2 })], { inputShape: [3, 1] });
 * model.setWeights([[[[1]], [[10]]], [0.5]]);
 * assertEquals(model.predict([[[1], [2], [3]]]).toArray(), [[[21.5], [32.5]]]);
 * ```
 */
export function conv1D(options: Conv1DOptions): Layer {
  const chosen = { ...COMMON, ...definedOptions("a Conv1D", options) };
  checkOptions("a Conv1D", chosen, {
    ...rules,
    kernelSize: countRule,
    strides: countRule,
    dilationRate: countRule,
    padding: choiceRule(["valid", "same", "causal"]),
  });
  const { kernelSize, strides, dilationRate } = chosen;
  return convolution("Conv1D", {
    ...chosen,
    kernelSize: [kernelSize],
    strides: [strides],
    dilationRate: [dilationRate],
  });
}

/**
 * A convolution over rows and columns: `[rows, columns, channels]` becomes
 * `[rows, columns, filters]`. Source: keras/src/layers/convolutional/conv2d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { conv2D, lstm, flatten, sequential, timeDistributed } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([
 *   timeDistributed(conv2D({ filters: 2, kernelSize: [3, 3] })),
 *   timeDistributed(flatten()),
 *   lstm({ units: 4 }),
 * ], { inputShape: [null, 8, 8, 1] });
 * assertEquals(model.outputShape, [4]);
 * ```
 */
export function conv2D(options: Conv2DOptions): Layer {
  const chosen = {
    ...COMMON,
    strides: [1, 1],
    dilationRate: [1, 1],
    ...definedOptions("a Conv2D", options),
  };
  const two = wholesRule("two whole numbers from 1", 1, 2);
  checkOptions("a Conv2D", chosen, {
    ...rules,
    kernelSize: two,
    strides: two,
    dilationRate: two,
    padding: choiceRule(["valid", "same"]),
  });
  return convolution("Conv2D", chosen);
}

/** A convolution over as many axes as its kernel has. */
function convolution(className: string, chosen: {
  readonly name?: string | undefined;
  readonly filters: number;
  readonly kernelSize: readonly number[];
  readonly strides: readonly number[];
  readonly padding: Padding;
  readonly dilationRate: readonly number[];
  readonly groups: number;
  readonly activation: ActivationName | Activation;
  readonly useBias: boolean;
}): Layer {
  const { name, filters, kernelSize, strides, padding, dilationRate, groups, useBias } = chosen;
  const φ = layerActivation(`a ${className}`, chosen.activation);
  const geometry = { sizes: kernelSize, strides, dilations: dilationRate, padding };
  checkSteps(className, strides, dilationRate);
  const windows = (space: readonly number[]) => windowsIn(className, space, geometry);
  const checkChannels = (input: OpenShape): number => {
    const channels = input.at(-1);
    const fits = input.length === kernelSize.length + 1 && typeof channels === "number" &&
      channels % groups === 0 && filters % groups === 0;
    if (fits) return channels;
    throw new TypeError(
      `Cannot build a ${className}: its input must be ${
        kernelSize.length === 1 ? "[timesteps, channels]" : "[rows, columns, channels]"
      }, channels and filters in ${groups} groups, but the input is ${
        formatOpenShape(input)
      } and ` +
        `the filters are ${filters}`,
    );
  };
  return defineLayer({
    className,
    name,
    overTime: timestepsBefore(geometry),
    config: {
      filters,
      kernel_size: kernelSize,
      strides,
      padding,
      dilation_rate: dilationRate,
      groups,
      activation: activationConfig(φ),
      use_bias: useBias,
    },
    outputShape: (input: OpenShape) => {
      checkChannels(input);
      return [...countsOf(className, input.slice(0, -1), geometry), filters];
    },
    weights: (input: OpenShape): WeightSpec[] => [
      {
        name: "kernel",
        shape: [...kernelSize, checkChannels(input) / groups, filters],
        initialize: glorotOfWindows,
      },
      ...(useBias ? [{ name: "bias", shape: [filters], initialize: zeros }] : []),
    ],
    fast: (): FastForm | undefined => {
      const activation = groups === 1 ? fastActivationOf(φ) : undefined;
      return activation && { kind: "convolution", units: filters, activation, windowsIn: windows };
    },
    run: (o, [x], [kernel, b]) => {
      const places = windows(shapeOf(o, x!).slice(1, -1));
      return { outputs: [o.apply(φ, convolved(o, x!, kernel!, b, places, groups))] };
    },
  });
}

/**
 * How many timesteps before its own a window sees; undefined where it sees later ones, or where not
 * each timestep has a window.
 */
export function timestepsBefore(
  { sizes: [size = 1, ...more], strides, dilations: [dilation = 1], padding }: Geometry,
): number | undefined {
  if (more.length > 0 || strides[0] !== 1) return undefined;
  return padding === "causal" || size === 1 ? (size - 1) * dilation : undefined;
}

/** Keras has no windows that both move on and lie apart by more than 1 (base_conv.py). */
export function checkSteps(
  className: string,
  strides: readonly number[],
  dilations: readonly number[],
): void {
  if (Math.max(...strides) === 1 || Math.max(...dilations) === 1) return;
  throw new RangeError(
    `Cannot make a ${className}: strides or dilationRate must be 1, but they are ` +
      `${strides.join(", ")} and ${dilations.join(", ")}`,
  );
}

/** Σ over each window, of each group of channels by itself; `kernel` is `[…sizes, channels, filters]`. */
export function convolved<V>(
  o: Ops<V>,
  x: V,
  kernel: V,
  b: V | undefined,
  windows: Windows,
  groups: number,
): V {
  const [xs, Ws] = [o.blocks(x, groups), o.blocks(kernel, groups)];
  const bs = b === undefined ? undefined : o.blocks(b, groups);
  const rows = (W: V) => {
    const shape = shapeOf(o, W);
    return o.reshape(W, [sizeOf(shape.slice(0, -1)), shape.at(-1)!]);
  };
  const parts = xs.map((part, k) =>
    o.affine([[windowsOf(o, part, windows), rows(Ws[k]!)]], bs?.[k])
  );
  return groups === 1 ? parts[0]! : join(o, parts);
}

/** Evenly spread to ±√(6 / (fanIn + fanOut)), a window's places counted in both. */
export const glorotOfWindows: WeightSpec["initialize"] = (shape, random) => {
  const places = sizeOf(shape.slice(0, -2));
  const [channels, filters] = shape.slice(-2) as [number, number];
  return uniform(Math.sqrt(6 / (places * (channels + filters))))(shape, random);
};

/** Windows over axes of space, before their lengths are known. */
export interface Geometry {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
}

/** How many windows there are along each axis; null where its length is open. */
export function countsOf(
  layer: string,
  space: OpenShape,
  { sizes, strides, dilations, padding }: Geometry,
): OpenShape {
  return space.map((length, axis) => {
    if (length === null) return null;
    const seen = (sizes[axis]! - 1) * dilations[axis]! + 1;
    const count = padding === "valid"
      ? Math.floor((length - seen) / strides[axis]!) + 1
      : Math.ceil(length / strides[axis]!);
    if (count >= 1) return count;
    throw new RangeError(
      `Cannot build a ${layer}: a window of ${seen} must fit, but there are ${length}`,
    );
  });
}

/** The windows over axes of these lengths; with `same`, the odd place stands after (as XLA has it). */
export function windowsIn(layer: string, space: readonly number[], geometry: Geometry): Windows {
  const { sizes, strides, dilations, padding } = geometry;
  const counts = countsOf(layer, space, geometry) as readonly number[];
  const before = space.map((length, axis) => {
    const seen = (sizes[axis]! - 1) * dilations[axis]! + 1;
    if (padding === "valid") return 0;
    if (padding === "causal") return seen - 1;
    const missing = (counts[axis]! - 1) * strides[axis]! + seen - length;
    return Math.floor(Math.max(0, missing) / 2);
  });
  return { sizes, strides, dilations, before, counts };
}

const OPTIONS = names(
  "filters kernel_size strides padding data_format dilation_rate groups activation use_bias " +
    "kernel_initializer bias_initializer kernel_regularizer bias_regularizer kernel_constraint " +
    "bias_constraint rank causal trainable input_dim input_length quantization_config lora_rank " +
    "lora_alpha",
);

/** What both read alike. */
function common(config: Readonly<Record<string, unknown>>) {
  return {
    filters: config.filters as number,
    padding: given(config.padding, "valid") as "valid",
    groups: (config.groups ?? 1) as number,
    useBias: (config.use_bias ?? true) as boolean,
  };
}

/** Keras's Conv1D. */
export const CONV_1D: LayerKind = {
  className: "Conv1D",
  options: OPTIONS,
  kernelAxes: 1,
  only: { data_format: "channels_last", quantization_config: null, lora_rank: null },
  read: (config, reading) => {
    const one = (option: string, otherwise?: number) =>
      perAxis(config[option] ?? otherwise, 1, option, reading)[0]!;
    return conv1D({
      ...common(config),
      name: config.name,
      kernelSize: one("kernel_size"),
      strides: one("strides", 1),
      dilationRate: one("dilation_rate", 1),
      activation: reading.activation(config.activation ?? null),
    });
  },
};

/** Keras's Conv2D. */
export const CONV_2D: LayerKind = {
  className: "Conv2D",
  options: OPTIONS,
  kernelAxes: 2,
  only: { data_format: "channels_last", quantization_config: null, lora_rank: null },
  read: (config, reading) => {
    const two = (option: string, otherwise?: number) =>
      perAxis(config[option] ?? otherwise, 2, option, reading) as [number, number];
    return conv2D({
      ...common(config),
      name: config.name,
      kernelSize: two("kernel_size"),
      strides: two("strides", 1),
      dilationRate: two("dilation_rate", 1),
      activation: reading.activation(config.activation ?? null),
    });
  },
};
