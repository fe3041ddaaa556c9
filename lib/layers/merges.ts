// Several results of one shape, number by number.

import type { Ops } from "../values/ops.ts";
import type { KerasConfig, LayerKind } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type Mask, type OpenShape } from "./layer.ts";
import { checkOptions, choiceRule, definedOptions, type LayerName } from "./layer_options.ts";
import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { permuted, shapeOf, stackSteps, where } from "../values/arrange.ts";

/** What becomes of the masks of several results. */
export type MaskWay = "any" | "all" | "none";

/** The options of a layer that takes several results. */
export interface MergeOptions extends LayerName {
  /**
   * Which steps count after it: `"any"` (Keras from 3.4), those that any input counts, if all have a
   * mask, and a product, a maximum or a minimum is of the inputs that count; `"all"` (Keras 1 and 2),
   * those that all masks count; `"none"` (Keras 3.0 to 3.3), no mask is handed on. Default: `"any"`.
   */
  readonly masks?: MaskWay;
}

/** The rule of that option. */
export const masksRule = choiceRule(["any", "all", "none"]);

/**
 * The sum of several results. Source: keras/src/layers/merging/add.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
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
export function addition(options: MergeOptions = {}): Layer {
  return merge("Add", options, (o, xs) => o.add(...xs));
}

/**
 * The first of two results minus the second. Source: keras/src/layers/merging/subtract.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
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
export function subtraction(options: MergeOptions = {}): Layer {
  return merge("Subtract", options, (o, [a, b]) => o.add(a!, o.scale(b!, -1)), 2);
}

/**
 * The product of several results. Source: keras/src/layers/merging/multiply.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
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
export function multiplication(options: MergeOptions = {}): Layer {
  return merge("Multiply", options, productOf);
}

/**
 * The mean of several results. Source: keras/src/layers/merging/average.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
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
export function average(options: MergeOptions = {}): Layer {
  return merge("Average", options, (o, xs) => o.scale(o.add(...xs), 1 / xs.length));
}

/**
 * The largest of several results. Source: keras/src/layers/merging/maximum.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
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
export function maximum(options: MergeOptions = {}): Layer {
  return merge("Maximum", options, largestOf);
}

/**
 * The smallest of several results. Source: keras/src/layers/merging/minimum.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
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
export function minimum(options: MergeOptions = {}): Layer {
  return merge(
    "Minimum",
    options,
    (o, xs, masks) => o.scale(largestOf(o, xs.map((x) => o.scale(x, -1)), masks), -1),
  );
}

/** Of inputs that have masks, the product of those that count; of all others, of all. */
function productOf<V>(o: Ops<V>, xs: readonly V[], masks: Masks): V {
  const factors = xs.map((x, k) => {
    const [mask, shape] = [masks[k], shapeOf(o, x)];
    if (mask === undefined) return x;
    const ones = new Tensor(new Float64Array(sizeOf(shape)).fill(1), shape);
    return where(o, mask, x, o.given(ones));
  });
  const product = factors.reduce((a, b) => o.sumOfProducts([a, b]));
  const counts = anyCounts(masks);
  return counts === undefined ? product : where(o, counts, product);
}

/** The same of the largest. */
function largestOf<V>(o: Ops<V>, xs: readonly V[], masks: Masks): V {
  if (masks.every((mask) => mask === undefined)) return largest(o, xs);
  return xs.slice(1).reduce<{ soFar: V; counts: Mask | undefined }>((before, x, k) => {
    const { counts } = before;
    const own = masks[k + 1];
    const one = own === undefined ? x : where(o, own, x, before.soFar);
    const other = counts === undefined ? before.soFar : where(o, counts, before.soFar, one);
    return { soFar: largest(o, [other, one]), counts: anyCounts([counts, own]) };
  }, { soFar: xs[0]!, counts: masks[0] }).soFar;
}

function largest<V>(o: Ops<V>, xs: readonly V[]): V {
  const stacked = stackSteps(o, xs); // [batch, inputs, …]
  const axes = shapeOf(o, stacked).map((_, axis) => axis);
  return o.largest(permuted(o, stacked, [0, ...axes.slice(2), 1]));
}

function merge(
  className: string,
  options: MergeOptions,
  combine: <V>(o: Ops<V>, xs: readonly V[], masks: Masks) => V,
  most = Infinity,
): Layer {
  const layer = /^[AEIOU]/.test(className) ? `an ${className}` : `a ${className}`;
  const chosen = { masks: "any" as const, ...definedOptions(layer, options) };
  checkOptions(layer, chosen, { masks: masksRule });
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
    config: { masks: chosen.masks },
    inputCount: [2, most] as const,
    overTime: "each",
    outputShape,
    weights: () => [],
    run: (o, inputs, _weights, { masks }) => {
      outputShape(...inputs.map((x) => shapeOf(o, x).slice(1))); // lengths that were open
      return {
        outputs: [combine(o, inputs, chosen.masks === "any" ? masks : masks.map(() => undefined))],
        mask: mergedMask(masks, chosen.masks),
      };
    },
  });
}

type Masks = readonly (Mask | undefined)[];

/** The steps that count where several results become one: see the option `masks`. */
export function mergedMask(masks: Masks, way: MaskWay): Mask | undefined {
  return way === "any" ? anyCounts(masks) : way === "all" ? allCount(masks) : undefined;
}

function anyCounts(masks: Masks): Mask | undefined {
  if (masks.some((mask) => mask === undefined)) return undefined;
  return joined(masks as readonly Mask[], (counts) => counts.some((one) => one));
}

function allCount(masks: Masks): Mask | undefined {
  const present = masks.filter((mask) => mask !== undefined);
  return present.length === 0 ? undefined : joined(present, (counts) => counts.every((one) => one));
}

function joined(masks: readonly Mask[], counts: (each: readonly boolean[]) => boolean): Mask {
  const [first] = masks as [Mask];
  const data = Float64Array.from(
    first.data,
    (_, k) => counts(masks.map(({ data }) => data[k] !== 0)) ? 1 : 0,
  );
  return new Tensor(data, first.shape);
}

/** Keras 3.15, for which files are written, has one way alone. */
export function checkMaskWay(
  { config, className }: Layer,
  name: string,
  isMasked: boolean,
): void {
  if (config.masks === "any" || !isMasked) return;
  throw new TypeError(
    `Cannot write a .keras file: Keras 3's ${className} counts the steps that any of its inputs ` +
      `counts, but the layer ${name} has masks ${JSON.stringify(config.masks)}`,
  );
}

const kindOf = (
  className: string,
  make: (options: MergeOptions) => Layer,
  more: Pick<LayerKind, "countsByMasks"> = {},
): LayerKind => ({
  className,
  options: [],
  ...more,
  read: ({ name }, { masks }) => make({ name, masks }),
  write: (layer, name, { isMasked }): KerasConfig => {
    checkMaskWay(layer, name, isMasked);
    return {};
  },
});

/** Keras's merges. */
export const MERGES: readonly LayerKind[] = [
  kindOf("Add", addition),
  kindOf("Subtract", subtraction),
  kindOf("Multiply", multiplication, { countsByMasks: true }),
  kindOf("Average", average),
  kindOf("Maximum", maximum, { countsByMasks: true }),
  kindOf("Minimum", minimum, { countsByMasks: true }),
];
