import { checkOptions, type KeysOf } from "../../../base/options.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import { CLIPPING_OPTIONS, type GradientClipping, withClipping } from "./clipping.ts";
import { type Optimizer, requireOption, zerosLike } from "./optimizer.ts";

/** The options of gradient descent. Default of each: Keras's. */
export interface SgdOptions extends GradientClipping {
  /** How far a step goes; 0.01. */
  readonly learningRate?: number;
  /** How much of the last step is taken again; 0, then nothing is remembered. */
  readonly momentum?: number;
  /** Whether the gradient is taken as if the momentum's step were done (Nesterov 1983); false. */
  readonly nesterov?: boolean;
}

const OPTIONS: KeysOf<SgdOptions> = {
  learningRate: "optional",
  momentum: "optional",
  nesterov: "optional",
  ...CLIPPING_OPTIONS,
};

/**
 * Gradient descent, for a weight w with the gradient g:
 *
 * ```text
 * without momentum:  w ← w − learningRate·g
 * with momentum:     m ← momentum·m − learningRate·g,   w ← w + m
 * with nesterov:     m as before,                       w ← w + momentum·m − learningRate·g
 * ```
 *
 * It remembers m of each weight where momentum is not 0.
 *
 * @throws {RangeError} where an option is out of range.
 *
 * Source: keras/src/optimizers/sgd.py.
 *
 * @example
 * ```ts
 * import { sgd } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sgd({ momentum: 0.9, nesterov: true }).config.momentum, 0.9);
 * ```
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  checkOptions("make sgd", options, OPTIONS);
  const { learningRate = 0.01, momentum = 0, nesterov = false } = options;
  requireOption("sgd", "learningRate", learningRate, { from: 0 });
  requireOption("sgd", "momentum", momentum, { from: 0, to: 1 });
  // the numbers as they stand in Keras's float32
  const [rate, again] = [Math.fround(learningRate), Math.fround(momentum)];
  const remembers = momentum !== 0;

  return withClipping({
    name: "sgd",
    config: Object.freeze({ learning_rate: learningRate, momentum, nesterov }),
    start: (weights) => ({ iteration: 0, variables: remembers ? zerosLike(weights) : [] }),
    step: (weights, gradients, { iteration, variables }) => {
      const moments: Tensor[] = [];
      const moved = weights.map(({ data, shape }, index) => {
        const g = gradients[index]!.data;
        const w = Float64Array.from(data);
        if (!remembers) {
          for (let k = 0; k < w.length; k++) w[k]! -= rate * g[k]!;
          return new Tensor(w, shape);
        }
        const m = Float64Array.from(variables[index]!.data);
        for (let k = 0; k < w.length; k++) {
          m[k] = again * m[k]! - rate * g[k]!;
          w[k]! += nesterov ? again * m[k]! - rate * g[k]! : m[k]!;
        }
        moments.push(new Tensor(m, shape));
        return new Tensor(w, shape);
      });
      return { weights: moved, state: { iteration: iteration + 1, variables: moments } };
    },
  }, options);
}
