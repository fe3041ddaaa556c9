import { join, shapeOf } from "../values/arrange.ts";
import { defineLayer, formatOpenShape, type Layer, type Mask, type OpenShape } from "./layer.ts";
import { checkOptions, definedOptions, type OptionRule } from "./layer_options.ts";
import type { LayerKind } from "./kind.ts";
import { checkMaskWay, masksRule, type MaskWay, mergedMask, type MergeOptions } from "./merges.ts";
import { numbers } from "../values/numbers.ts";
import { Tensor } from "../tensor/tensor.ts";

/** The options of a concatenation. */
export interface ConcatenateOptions extends MergeOptions {
  /** Along which axis, the batch being axis 0; -1 is the last. Default: -1. */
  readonly axis?: number;
}

const axisRule: OptionRule = {
  expected: "a whole number that is not 0, the batch's axis",
  isKind: (value) => typeof value === "number",
  isInRange: (value: number) => Number.isInteger(value) && value !== 0,
};

/**
 * Several results side by side: `[…, m]` and `[…, n]` become `[…, m + n]`.
 * Source: keras/src/layers/merging/concatenate.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown, or the other axes differ.
 *
 * @example
 * ```ts
 * import { concatenate, functional, input } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = [input([2]), input([1])];
 * const model = functional([a, b], concatenate().apply([a, b]));
 * assertEquals(model.predict([[[1, 2]], [[3]]]).toArray(), [[1, 2, 3]]);
 * ```
 */
export function concatenate(options: ConcatenateOptions = {}): Layer {
  const chosen = { axis: -1, masks: "any" as const, ...definedOptions("a Concatenate", options) };
  checkOptions("a Concatenate", chosen, { axis: axisRule, masks: masksRule });
  const { name, axis, masks: way } = chosen;
  const outputShape = (...inputs: OpenShape[]) => {
    const [first] = inputs as [OpenShape];
    const at = axis < 0 ? first.length + axis : axis - 1;
    const fits = inputs.every((shape) =>
      shape.length === first.length && shape[at] !== undefined &&
      shape.every((length, k) => k === at || length === first[k])
    );
    if (fits) {
      const sum = (a: number | null, b: number | null) => a === null || b === null ? null : a + b;
      return first.with(at, inputs.map((shape) => shape[at] ?? null).reduce(sum));
    }
    throw new TypeError(
      `Cannot build a Concatenate: its inputs must differ along axis ${axis} alone, ` +
        `but they are ${inputs.map(formatOpenShape).join(" and ")}`,
    );
  };
  return defineLayer({
    className: "Concatenate",
    name,
    config: { axis, masks: way },
    inputCount: [2, Infinity] as const,
    overTime: axis === -1 || axis > 1 ? "each" : undefined,
    outputShape,
    weights: () => [],
    run: (o, inputs, _weights, { masks }) => {
      const shapes = inputs.map((x) => shapeOf(o, x));
      outputShape(...shapes.map((shape) => shape.slice(1))); // lengths that were open
      const at = axis < 0 ? shapes[0]!.length + axis : axis;
      return { outputs: [join(o, inputs, at)], mask: maskOf({ masks, way }, shapes, at) };
    },
  });
}

/**
 * The mask of `[batch, timesteps, size]`: along the timesteps the masks one after another, an input
 * without one counting whole; else as the option `masks` says.
 */
function maskOf(
  { masks, way }: { masks: readonly (Mask | undefined)[]; way: MaskWay },
  shapes: readonly (readonly number[])[],
  axis: number,
): Mask | undefined {
  if (way === "none" || masks.every((mask) => mask === undefined)) return undefined;
  if (shapes[0]!.length !== 3) {
    throw new TypeError(
      `Cannot run a Concatenate: inputs with a mask must be [batch, timesteps, size], ` +
        `but they are ${shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ")}`,
    );
  }
  if (axis === 2) return mergedMask(masks, way);
  const whole = shapes.map((shape, k) =>
    masks[k] ?? new Tensor(new Float64Array(shape[0]! * shape[1]!).fill(1), shape.slice(0, 2))
  );
  return join(numbers, whole, 1);
}

/** Keras's Concatenate. */
export const CONCATENATE: LayerKind = {
  className: "Concatenate",
  options: ["axis"],
  read: ({ name, axis }, { masks }) => concatenate({ name, axis: (axis ?? -1) as number, masks }),
  write: (layer, name, { isMasked }) => {
    checkMaskWay(layer, name, isMasked);
    return { axis: layer.config.axis };
  },
};
