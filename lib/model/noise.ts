// Dropout's factors, inverted: what stays is scaled up, so that the mean stays as it was
// (Srivastava et al. 2014, in the form of keras/src/backend/jax/random.py).

import type { LstmDropout } from "../lstm/cell.ts";
import type { Gates } from "../lstm/gates.ts";
import type { Random } from "../tensor/random.ts";
import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
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
export function randomOf({ random }: LayerContext): Random {
  if (random === undefined) {
    throw new TypeError(
      "Cannot drop anything as dropout needs a random generator in training: current one is undefined",
    );
  }
  return random;
}

/**
 * The factors inside an LSTM, the same at every timestep: as in Keras, one set of x for all gates,
 * or one for each gate where the hidden state is dropped too.
 */
export function cellNoise(
  { units, dropout, recurrentDropout }: {
    readonly units: number;
    readonly dropout: number;
    readonly recurrentDropout: number;
  },
  [batch, inputSize]: readonly [batch: number, inputSize: number],
  context: LayerContext,
): LstmDropout {
  if (!context.training || dropout === 0 && recurrentDropout === 0) return {};
  const random = randomOf(context);
  const shared = () => {
    const all = noise([batch, inputSize], dropout, random);
    return { input: all, forget: all, candidate: all, output: all };
  };
  const byGate = (size: number, rate: number): Gates => ({
    input: noise([batch, size], rate, random),
    forget: noise([batch, size], rate, random),
    candidate: noise([batch, size], rate, random),
    output: noise([batch, size], rate, random),
  });
  if (recurrentDropout === 0) return { inputDropout: shared() };
  return {
    ...(dropout > 0 && { inputDropout: byGate(inputSize, dropout) }),
    recurrentDropout: byGate(units, recurrentDropout),
  };
}
