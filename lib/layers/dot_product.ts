import { sizeOf } from "../tensor/shape.ts";
import { permuted, shapeOf } from "../values/arrange.ts";
import type { Ops } from "../values/ops.ts";
import { type LayerKind, names } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type OpenShape } from "./layer.ts";
import {
  checkOptions,
  definedOptions,
  flagRule,
  type LayerName,
  type OptionRule,
} from "./layer_options.ts";
import { unitRows } from "./unit_normalization.ts";

/** The options of a dot product. */
export interface DotProductOptions extends LayerName {
  /** The axis of both inputs that is summed over, or one of each; the batch is axis 0. */
  readonly axes: number | readonly [ofFirst: number, ofSecond: number];
  /** Whether both inputs are brought to length 1 along it: cosines. Default: false. */
  readonly normalize?: boolean;
}

/** The shortest length that is divided by: keras.config.epsilon(). */
const SHORTEST = 1e-7;

const axesRule: OptionRule = {
  expected: "a whole number that is not 0, the batch's axis, or two of them",
  isKind: (value) =>
    [value].flat().every((one) => typeof one === "number") &&
    (!Array.isArray(value) || value.length === 2),
  isInRange: (value: number | number[]) =>
    [value].flat().every((one) => Number.isInteger(one) && one !== 0),
};

/**
 * Sums of products along an axis of two results, sample by sample: `[…, k, …]` and `[…, k, …]` become
 * what is left of the first, then of the second. It hands on no mask, as in Keras.
 * Source: keras/src/layers/merging/dot.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind, or the axes are not as long as
 *   each other.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { dotProduct, functional, input } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = [input([2]), input([2])];
 * const model = functional([a, b], dotProduct({ axes: 1 }).apply([a, b]));
 * assertEquals(model.predict([[[1, 2]], [[3, 4]]]).toArray(), [[11]]);
 * ```
 */
export function dotProduct(options: DotProductOptions): Layer {
  const chosen = { normalize: false, ...definedOptions("a Dot", options) };
  checkOptions("a Dot", chosen, { axes: axesRule, normalize: flagRule });
  const { name, normalize } = chosen;
  const axes = typeof chosen.axes === "number" ? chosen.axes : Object.freeze([...chosen.axes]);
  const axisOf = (rank: number, which: number) => {
    const axis = typeof axes === "number" ? axes : axes[which]!;
    return axis < 0 ? rank + axis : axis;
  };
  return defineLayer({
    className: "Dot",
    name,
    config: { axes, normalize },
    inputCount: [2, 2] as const,
    outputShape: (...inputs: OpenShape[]) => {
      const at = inputs.map((input, which) => axisOf(input.length + 1, which) - 1);
      const lengths = inputs.map((input, which) => input[at[which]!]);
      if (lengths.every((length) => length !== undefined && length === lengths[0])) {
        const rest = inputs.flatMap((input, which) => input.toSpliced(at[which]!, 1));
        return rest.length === 0 ? [1] : rest;
      }
      throw new TypeError(
        `Cannot build a Dot: its inputs must be of one length along its axes, but the axes are ` +
          `${JSON.stringify(axes)} of ${inputs.map(formatOpenShape).join(" and ")}`,
      );
    },
    weights: () => [],
    run: (o, [a, b]) => {
      const first = rowsAlong(o, a!, axisOf(shapeOf(o, a!).length, 0), normalize); // [batch, m, k]
      const second = rowsAlong(o, b!, axisOf(shapeOf(o, b!).length, 1), normalize); // [batch, n, k]
      const batch = shapeOf(o, a!)[0]!;
      const product = o.matmul(first.rows, permuted(o, second.rows, [0, 2, 1]));
      const rest = [...first.rest, ...second.rest];
      return { outputs: [o.reshape(product, [batch, ...(rest.length === 0 ? [1] : rest)])] };
    },
  });
}

/** That axis last, the others but the batch as one: `[batch, rows, k]`, and how long these are. */
function rowsAlong<V>(o: Ops<V>, x: V, axis: number, normalize: boolean) {
  const shape = shapeOf(o, x);
  const others = shape.map((_, at) => at).filter((at) => at !== 0 && at !== axis);
  const turned = permuted(o, x, [0, ...others, axis]);
  const rest = others.map((at) => shape[at]!);
  const rows = o.reshape(turned, [shape[0]!, sizeOf(rest), shape[axis]!]);
  return { rows: normalize ? unitRows(o, rows, SHORTEST) : rows, rest };
}

/** Keras's Dot. */
export const DOT: LayerKind = {
  className: "Dot",
  options: names("axes normalize"),
  read: ({ name, axes, normalize }) =>
    dotProduct({ name, axes: axes as number, normalize: (normalize ?? false) as boolean }),
};
