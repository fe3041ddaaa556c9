import { shapeOf } from "../values/arrange.ts";
import type { FastForm } from "./fast_form.ts";
import { defineLayer, type Layer, type OpenShape } from "./layer.ts";
import { checkOptions, definedOptions, type LayerName, rateRule } from "./layer_options.ts";
import { noise, randomOf } from "./noise.ts";
import { type LayerKind, names } from "./kind.ts";

/** The options of a dropout layer. */
export interface DropoutOptions extends LayerName {
  /** The share that is dropped in training, from 0 to below 1. */
  readonly rate: number;
}

/**
 * Dropout: in training, each value is 0 with the probability `rate` and x / (1 − rate) else, so
 * that the mean stays; in prediction, x itself. Source: Srivastava et al. 2014.
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where the rate is out of range.
 *
 * @example
 * ```ts
 * import { dense, dropout, lstm, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layers = [lstm({ units: 4 }), dropout({ rate: 0.5 }), dense({ units: 2 })];
 * const model = sequential(layers, { inputShape: [3, 2] });
 * const x = [[[1, 2], [3, 4], [5, 6]]];
 * assertEquals(model.predict(x).toArray(), model.predict(x).toArray());
 * ```
 */
export function dropout(options: DropoutOptions): Layer {
  const chosen = definedOptions("a Dropout", options);
  checkOptions("a Dropout", chosen, { rate: rateRule });
  const { name, rate } = chosen;
  return defineLayer({
    className: "Dropout",
    name,
    config: { rate },
    overTime: "each",
    outputShape: (input: OpenShape) => input,
    weights: () => [],
    fast: (): FastForm => ({ kind: "identity" }),
    run: (o, [x], _weights, context) => {
      const [mask] = context.masks;
      if (!context.training || rate === 0) return { outputs: [x!], mask };
      const factors = noise(shapeOf(o, x!), rate, randomOf(context));
      return { outputs: [o.sumOfProducts([x!, o.given(factors)])], mask };
    },
  });
}

/** Keras's Dropout. */
export const DROPOUT: LayerKind = {
  className: "Dropout",
  options: names("rate noise_shape seed"),
  read: ({ name, rate }) => dropout({ name, rate: rate as number }),
  seeds: ({ config }) => config.rate === 0 ? [] : ["seed_generator/vars/0"],
};
