// What patches would do, from one gradient: slope × change.

import type { Network } from "../model/network.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { LstmPlace } from "../trace/places.ts";
import type { Patch, PatchSource } from "./patched_runs.ts";

/** The mean over the samples of ∂output/∂value · (patch − value), for each patch. */
export function estimateEffects(
  network: Network,
  inputs: readonly Tensor[],
  { name, samples, timesteps, units }: LstmPlace,
  target: number,
  patches: readonly Patch[],
  source: PatchSource | undefined,
): Float64Array<ArrayBuffer> {
  const { tape, variables: [output], insides } = network.forwardOnTape(inputs);
  const { data, shape } = output!.value;
  const [batch, classes] = shape as [number, number];
  const seed = new Float64Array(data.length);
  for (let n = 0; n < batch; n++) seed[n * classes + target] = 1;
  tape.backward([[output!, new Tensor(seed, shape)]]);
  const { steps } = insides.find((inside) => inside.name === name)!.recurrence;
  return Float64Array.from(patches, ({ site, timestep, unit }) => {
    const computed = steps[timestep]!.computed[site]!;
    const slope = tape.gradientOf(computed).data;
    const patch = source?.(site).data;
    let sum = 0;
    for (let n = 0; n < samples; n++) {
      const k = n * units + unit;
      const put = patch?.[(n * timesteps + timestep) * units + unit] ?? 0;
      sum += slope[k]! * (put - computed.value.data[k]!);
    }
    return sum / batch;
  });
}
