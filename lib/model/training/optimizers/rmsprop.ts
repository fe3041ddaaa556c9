import { checkOptions, type KeysOf } from "../../../base/options.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import { CLIPPING_OPTIONS, type GradientClipping, withClipping } from "./clipping.ts";
import { type Optimizer, requireOption, zerosLike } from "./optimizer.ts";

/** RMSprop's options. Default of each: Keras's. */
export interface RmspropOptions extends GradientClipping {
  /** How far a step goes; 0.001. */
  readonly learningRate?: number;
  /** ρ, how much of the squares' mean is kept; 0.9. */
  readonly rho?: number;
  /** How much of the last step is taken again; 0. */
  readonly momentum?: number;
  /** ε, added to the squares' mean before its root is taken; 1e-7. */
  readonly epsilon?: number;
  /** Whether the squares are taken around the gradients' mean; false. */
  readonly centered?: boolean;
}

const OPTIONS: KeysOf<RmspropOptions> = {
  learningRate: "optional",
  rho: "optional",
  momentum: "optional",
  epsilon: "optional",
  centered: "optional",
  ...CLIPPING_OPTIONS,
};

/**
 * RMSprop, for a weight w with the gradient g:
 *
 * ```text
 * v ← ρ·v + (1 − ρ)·g²
 * a ← ρ·a + (1 − ρ)·g                             (centered; a is 0 otherwise)
 * step = learningRate·g / √(v − a² + ε)
 * m ← momentum·m + step,   w ← w − m              (without momentum: w ← w − step)
 * ```
 *
 * It remembers v of all weights, then m of all where there is momentum, then a of all where it is
 * centered.
 *
 * @throws {RangeError} where an option is out of range.
 *
 * Source: Hinton 2012, lecture 6; keras/src/optimizers/rmsprop.py.
 *
 * @example
 * ```ts
 * import { rmsprop } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rmsprop({ rho: 0.95 }).config.rho, 0.95);
 * ```
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  checkOptions("make rmsprop", options, OPTIONS);
  const { learningRate = 0.001, rho = 0.9, momentum = 0, epsilon = 1e-7, centered = false } =
    options;
  requireOption("rmsprop", "learningRate", learningRate, { from: 0 });
  requireOption("rmsprop", "rho", rho, { from: 0, below: 1 });
  requireOption("rmsprop", "momentum", momentum, { from: 0, to: 1 });
  requireOption("rmsprop", "epsilon", epsilon, { from: 0 });
  const f = Math.fround;
  // the numbers as they stand in Keras's float32
  const [rate, old, recent] = [f(learningRate), f(rho), f(1 - rho)];
  const [again, smallest] = [f(momentum), f(epsilon)];
  const kinds = 1 + Number(momentum > 0) + Number(centered);

  return withClipping({
    name: "rmsprop",
    config: Object.freeze({ learning_rate: learningRate, rho, momentum, epsilon, centered }),
    start: (weights) => ({
      iteration: 0,
      variables: Array.from({ length: kinds }, () => zerosLike(weights)).flat(),
    }),
    step: (weights, gradients, { iteration, variables }) => {
      const count = weights.length;
      const next = variables.map(({ data, shape }) => new Tensor(Float64Array.from(data), shape));
      const moved = weights.map(({ data, shape }, index) => {
        const g = gradients[index]!.data;
        const w = Float64Array.from(data);
        const v = next[index]!.data;
        const m = momentum > 0 ? next[count + index]!.data : undefined;
        const a = centered ? next[(kinds - 1) * count + index]!.data : undefined;
        for (let k = 0; k < w.length; k++) {
          v[k] = old * v[k]! + recent * g[k]! * g[k]!;
          if (a !== undefined) a[k] = old * a[k]! + recent * g[k]!;
          const variance = v[k]! - (a === undefined ? 0 : a[k]! * a[k]!);
          let step = rate * g[k]! / Math.sqrt(variance + smallest);
          if (m !== undefined) step = m[k] = again * m[k]! + step;
          w[k]! -= step;
        }
        return new Tensor(w, shape);
      });
      return { weights: moved, state: { iteration: iteration + 1, variables: next } };
    },
  }, options);
}
