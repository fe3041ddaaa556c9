// Several results of one shape, number by number.

import type { Ops } from "../values/ops.ts";
import type { LayerKind } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type Mask, type OpenShape } from "./layer.ts";
import { checkOptions, definedOptions, type LayerName } from "./layer_options.ts";
import { Tensor } from "../tensor/tensor.ts";
import { permuted, shapeOf, stackSteps } from "../values/arrange.ts";

/**
 * The sum of several results. Source: keras/src/layers/merging/add.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown.
 *
 * @example
 * ```ts
 * import { addition, functional, input } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = [input([2]), input([2])];
 * const model = functional([a, b], addition().apply([a, b]));
 * assertEquals(model.predict([[[1, 2]], [[3, 4]]]).toArray(), [[4, 6]]);
 * ```
 */
export function addition(options: LayerName = {}): Layer {
  return merge("Add", options, (o, xs) => o.add(...xs));
}

/**
 * The first of two results minus the second. Source: keras/src/layers/merging/subtract.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown.
 *
 * @example
 * ```ts
 * import { functional, input, subtraction } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = [input([2]), input([2])];
 * const model = functional([a, b], subtraction().apply([a, b]));
 * assertEquals(model.predict([[[1, 2]], [[3, 5]]]).toArray(), [[-2, -3]]);
 * ```
 */
export function subtraction(options: LayerName = {}): Layer {
  return merge("Subtract", options, (o, [a, b]) => o.add(a!, o.scale(b!, -1)), 2);
}

/**
 * The product of several results. Source: keras/src/layers/merging/multiply.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown.
 *
 * @example
 * ```ts
 * import { functional, input, multiplication } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = [input([2]), input([2])];
 * const model = functional([a, b], multiplication().apply([a, b]));
 * assertEquals(model.predict([[[1, 2]], [[3, 5]]]).toArray(), [[3, 10]]);
 * ```
 */
export function multiplication(options: LayerName = {}): Layer {
  return merge("Multiply", options, (o, xs) => xs.reduce((a, b) => o.sumOfProducts([a, b])));
}

/**
 * The mean of several results. Source: keras/src/layers/merging/average.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown.
 *
 * @example
 * ```ts
 * import { average, functional, input } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = [input([2]), input([2])];
 * const model = functional([a, b], average().apply([a, b]));
 * assertEquals(model.predict([[[1, 2]], [[3, 4]]]).toArray(), [[2, 3]]);
 * ```
 */
export function average(options: LayerName = {}): Layer {
  return merge("Average", options, (o, xs) => o.scale(o.add(...xs), 1 / xs.length));
}

/**
 * The largest of several results. Source: keras/src/layers/merging/maximum.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown.
 *
 * @example
 * ```ts
 * import { functional, input, maximum } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = [input([2]), input([2])];
 * const model = functional([a, b], maximum().apply([a, b]));
 * assertEquals(model.predict([[[1, 9]], [[3, 4]]]).toArray(), [[3, 9]]);
 * ```
 */
export function maximum(options: LayerName = {}): Layer {
  return merge("Maximum", options, largestOf);
}

/**
 * The smallest of several results. Source: keras/src/layers/merging/minimum.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown.
 *
 * @example
 * ```ts
 * import { functional, input, minimum } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = [input([2]), input([2])];
 * const model = functional([a, b], minimum().apply([a, b]));
 * assertEquals(model.predict([[[1, 9]], [[3, 4]]]).toArray(), [[1, 4]]);
 * ```
 */
export function minimum(options: LayerName = {}): Layer {
  return merge(
    "Minimum",
    options,
    (o, xs) => o.scale(largestOf(o, xs.map((x) => o.scale(x, -1))), -1),
  );
}

function largestOf<V>(o: Ops<V>, xs: readonly V[]): V {
  const stacked = stackSteps(o, xs); // [batch, inputs, …]
  const axes = shapeOf(o, stacked).map((_, axis) => axis);
  return o.largest(permuted(o, stacked, [0, ...axes.slice(2), 1]));
}

function merge(
  className: string,
  options: LayerName,
  combine: <V>(o: Ops<V>, xs: readonly V[]) => V,
  most = Infinity,
): Layer {
  const layer = /^[AEIOU]/.test(className) ? `an ${className}` : `a ${className}`;
  const chosen = definedOptions(layer, options);
  checkOptions(layer, chosen, {});
  const outputShape = (...inputs: OpenShape[]) => {
    const [first] = inputs as [OpenShape];
    const fits = inputs.every((shape) =>
      shape.length === first.length && shape.every((length, axis) => length === first[axis])
    );
    if (fits) return first;
    throw new TypeError(
      `Cannot build ${layer}: its inputs must have one shape, ` +
        `but they are ${inputs.map(formatOpenShape).join(" and ")}`,
    );
  };
  return defineLayer({
    className,
    name: chosen.name,
    config: {},
    inputCount: [2, most] as const,
    outputShape,
    weights: () => [],
    run: (o, inputs, _weights, { masks }) => {
      outputShape(...inputs.map((x) => shapeOf(o, x).slice(1))); // lengths that were open
      return { outputs: [combine(o, inputs)], mask: mergedMask(masks) };
    },
  });
}

/** Steps that any of the inputs counts count; all, where one of them tells nothing. */
export function mergedMask(masks: readonly (Mask | undefined)[]): Mask | undefined {
  if (masks.some((mask) => mask === undefined)) return undefined;
  const [first, ...more] = masks as readonly Mask[];
  const data = Float64Array.from(
    first!.data,
    (counts, k) => counts !== 0 || more.some((mask) => mask.data[k] !== 0) ? 1 : 0,
  );
  return new Tensor(data, first!.shape);
}

const kindOf = (className: string, make: (options: LayerName) => Layer): LayerKind => ({
  className,
  options: [],
  read: ({ name }) => make({ name }),
});

/** Keras's merges. */
export const MERGES: readonly LayerKind[] = [
  kindOf("Add", addition),
  kindOf("Subtract", subtraction),
  kindOf("Multiply", multiplication),
  kindOf("Average", average),
  kindOf("Maximum", maximum),
  kindOf("Minimum", minimum),
];
