// Layers that add chance in training, and change nothing in prediction.

import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { shapeOf } from "../values/arrange.ts";
import type { Ops } from "../values/ops.ts";
import type { FastForm } from "./fast_form.ts";
import { type KerasConfig, type LayerKind, names } from "./kind.ts";
import { defineLayer, type Layer, type OpenShape } from "./layer.ts";
import {
  checkOptions,
  definedOptions,
  type LayerName,
  positiveRule,
  rateRule,
} from "./layer_options.ts";
import { noise, randomOf } from "./noise.ts";
import type { Random } from "../tensor/random.ts";

/** The options of a GaussianNoise. */
export interface GaussianNoiseOptions extends LayerName {
  /** σ of what is added. */
  readonly stddev: number;
}

/** The options of a dropout of another kind. */
export interface RateOptions extends LayerName {
  /** The share, from 0 to below 1. */
  readonly rate: number;
}

/**
 * In training, x + n with n from a normal distribution around 0; in prediction, x itself.
 * Source: keras/src/layers/regularization/gaussian_noise.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { gaussianNoise, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([gaussianNoise({ stddev: 0.1 })], { inputShape: [1] });
 * assertEquals(model.predict([[3]]).toArray(), [[3]]);
 * ```
 */
export function gaussianNoise(options: GaussianNoiseOptions): Layer {
  const chosen = definedOptions("a GaussianNoise", options);
  checkOptions("a GaussianNoise", chosen, { stddev: positiveRule });
  const { name, stddev } = chosen;
  return inTraining(
    "GaussianNoise",
    name,
    { stddev },
    (o, x, random) => o.add(x, o.given(normals(shapeOf(o, x), random, 0, stddev))),
  );
}

/**
 * In training, x ⊙ n with n around 1 and σ² = rate / (1 − rate); in prediction, x itself.
 * Source: keras/src/layers/regularization/gaussian_dropout.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { gaussianDropout, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([gaussianDropout({ rate: 0.1 })], { inputShape: [1] });
 * assertEquals(model.predict([[3]]).toArray(), [[3]]);
 * ```
 */
export function gaussianDropout(options: RateOptions): Layer {
  const { name, rate } = checkedRate("a GaussianDropout", options);
  const stddev = Math.sqrt(rate / (1 - rate));
  return inTraining(
    "GaussianDropout",
    name,
    { rate },
    (o, x, random) => o.sumOfProducts([x, o.given(normals(shapeOf(o, x), random, 1, stddev))]),
  );
}

/**
 * Dropout that keeps mean and variance of a selu's results, in training; in prediction, x itself.
 * Source: Klambauer et al. 2017, in the form of
 * keras/src/layers/regularization/alpha_dropout.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { alphaDropout, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([alphaDropout({ rate: 0.1 })], { inputShape: [1] });
 * assertEquals(model.predict([[3]]).toArray(), [[3]]);
 * ```
 */
export function alphaDropout(options: RateOptions): Layer {
  const { name, rate } = checkedRate("an AlphaDropout", options);
  const low = -1.6732632423543772 * 1.0507009873554805; // −α·λ: what a selu tends to
  const a = 1 / Math.sqrt((1 - rate) * (1 + rate * low ** 2));
  const b = -a * low * rate;
  return inTraining("AlphaDropout", name, { rate }, (o, x, random) => {
    const kept = noise(shapeOf(o, x), rate, random).data.map((factor) => factor === 0 ? 0 : 1);
    const shape = shapeOf(o, x);
    const factor = new Tensor(Float64Array.from(kept, (one) => a * one), shape);
    const rest = new Tensor(Float64Array.from(kept, (one) => a * low * (1 - one) + b), shape);
    return o.add(o.sumOfProducts([x, o.given(factor)]), o.given(rest));
  });
}

/**
 * Dropout of whole channels, the same at each timestep, in training; in prediction, x itself.
 * Source: keras/src/layers/regularization/spatial_dropout.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { sequential, spatialDropout1D } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([spatialDropout1D({ rate: 0.1 })], { inputShape: [1, 1] });
 * assertEquals(model.predict([[[3]]]).toArray(), [[[3]]]);
 * ```
 */
export function spatialDropout1D(options: RateOptions): Layer {
  const { name, rate } = checkedRate("a SpatialDropout1D", options);
  return inTraining("SpatialDropout1D", name, { rate }, (o, x, random) => {
    const [batch, timesteps, channels] = shapeOf(o, x) as [number, number, number];
    const factors = noise([batch, channels], rate, random).data;
    const all = Float64Array.from({ length: batch * timesteps * channels }, (_, k) => {
      const n = Math.floor(k / (timesteps * channels));
      return factors[n * channels + k % channels]!;
    });
    return o.sumOfProducts([x, o.given(new Tensor(all, [batch, timesteps, channels]))]);
  });
}

function checkedRate(layer: string, options: RateOptions): RateOptions {
  const chosen = definedOptions(layer, options);
  checkOptions(layer, chosen, { rate: rateRule });
  return chosen;
}

/** A layer that changes something in training alone, unless its one option is 0. */
function inTraining(
  className: string,
  name: string | undefined,
  config: KerasConfig,
  change: <V>(o: Ops<V>, x: V, random: Random) => V,
): Layer {
  const changes = Object.values(config).some((value) => value !== 0);
  return defineLayer({
    className,
    name,
    config,
    overTime: "each",
    outputShape: (input: OpenShape) => input,
    weights: () => [],
    fast: (): FastForm => ({ kind: "identity" }),
    run: (o, [x], _weights, context) => ({
      outputs: [context.training && changes ? change(o, x!, randomOf(context)) : x!],
      mask: context.masks[0],
    }),
  });
}

function normals(shape: readonly number[], random: Random, mean: number, stddev: number): Tensor {
  const draw = () => mean + stddev * random.normal();
  return new Tensor(Float64Array.from({ length: sizeOf(shape) }, draw), shape);
}

const seeds = () => ["seed_generator/vars/0"];

/** Keras's layers of chance. */
export const NOISE_LAYERS: readonly LayerKind[] = [
  {
    className: "GaussianNoise",
    options: names("stddev seed sigma"),
    read: ({ name, stddev }) => gaussianNoise({ name, stddev: stddev as number }),
    seeds,
  },
  {
    className: "GaussianDropout",
    options: names("rate seed"),
    read: ({ name, rate }) => gaussianDropout({ name, rate: rate as number }),
    seeds,
  },
  {
    className: "AlphaDropout",
    options: names("rate noise_shape seed"),
    only: { noise_shape: null },
    read: ({ name, rate }) => alphaDropout({ name, rate: rate as number }),
    seeds,
  },
  {
    className: "SpatialDropout1D",
    options: names("rate seed name noise_shape"),
    only: { noise_shape: null },
    read: ({ name, rate }) => spatialDropout1D({ name, rate: rate as number }),
    write: ({ config }) => ({ ...config, trainable: undefined }), // Keras's own takes none
    seeds,
  },
];
