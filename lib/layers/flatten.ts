import { shapeOf } from "../values/arrange.ts";
import type { LayerKind } from "./kind.ts";
import { defineLayer, type Layer, type OpenShape } from "./layer.ts";
import { checkOptions, definedOptions, type LayerName } from "./layer_options.ts";
import { sizeOf } from "../tensor/shape.ts";

/**
 * All numbers of a sample in one row: `[a, b, …]` becomes `[a·b·…]`.
 * Source: keras/src/layers/reshaping/flatten.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown.
 *
 * @example
 * ```ts
 * import { flatten, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([flatten()], { inputShape: [2, 2] });
 * assertEquals(model.predict([[[1, 2], [3, 4]]]).toArray(), [[1, 2, 3, 4]]);
 * ```
 */
export function flatten(options: LayerName = {}): Layer {
  const { name } = definedOptions("a Flatten", options);
  checkOptions("a Flatten", definedOptions("a Flatten", options), {});
  return defineLayer({
    className: "Flatten",
    name,
    config: {},
    outputShape: (input: OpenShape) => [
      input.includes(null) ? null : sizeOf(input as readonly number[]),
    ],
    weights: () => [],
    run: (o, [x]) => {
      const [batch, ...rest] = shapeOf(o, x!) as [number, ...number[]];
      return { outputs: [o.reshape(x!, [batch, sizeOf(rest)])] };
    },
  });
}

/** Keras's Flatten. */
export const FLATTEN: LayerKind = {
  className: "Flatten",
  options: ["data_format"],
  read: ({ name, data_format: format }, { refuse }) =>
    format === "channels_first"
      ? refuse("data_format must be channels_last", "it is channels_first")
      : flatten({ name }),
};
