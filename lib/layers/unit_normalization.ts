import { Tensor } from "../tensor/tensor.ts";
import { join, shapeOf } from "../values/arrange.ts";
import { inverseRoot } from "../values/functions.ts";
import type { Ops } from "../values/ops.ts";
import type { LayerKind } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type OpenShape } from "./layer.ts";
import { checkOptions, definedOptions, type LayerName, numberRule } from "./layer_options.ts";

/** The options of a UnitNormalization, with Keras's defaults. */
export interface UnitNormalizationOptions extends LayerName {
  /** The axis along which the length is taken, the batch being axis 0: the last one. Default: -1. */
  readonly axis?: number;
}

/** The shortest length that a row is divided by, in keras/src/layers/normalization/unit_normalization.py. */
const SHORTEST = 1e-12;

/**
 * Each row at length 1, y = x / max(‖x‖, 10⁻¹²) over the last axis.
 * Source: keras/src/layers/normalization/unit_normalization.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind, or the axis another one.
 *
 * @example
 * ```ts
 * import { sequential, unitNormalization } from "@gatescope/lstm";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const model = sequential([unitNormalization()], { inputShape: [2] });
 * assertAlmostEquals(model.predict([[3, 4]]).data[0]!, 0.6, 1e-7);
 * ```
 */
export function unitNormalization(options: UnitNormalizationOptions = {}): Layer {
  const chosen = { axis: -1, ...definedOptions("a UnitNormalization", options) };
  checkOptions("a UnitNormalization", chosen, { axis: numberRule });
  const { name, axis } = chosen;
  return defineLayer({
    className: "UnitNormalization",
    name,
    config: { axis },
    overTime: "each",
    outputShape: (input: OpenShape) => {
      if (input.length > 0 && (axis === -1 || axis === input.length)) return input;
      throw new TypeError(
        `Cannot build a UnitNormalization: its axis must be the last one of its input, ` +
          `but it is ${axis} of ${formatOpenShape(input)}`,
      );
    },
    weights: () => [],
    run: (o, [x], _weights, { masks }) => ({
      outputs: [unitRows(o, x!, SHORTEST)],
      mask: masks[0],
    }),
  });
}

/** x / max(‖x‖, shortest) over the last axis. */
export function unitRows<V>(o: Ops<V>, x: V, shortest: number): V {
  const width = shapeOf(o, x).at(-1)!;
  const ones = (shape: readonly number[]) =>
    o.given(new Tensor(new Float64Array(width).fill(1), shape));
  const squares = o.affine([[o.sumOfProducts([x, x]), ones([width, 1])]]); // […, 1]
  const factor = o.apply(inverseRoot, atLeast(o, squares, shortest ** 2));
  return o.sumOfProducts([x, o.affine([[factor, ones([1, width])]])]);
}

/** max(x, least), number by number. */
export function atLeast<V>(o: Ops<V>, x: V, least: number): V {
  const shape = shapeOf(o, x);
  const pairs = [...shape, 1];
  const all = new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(least);
  return o.largest(join(o, [o.reshape(x, pairs), o.given(new Tensor(all, pairs))]));
}

/** Keras's UnitNormalization. */
export const UNIT_NORMALIZATION: LayerKind = {
  className: "UnitNormalization",
  options: ["axis"],
  read: ({ name, axis = -1 }, { refuse }) => {
    const [only] = Array.isArray(axis) && axis.length === 1 ? axis : [axis];
    if (typeof only === "number") return unitNormalization({ name, axis: only });
    return refuse("axis must be one axis", `it is ${JSON.stringify(axis)}`);
  },
};
