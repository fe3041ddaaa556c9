import { Tensor } from "../tensor/tensor.ts";
import { sizeOf } from "../tensor/shape.ts";
import { shapeOf, where } from "../values/arrange.ts";
import { inverseRoot } from "../values/functions.ts";
import type { Ops } from "../values/ops.ts";
import type { FastForm } from "./fast_form.ts";
import { ones, zeros } from "./initializers.ts";
import { given, type LayerKind, names } from "./kind.ts";
import {
  defineLayer,
  formatOpenShape,
  type Layer,
  type Mask,
  type OpenShape,
  type WeightSpec,
} from "./layer.ts";
import {
  checkOptions,
  definedOptions,
  flagRule,
  type LayerName,
  numberRule,
  positiveRule,
} from "./layer_options.ts";

/** The options of a BatchNormalization, with Keras's defaults. */
export interface BatchNormalizationOptions extends LayerName {
  /** The channels' axis, the batch being axis 0: the last one. Default: -1. */
  readonly axis?: number;
  /** How much of the moving statistics stays with each batch. Default: 0.99. */
  readonly momentum?: number;
  /** What is added to the variance. Default: 0.001. */
  readonly epsilon?: number;
  /** Whether β is added. Default: true. */
  readonly center?: boolean;
  /** Whether γ multiplies. Default: true. */
  readonly scale?: boolean;
}

/** The options of a LayerNormalization, with Keras's defaults. */
export interface LayerNormalizationOptions extends LayerName {
  /** The axis whose mean is taken, the batch being axis 0: the last one. Default: -1. */
  readonly axis?: number;
  /** What is added to the variance. Default: 0.001. */
  readonly epsilon?: number;
  /** Whether β is added. Default: true. */
  readonly center?: boolean;
  /** Whether γ multiplies. Default: true. */
  readonly scale?: boolean;
}

/** What the moments of a masked batch are divided by besides: keras.config.epsilon(). */
const NO_STEPS = 1e-7;

/**
 * Each channel by its mean and variance, y = γ ⊙ (x − μ) / √(σ² + ε) + β: the batch's in training,
 * the moving ones in prediction. Source: Ioffe and Szegedy 2015, in the form of
 * keras/src/layers/normalization/batch_normalization.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { batchNormalization, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layers = [batchNormalization({ epsilon: 0 })];
 * const model = sequential(layers, { inputShape: [1] });
 * model.setWeights([[2], [1], [3], [4]]); // γ, β, moving mean, moving variance
 * assertEquals(model.predict([[5]]).toArray(), [[2 * (5 - 3) / 2 + 1]]);
 * ```
 */
export function batchNormalization(options: BatchNormalizationOptions = {}): Layer {
  const chosen = {
    axis: -1,
    momentum: 0.99,
    epsilon: 1e-3,
    center: true,
    scale: true,
    ...definedOptions("a BatchNormalization", options),
  };
  checkOptions("a BatchNormalization", chosen, {
    axis: numberRule,
    momentum: numberRule,
    epsilon: positiveRule,
    center: flagRule,
    scale: flagRule,
  });
  const { name, axis, momentum, epsilon, center, scale } = chosen;
  return defineLayer({
    className: "BatchNormalization",
    name,
    config: { axis, momentum, epsilon, center, scale },
    overTime: "each",
    outputShape: (input: OpenShape) => input,
    weights: (input: OpenShape): WeightSpec[] => {
      const shape = [channelsOf("BatchNormalization", input, axis)];
      return [
        ...(scale ? [{ name: "gamma", shape, initialize: ones }] : []),
        ...(center ? [{ name: "beta", shape, initialize: zeros }] : []),
        { name: "moving_mean", shape, initialize: zeros, trainable: false },
        { name: "moving_variance", shape, initialize: ones, trainable: false },
      ];
    },
    fast: (): FastForm => ({ kind: "normalization", epsilon, momentum, center, scale }),
    run: (o, [x], weights, { training, masks: [mask] }) => {
      const [gamma, beta] = [scale ? weights[0] : undefined, center ? weights.at(-3) : undefined];
      const [movingMean, movingVariance] = weights.slice(-2) as [typeof x, typeof x];
      if (!training) {
        const moments = { mean: movingMean!, variance: movingVariance! };
        return { outputs: [normalized(o, x!, moments, { gamma, beta, epsilon })], mask };
      }
      const moments = momentsOf(o, x!, mask);
      const moved = (kept: typeof x, now: typeof x) =>
        o.add(o.scale(kept!, momentum), o.scale(now!, 1 - momentum));
      return {
        outputs: [normalized(o, x!, moments, { gamma, beta, epsilon })],
        mask,
        updates: [
          ...weights.slice(0, -2).map(() => undefined),
          moved(movingMean, moments.mean),
          moved(movingVariance, moments.variance),
        ],
      };
    },
  });
}

/**
 * Each row by its own mean and variance, y = γ ⊙ (x − μ) / √(σ² + ε) + β over the last axis.
 * Source: Ba et al. 2016, in the form of keras/src/layers/normalization/layer_normalization.py
 * (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { layerNormalization, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([layerNormalization({ epsilon: 0 })], { inputShape: [2] });
 * assertEquals(model.predict([[1, 3]]).toArray(), [[-1, 1]]);
 * ```
 */
