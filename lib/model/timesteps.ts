// Sequences `[batch, timesteps, size]`: one step of them, their order, their masked steps.

import { Tensor } from "../tensor/tensor.ts";
import type { Mask } from "./layer.ts";

/** `[batch, size]` of the last timestep. */
export function lastStep(sequence: Tensor): Tensor {
  return sequence.select(1, -1);
}

/** From the gradient by the last timestep, that by the sequence: zeros before it. */
export function lastStepGradient(gradient: Tensor, timesteps: number): Tensor {
  const [batch, size] = gradient.shape as [number, number];
  const data = new Float64Array(batch * timesteps * size);
  for (let n = 0; n < batch; n++) {
    data.set(gradient.at(n).data, ((n + 1) * timesteps - 1) * size);
  }
  return new Tensor(data, [batch, timesteps, size]);
}

/** The last timestep first. Its own gradient: of a reversed sequence, the reversed one. */
export function reverseTimesteps(sequence: Tensor): Tensor {
  const [batch, timesteps, size] = sequence.shape as [number, number, number];
  const data = sequence.data.slice();
  for (let n = 0; n < batch; n++) {
    for (let t = 0; t < timesteps; t++) {
      const from = ((n + 1) * timesteps - 1 - t) * size;
      data.set(sequence.data.subarray(from, from + size), (n * timesteps + t) * size);
    }
  }
  return new Tensor(data, sequence.shape);
}

/** Zeros at the masked steps. Its own gradient too: what was zeroed had no part in the result. */
export function zeroMasked(sequence: Tensor, mask: Mask): Tensor {
  const data = Float64Array.from(sequence.data);
  const size = data.length / mask.data.length;
  mask.data.forEach((counts, k) => {
    if (counts === 0) data.fill(0, k * size, (k + 1) * size);
  });
  return new Tensor(data, sequence.shape);
}
