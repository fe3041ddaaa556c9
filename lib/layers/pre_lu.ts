import { sizeOf } from "../tensor/shape.ts";
import { getActivation } from "../values/activations.ts";
import { shapeOf } from "../values/arrange.ts";
import type { Ops } from "../values/ops.ts";
import { zeros } from "./initializers.ts";
import { type LayerKind, names } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type OpenShape } from "./layer.ts";
import { checkOptions, definedOptions, type LayerName, wholesRule } from "./layer_options.ts";

/** The options of a PReLU. */
export interface PReLUOptions extends LayerName {
  /** The axes along which one slope serves all, the batch being axis 0. Default: none. */
  readonly sharedAxes?: readonly number[];
}

/**
 * max(x, 0) − α ⊙ max(−x, 0) with a slope α of its own for each number, learned.
 * Source: He et al. 2015, in the form of keras/src/layers/activations/prelu.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { pReLU, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([pReLU()], { inputShape: [2] });
 * model.setWeights([[0.5, 0.25]]);
 * assertEquals(model.predict([[-2, 2]]).toArray(), [[-1, 2]]);
 * ```
 */
export function pReLU(options: PReLUOptions = {}): Layer {
  const chosen = { sharedAxes: [], ...definedOptions("a PReLU", options) };
  checkOptions("a PReLU", chosen, { sharedAxes: wholesRule("whole numbers from 1", 1) });
  const { name } = chosen;
  const sharedAxes = Object.freeze([...chosen.sharedAxes]);
  const relu = getActivation("relu");
  return defineLayer({
    className: "PReLU",
    name,
    config: { shared_axes: sharedAxes.length === 0 ? null : sharedAxes },
    outputShape: (input: OpenShape) => slopesOf(input, sharedAxes) && input,
    weights: (input: OpenShape) => [
      { name: "alpha", shape: slopesOf(input, sharedAxes), initialize: zeros },
    ],
    run: (o, [x], [alpha], { masks }) => {
      const slopes = repeated(o, alpha!, shapeOf(o, x!).slice(1));
      const below = o.sumOfProducts([slopes, o.apply(relu, o.scale(x!, -1))]);
      return { outputs: [o.add(o.apply(relu, x!), o.scale(below, -1))], mask: masks[0] };
    },
  });
}

function slopesOf(input: OpenShape, shared: readonly number[]): number[] {
  const known = input.map((length, k) => shared.includes(k + 1) ? 1 : length);
  if (known.every((length) => length !== null) && shared.every((axis) => axis <= input.length)) {
    return known as number[];
  }
  throw new TypeError(
    `Cannot build a PReLU: the axes of its input that it shares no slopes along must be known, and ` +
      `those it does must be there, but its sharedAxes are [${shared.join(", ")}] of ` +
      formatOpenShape(input),
  );
}

/** Numbers of axes of length 1 as often as the shape says. */
function repeated<V>(o: Ops<V>, x: V, shape: readonly number[]): V {
  const from = shapeOf(o, x);
  if (from.every((length, axis) => length === shape[axis])) return x;
  const moves: number[] = [];
  const visit = (axis: number, at: number) => {
    if (axis === shape.length) moves.push(0, at, moves.length / 4, 1);
    else {
      const stride = from[axis] === 1 ? 0 : sizeOf(from.slice(axis + 1));
      for (let k = 0; k < shape[axis]!; k++) visit(axis + 1, at + k * stride);
    }
  };
  visit(0, 0);
  return o.arrange(shape, [x], moves);
}

/** Keras's PReLU. */
export const PRE_LU: LayerKind = {
  className: "PReLU",
  options: names("alpha_initializer alpha_regularizer alpha_constraint shared_axes"),
  read: ({ name, shared_axes: shared }) =>
    pReLU({ name, sharedAxes: ([shared ?? []] as unknown[][]).flat() as number[] }),
};
