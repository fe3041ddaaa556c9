import { Tensor } from "../tensor/tensor.ts";
import { type LayerKind, names } from "./kind.ts";
import { defineLayer, type Layer, type OpenShape } from "./layer.ts";
import { checkOptions, definedOptions, type LayerName, numberRule } from "./layer_options.ts";

/** The options of a Rescaling. */
export interface RescalingOptions extends LayerName {
  /** What each number is multiplied by. */
  readonly scale: number;
  /** What is added to it then. Default: 0. */
  readonly offset?: number;
}

/**
 * scale·x + offset. Source: keras/src/layers/preprocessing/rescaling.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 *
 * @example
 * ```ts
 * import { rescaling, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([rescaling({ scale: 0.5, offset: 1 })], { inputShape: [1] });
 * assertEquals(model.predict([[4]]).toArray(), [[3]]);
 * ```
 */
export function rescaling(options: RescalingOptions): Layer {
  const chosen = { offset: 0, ...definedOptions("a Rescaling", options) };
  checkOptions("a Rescaling", chosen, { scale: numberRule, offset: numberRule });
  const { name, scale, offset } = chosen;
  return defineLayer({
    className: "Rescaling",
    name,
    config: { scale, offset },
    outputShape: (input: OpenShape) => input,
    weights: () => [],
    run: (o, [x], _weights, { masks }) => ({
      outputs: [o.add(o.scale(x!, scale), o.given(new Tensor(Float64Array.of(offset), [])))],
      mask: masks[0],
    }),
  });
}

/**
 * x itself. Source: keras/src/layers/core/identity.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown.
 *
 * @example
 * ```ts
 * import { identity, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sequential([identity()], { inputShape: [1] }).predict([[4]]).toArray(), [[4]]);
 * ```
 */
export function identity(options: LayerName = {}): Layer {
  return unchanged("Identity", options, {});
}

function unchanged(className: string, options: LayerName, config: Record<string, unknown>): Layer {
  const chosen = definedOptions(`an ${className}`, options);
  checkOptions(`an ${className}`, chosen, {});
  return defineLayer({
    className,
    name: chosen.name,
    config,
    outputShape: (input: OpenShape) => input,
    weights: () => [],
    fast: () => ({ kind: "identity" } as const),
    run: (_o, [x], _weights, { masks }) => ({ outputs: [x!], mask: masks[0] }),
  });
}

/** Keras's Rescaling. */
export const RESCALING: LayerKind = {
  className: "Rescaling",
  options: names("scale offset"),
  read: ({ name, scale, offset = 0 }) =>
    rescaling({ name, scale: scale as number, offset: offset as number }),
};

/** Keras's Identity. */
export const IDENTITY: LayerKind = {
  className: "Identity",
  options: [],
  read: ({ name }) => identity({ name }),
};
