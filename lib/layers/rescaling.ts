import { Tensor } from "../tensor/tensor.ts";
import { type LayerKind, names } from "./kind.ts";
import { defineLayer, type Layer, type OpenShape } from "./layer.ts";
import {
  checkOptions,
  definedOptions,
  type LayerName,
  numberRule,
  positiveRule,
} from "./layer_options.ts";

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
    overTime: "each",
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

/** The options of an ActivityRegularization. */
export interface ActivityRegularizationOptions extends LayerName {
  /** What Keras's training adds to the loss for each |x|. Default: 0. */
  readonly l1?: number;
  /** The same for each x². Default: 0. */
  readonly l2?: number;
}

/**
 * What it is given, unchanged; what Keras's training adds to the loss is not added here.
 * Source: keras/src/layers/regularization/activity_regularization.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { activityRegularization, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([activityRegularization({ l2: 0.01 })], { inputShape: [2] });
 * assertEquals(model.predict([[3, 4]]).toArray(), [[3, 4]]);
 * ```
 */
export function activityRegularization(options: ActivityRegularizationOptions = {}): Layer {
  const chosen = { l1: 0, l2: 0, ...definedOptions("an ActivityRegularization", options) };
  checkOptions("an ActivityRegularization", chosen, { l1: positiveRule, l2: positiveRule });
  const { name, l1, l2 } = chosen;
  return unchanged("ActivityRegularization", { name }, { l1, l2 });
}

function unchanged(className: string, options: LayerName, config: Record<string, unknown>): Layer {
  const chosen = definedOptions(`an ${className}`, options);
  checkOptions(`an ${className}`, chosen, {});
  return defineLayer({
    className,
    name: chosen.name,
    config,
    overTime: "each",
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
  forgetsMasks: true,
  read: ({ name, scale, offset = 0 }) =>
    rescaling({ name, scale: scale as number, offset: offset as number }),
};

/** Keras's Identity. */
export const IDENTITY: LayerKind = {
  className: "Identity",
  options: [],
  forgetsMasks: true,
  read: ({ name }) => identity({ name }),
};

/** Keras's ActivityRegularization. */
export const ACTIVITY_REGULARIZATION: LayerKind = {
  className: "ActivityRegularization",
  options: names("l1 l2"),
  read: ({ name, l1 = 0, l2 = 0 }) =>
    activityRegularization({ name, l1: l1 as number, l2: l2 as number }),
};
