import { stackSteps } from "../values/arrange.ts";
import type { LayerKind } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type OpenShape } from "./layer.ts";
import { checkOptions, countRule, definedOptions, type LayerName } from "./layer_options.ts";

/** The options of a RepeatVector. */
export interface RepeatVectorOptions extends LayerName {
  /** How many timesteps. */
  readonly n: number;
}

/**
 * The same vector at each timestep: `[size]` becomes `[n, size]`.
 * Source: keras/src/layers/reshaping/repeat_vector.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { repeatVector, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([repeatVector({ n: 2 })], { inputShape: [2] });
 * assertEquals(model.predict([[1, 2]]).toArray(), [[[1, 2], [1, 2]]]);
 * ```
 */
export function repeatVector(options: RepeatVectorOptions): Layer {
  const chosen = definedOptions("a RepeatVector", options);
  checkOptions("a RepeatVector", chosen, { n: countRule });
  const { name, n } = chosen;
  return defineLayer({
    className: "RepeatVector",
    name,
    config: { n },
    outputShape: (input: OpenShape) => {
      if (input.length === 1) return [n, ...input];
      throw new TypeError(
        `Cannot build a RepeatVector: its input must be [size], but it is ${
          formatOpenShape(input)
        }`,
      );
    },
    weights: () => [],
    run: (o, [x]) => ({ outputs: [stackSteps(o, Array.from({ length: n }, () => x!))] }),
  });
}

/** Keras's RepeatVector. */
export const REPEAT_VECTOR: LayerKind = {
  className: "RepeatVector",
  options: ["n"],
  read: ({ name, n }) => repeatVector({ name, n: n as number }),
};
