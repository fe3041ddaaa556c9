// The rescale rule: an activation's value shared among what was added up before it.

import type { Activation } from "../values/activations.ts";
import { Tensor } from "../tensor/tensor.ts";

/**
 * A sum that is smaller than this part of its addends has nothing left to share by: each share would
 * be many times what is shared, and carry the rounding error of the whole.
 */
const LEAST_SUM = 1e-7;

/** How φ(z) is handed on to the addends of z, element by element. */
export interface Shares {
  /** φ(z) − rest = factor · z */
  readonly factor: Tensor;
  /** What no addend gets: φ(0), or all of φ(z) where z is nearly 0. */
  readonly rest: Tensor;
}

/**
 * The rescale rule: φ(z) = φ(0) + m·z with m = (φ(z) − φ(0)) / z, so that each addend a of z gets
 * m·a, in proportion. Source: Shrikumar et al. 2017, "Learning Important Features Through
 * Propagating Activation Differences" (DeepLIFT), section 3.5.1, with 0 as the reference.
 *
 * @param z the sums
 * @param size of the addends of each, Σ|a|
 */
export function rescale(φ: Activation, z: Tensor, size: Tensor): Shares {
  const y = φ(z).data;
  const atZero = φ(new Tensor(new Float64Array(z.data.length), z.shape)).data;
  const factor = new Float64Array(y.length);
  const rest = new Float64Array(y.length);
  z.data.forEach((sum, k) => {
    const shared = Math.abs(sum) > LEAST_SUM * size.data[k]!;
    factor[k] = shared ? (y[k]! - atZero[k]!) / sum : 0;
    rest[k] = shared ? atZero[k]! : y[k]!;
  });
  return { factor: new Tensor(factor, z.shape), rest: new Tensor(rest, z.shape) };
}

/** The sizes of addends. */
export function absolute({ data, shape }: Tensor): Tensor {
  const sizes = new Float64Array(data.length);
  for (let k = 0; k < sizes.length; k++) sizes[k] = Math.abs(data[k]!);
  return new Tensor(sizes, shape);
}
