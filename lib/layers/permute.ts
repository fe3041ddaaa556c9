import { permuted } from "../values/arrange.ts";
import type { LayerKind } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type OpenShape } from "./layer.ts";
import { checkOptions, definedOptions, type LayerName, wholesRule } from "./layer_options.ts";

/** The options of a Permute. */
export interface PermuteOptions extends LayerName {
  /** The axes of a sample in their new order, counted from 1: `[2, 1]` turns two. */
  readonly dims: readonly number[];
}

/**
 * Axes in another order. Source: keras/src/layers/reshaping/permute.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown, or a sample has other axes.
 * @throws {RangeError} where an axis is missing or named twice.
 *
 * @example
 * ```ts
 * import { permute, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([permute({ dims: [2, 1] })], { inputShape: [2, 3] });
 * assertEquals(model.predict([[[1, 2, 3], [4, 5, 6]]]).toArray(), [[[1, 4], [2, 5], [3, 6]]]);
 * ```
 */
export function permute(options: PermuteOptions): Layer {
  const chosen = definedOptions("a Permute", options);
  const expected = "the numbers from 1, each once";
  checkOptions("a Permute", chosen, {
    dims: {
      ...wholesRule(expected, 1),
      isInRange: (dims: number[]) => dims.toSorted((a, b) => a - b).every((d, k) => d === k + 1),
    },
  });
  const { name, dims } = chosen;
  return defineLayer({
    className: "Permute",
    name,
    config: { dims },
    outputShape: (input: OpenShape) => {
      if (input.length === dims.length) return dims.map((axis) => input[axis - 1]!);
      throw new TypeError(
        `Cannot build a Permute: its input must have ${dims.length} axes besides the batch, ` +
          `but it is ${formatOpenShape(input)}`,
      );
    },
    weights: () => [],
    run: (o, [x]) => ({ outputs: [permuted(o, x!, [0, ...dims])] }),
  });
}

/** Keras's Permute. */
export const PERMUTE: LayerKind = {
  className: "Permute",
  options: ["dims"],
  read: ({ name, dims }) => permute({ name, dims: dims as readonly number[] }),
};
