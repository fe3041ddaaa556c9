// Dropout's factors, inverted: what stays is scaled up, so that the mean stays as it was
// (Srivastava et al. 2014, in the form of keras/src/backend/jax/random.py).

import type { CellDropout } from "../cells/cell.ts";
import type { Random } from "../tensor/random.ts";
import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Ops } from "../values/ops.ts";
import type { LayerContext } from "./layer.ts";

/** 0 with the probability `rate`, 1/(1 − rate) else. */
export function noise(shape: readonly number[], rate: number, random: Random): Tensor {
  const kept = 1 / (1 - rate);
  return new Tensor(
    Float64Array.from({ length: sizeOf(shape) }, () => random.uniform() < rate ? 0 : kept),
    shape,
  );
}

/** `[batch, timesteps, size]` times the same factors `[batch, size]` at every step. */
export function dropSteps({ data, shape }: Tensor, factors: Tensor): Tensor {
  const [batch, timesteps, size] = shape as [number, number, number];
  const result = new Float32Array(data.length);
  for (let n = 0, k = 0; n < batch; n++) {
    for (let t = 0; t < timesteps; t++) {
      for (let d = 0; d < size; d++, k++) result[k] = data[k]! * factors.data[n * size + d]!;
    }
  }
  return new Tensor(result, shape);
}

/** Where dropout draws from; throws where a training run forgot it. */
export function randomOf({ random }: { readonly random?: Random | undefined }): Random {
  if (random !== undefined) return random;
  throw new TypeError(
    "Cannot drop anything: dropout needs a random generator in training, but there is none",
  );
}

/** The shares that are dropped inside a cell. */
interface CellRates {
  readonly units: number;
  /** How many gates, or other blocks, may each drop their own. Default: an LSTM's four. */
  readonly blocks?: number;
  readonly dropout: number;
  readonly recurrentDropout: number;
}

/**
 * The factors inside a cell, the same at every timestep: as in Keras, one set of x for all gates,
 * or one for each gate where the hidden state is dropped too.
 */
export function cellNoise<V>(
  o: Ops<V>,
  { units, blocks = 4, dropout, recurrentDropout }: CellRates,
  [batch, inputSize]: readonly [batch: number, inputSize: number],
  context: Pick<LayerContext<V>, "training" | "random">,
): CellDropout<V> {
  if (!context.training || dropout === 0 && recurrentDropout === 0) return {};
  const random = randomOf(context);
  const some = (size: number, rate: number) => o.given(noise([batch, size], rate, random));
  if (recurrentDropout === 0) {
    const all = some(inputSize, dropout);
    return { x: new Array(blocks).fill(all) };
  }
  const byGate = (size: number, rate: number) =>
    Array.from({ length: blocks }, () => some(size, rate));
  return {
    ...(dropout > 0 && { x: byGate(inputSize, dropout) }),
    h: byGate(units, recurrentDropout),
  };
}