export function layerNormalization(options: LayerNormalizationOptions = {}): Layer {
  const chosen = {
    axis: -1,
    epsilon: 1e-3,
    center: true,
    scale: true,
    ...definedOptions("a LayerNormalization", options),
  };
  checkOptions("a LayerNormalization", chosen, {
    axis: numberRule,
    epsilon: positiveRule,
    center: flagRule,
    scale: flagRule,
  });
  const { name, axis, epsilon, center, scale } = chosen;
  return defineLayer({
    className: "LayerNormalization",
    name,
    config: { axis, epsilon, center, scale },
    overTime: "each",
    outputShape: (input: OpenShape) => input,
    weights: (input: OpenShape): WeightSpec[] => {
      const shape = [channelsOf("LayerNormalization", input, axis)];
      return [
        ...(scale ? [{ name: "gamma", shape, initialize: ones }] : []),
        ...(center ? [{ name: "beta", shape, initialize: zeros }] : []),
      ];
    },
    run: (o, [x], weights, { masks }) => {
      const width = shapeOf(o, x!).at(-1)!;
      const mean = o.given(
        new Tensor(new Float64Array(width * width).fill(1 / width), [width, width]),
      );
      const centered = o.add(x!, o.scale(o.affine([[x!, mean]]), -1)); // the mean beside each number
      const variance = o.affine([[o.sumOfProducts([centered, centered]), mean]]);
      const [gamma, beta] = [scale ? weights[0] : undefined, center ? weights.at(-1) : undefined];
      const factor = o.apply(inverseRoot, plus(o, variance, epsilon));
      return {
        outputs: [shaped(o, o.sumOfProducts([centered, factor]), gamma, beta)],
        mask: masks[0],
      };
    },
  });
}

/** The mean and the variance of each channel, of what a mask counts alone. */
function momentsOf<V>(o: Ops<V>, x: V, mask: Mask | undefined): { mean: V; variance: V } {
  const shape = shapeOf(o, x);
  const [rows, channels] = [sizeOf(shape.slice(0, -1)), shape.at(-1)!];
  const flat = o.reshape(x, [rows, channels]);
  const counted = mask === undefined
    ? rows
    : mask.data.filter((counts) => counts !== 0).length + NO_STEPS;
  const share = o.given(new Tensor(new Float64Array(rows).fill(1 / counted), [1, rows]));
  const some = (all: V) => mask === undefined ? all : where(o, mask, all);
  const mean = o.reshape(o.affine([[share, some(flat)]]), [channels]);
  const centered = some(o.add(flat, o.scale(mean, -1)));
  const squares = o.sumOfProducts([centered, centered]);
  return { mean, variance: o.reshape(o.affine([[share, squares]]), [channels]) };
}

function normalized<V>(
  o: Ops<V>,
  x: V,
  { mean, variance }: { mean: V; variance: V },
  { gamma, beta, epsilon }: { gamma: V | undefined; beta: V | undefined; epsilon: number },
): V {
  const root = o.apply(inverseRoot, plus(o, variance, epsilon));
  const factor = gamma === undefined ? root : o.sumOfProducts([root, gamma]);
  return shaped(o, o.sumOfProducts([o.add(x, o.scale(mean, -1)), factor]), undefined, beta);
}

/** γ ⊙ x + β, as far as they are there. */
function shaped<V>(o: Ops<V>, x: V, gamma: V | undefined, beta: V | undefined): V {
  const scaled = gamma === undefined ? x : o.sumOfProducts([x, gamma]);
  return beta === undefined ? scaled : o.add(scaled, beta);
}

function plus<V>(o: Ops<V>, x: V, number: number): V {
  return o.add(x, o.given(new Tensor(Float64Array.of(number), [])));
}

function channelsOf(className: string, input: OpenShape, axis: number): number {
  const channels = input.at(-1);
  if (typeof channels === "number" && (axis === -1 || axis === input.length)) return channels;
  throw new TypeError(
    `Cannot build a ${className}: its axis must be the last one of its input, and known, ` +
      `but it is ${axis} of ${formatOpenShape(input)}`,
  );
}

/** An axis; Keras 2 keeps it in a list, counted from the front. */
function axisOf(value: unknown): number {
  const [axis] = Array.isArray(value) && value.length === 1 ? value : [value];
  return (axis ?? -1) as number;
}

const COMMON =
  "axis epsilon center scale beta_initializer gamma_initializer beta_regularizer gamma_regularizer " +
  "beta_constraint gamma_constraint";

/** Keras's BatchNormalization. */
export const BATCH_NORMALIZATION: LayerKind = {
  className: "BatchNormalization",
  options: names(
    `${COMMON} momentum moving_mean_initializer moving_variance_initializer synchronized renorm ` +
      "renorm_clipping renorm_momentum fused virtual_batch_size mode",
  ),
  only: { renorm: false, virtual_batch_size: null },
  read: (config) =>
    batchNormalization({
      name: config.name,
      axis: axisOf(config.axis),
      momentum: given(config.momentum, 0.99) as number,
      epsilon: given(config.epsilon, 1e-3) as number,
      center: (config.center ?? true) as boolean,
      scale: (config.scale ?? true) as boolean,
    }),
};

/** Keras's LayerNormalization. */
export const LAYER_NORMALIZATION: LayerKind = {
  className: "LayerNormalization",
  options: names(`${COMMON} rms_scaling`),
  only: { rms_scaling: false },
  read: (config) =>
    layerNormalization({
      name: config.name,
      axis: axisOf(config.axis),
      epsilon: given(config.epsilon, 1e-3) as number,
      center: (config.center ?? true) as boolean,
      scale: (config.scale ?? true) as boolean,
    }),
};
