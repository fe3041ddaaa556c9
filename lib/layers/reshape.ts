import { sizeOf } from "../tensor/shape.ts";
import { shapeOf } from "../values/arrange.ts";
import type { LayerKind } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type OpenShape } from "./layer.ts";
import { checkOptions, definedOptions, type LayerName, wholesRule } from "./layer_options.ts";

/** The options of a Reshape. */
export interface ReshapeOptions extends LayerName {
  /** The shape of a sample; one axis may be -1 and is worked out from the others. */
  readonly targetShape: readonly number[];
}

/**
 * The same numbers in another shape. Source: keras/src/layers/reshaping/reshape.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown, or a sample has another number of numbers.
 * @throws {RangeError} where the shape is none.
 *
 * @example
 * ```ts
 * import { reshape, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([reshape({ targetShape: [-1, 2] })], { inputShape: [4] });
 * assertEquals(model.predict([[1, 2, 3, 4]]).toArray(), [[[1, 2], [3, 4]]]);
 * ```
 */
export function reshape(options: ReshapeOptions): Layer {
  const chosen = definedOptions("a Reshape", options);
  checkOptions("a Reshape", chosen, {
    targetShape: wholesRule("a list of whole numbers, one of them -1 at most", -1),
  });
  const { name, targetShape } = chosen;
  const shapeFor = (input: OpenShape): OpenShape => {
    const known = sizeOf(targetShape.filter((length) => length !== -1));
    const open = targetShape.filter((length) => length === -1).length;
    if (input.includes(null) && open === 1) {
      return targetShape.map((length) => length === -1 ? null : length);
    }
    const size = sizeOf(input as readonly number[]);
    const fits = open === 0 ? size === known : open === 1 && known > 0 && size % known === 0;
    if (fits && !input.includes(null)) {
      return targetShape.map((length) => length === -1 ? size / known : length);
    }
    throw new TypeError(
      `Cannot build a Reshape: a sample keeps its numbers, but ${formatOpenShape(input)} ` +
        `does not fit ${formatOpenShape(targetShape)}`,
    );
  };
  return defineLayer({
    className: "Reshape",
    name,
    config: { target_shape: targetShape },
    outputShape: shapeFor,
    weights: () => [],
    run: (o, [x]) => {
      const [batch, ...rest] = shapeOf(o, x!) as [number, ...number[]];
      return { outputs: [o.reshape(x!, [batch, ...shapeFor(rest) as readonly number[]])] };
    },
  });
}

/** Keras's Reshape. */
export const RESHAPE: LayerKind = {
  className: "Reshape",
  options: ["target_shape"],
  read: ({ name, target_shape: targetShape }) =>
    reshape({ name, targetShape: targetShape as readonly number[] }),
};
