import { checkOptions, type KeysOf } from "../../../base/options.ts";
import { type AdamStep, adamStep } from "../../../compute/adam.ts";
import { availableBuild } from "../../../compute/engine.ts";
import { Tensor, type TensorData } from "../../../tensor/tensor.ts";
import { CLIPPING_OPTIONS, type GradientClipping, withClipping } from "./clipping.ts";
import { type Optimizer, requireOption, zerosLike } from "./optimizer.ts";

/** Adam's options. Default of each: Keras's. */
export interface AdamOptions extends GradientClipping {
  /** How far a step goes; 0.001. */
  readonly learningRate?: number;
  /** β₁, how much of the gradients' mean is kept; 0.9. */
  readonly beta1?: number;
  /** β₂, how much of the squares' mean is kept; 0.999. */
  readonly beta2?: number;
  /** ε, added to the root of the squares' mean; 1e-7. */
  readonly epsilon?: number;
}

const OPTIONS: KeysOf<AdamOptions> = {
  learningRate: "optional",
  beta1: "optional",
  beta2: "optional",
  epsilon: "optional",
  ...CLIPPING_OPTIONS,
};

/**
 * Adam, as Keras computes it at step t (from 1), for a weight w with the gradient g:
 *
 * ```text
 * m ← m + (g − m)·(1 − β₁)        v ← v + (g² − v)·(1 − β₂)
 * α = learningRate·√(1 − β₂ᵗ) / (1 − β₁ᵗ)
 * w ← w − α·m / (√v + ε)
 * ```
 *
 * ε stands outside the bias correction (the paper's "epsilon hat"); TensorFlow.js puts it inside,
 * which moves a first step by up to 7e-4. α is computed from float32 powers of β, as in Keras: for
 * small t, 1 − β₂ᵗ has few digits there, and 60 epochs would carry the difference on.
 *
 * It remembers m and v of the first weight, m and v of the second, and so on.
 *
 * @throws {RangeError} where an option is out of range.
 *
 * Source: Kingma and Ba 2015; keras/src/optimizers/adam.py.
 *
 * @example
 * ```ts
 * import { adam } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(adam({ learningRate: 0.01 }).config.learning_rate, 0.01);
 * ```
 */
export function adam(options: AdamOptions = {}): Optimizer {
  checkOptions("make adam", options, OPTIONS);
  const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = options;
  requireOption("adam", "learningRate", learningRate, { from: 0 });
  requireOption("adam", "beta1", beta1, { from: 0, below: 1 });
  requireOption("adam", "beta2", beta2, { from: 0, below: 1 });
  requireOption("adam", "epsilon", epsilon, { from: 0 });
  const f = Math.fround;
  // the numbers as they stand in Keras's float32
  const [keep1, keep2, smallest] = [f(1 - beta1), f(1 - beta2), f(epsilon)];

  return withClipping({
    name: "adam",
    config: Object.freeze({ learning_rate: learningRate, beta_1: beta1, beta_2: beta2, epsilon }),
    start: (weights) => ({ iteration: 0, variables: zerosLike(weights, 2) }),
    step: (weights, gradients, { iteration, variables }) => {
      const t = iteration + 1;
      const power1 = f(f(beta1) ** t);
      const power2 = f(f(beta2) ** t);
      const α = f(f(f(learningRate) * f(Math.sqrt(f(1 - power2)))) / f(1 - power1));

      const numbers = { alpha: α, keep1, keep2, epsilon: smallest };
      const moments: Tensor[] = [];
      const moved = weights.map(({ data, shape }, index) => {
        const g = gradients[index]!.data;
        const [m, v] = [variables[2 * index]!.data, variables[2 * index + 1]!.data];
        const next = data instanceof Float32Array && availableBuild() !== undefined
          ? fastStep(data, m, v, g, numbers)
          : step(data, m, v, g, numbers);
        moments.push(new Tensor(next.mean, shape), new Tensor(next.square, shape));
        return new Tensor(next.weights, shape);
      });
      return { weights: moved, state: { iteration: t, variables: moments } };
    },
  }, options);
}

/** The equations, in float64; the arrays are new ones. */
function step(
  weights: TensorData,
  mean: TensorData,
  square: TensorData,
  g: TensorData,
  { alpha: α, keep1, keep2, epsilon }: AdamStep,
) {
  const [w, m, v] = [
    new Float64Array(weights),
    new Float64Array(mean),
    new Float64Array(square),
  ] as const;
  for (let k = 0; k < w.length; k++) {
    m[k]! += (g[k]! - m[k]!) * keep1;
    v[k]! += (g[k]! * g[k]! - v[k]!) * keep2;
    w[k]! -= α * m[k]! / (Math.sqrt(v[k]!) + epsilon);
  }
  return { weights: w, mean: m, square: v };
}

/** The same in float32, by lib/compute. */
function fastStep(
  weights: TensorData,
  mean: TensorData,
  square: TensorData,
  g: TensorData,
  numbers: AdamStep,
) {
  const [w, m, v, gradient] = [weights, mean, square, g].map((data) =>
    data instanceof Int32Array ? new Float32Array(data) : data
  );
  return adamStep({ weights: w!, mean: m!, square: v! }, gradient!, numbers);
}
