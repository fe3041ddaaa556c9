// What patches would do, from one gradient: slope × change.

import type { LayerTrace } from "../lstm/sequence.ts";
import { runOf } from "../lstm/traced_run.ts";
import { type SiteName, valueAt } from "../lstm/sites.ts";
import { type StateGradients, stateGradients } from "../lstm/state_gradient.ts";
import type { Network } from "../model/network.ts";
import { lastStepGradient, reverseTimesteps } from "../model/timesteps.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { LstmPlace } from "../trace/places.ts";
import type { Patch, PatchSource } from "./patch_sweep.ts";

/** The mean over the samples of ∂output/∂value · (patch − value), for each patch. */
export function estimateEffects(
  network: Network,
  input: Tensor,
  place: LstmPlace,
  target: number,
  patches: readonly Patch[],
  source: PatchSource | undefined,
): Float64Array<ArrayBuffer> {
  const { samples, timesteps, units } = place;
  const { trace, gradient } = gradientOfOutput(network, input, place, target);
  const slopes = slopesOf(trace, gradient, place);
  return Float64Array.from(patches, ({ site, timestep, unit }) => {
    const value = valueAt(trace, site).data;
    const patch = source?.(site).data;
    let sum = 0;
    for (let n = 0; n < samples; n++) {
      const k = (n * timesteps + timestep) * units + unit;
      const slope = slopeOf(slopes[timestep]!, site).data[n * units + unit]!;
      sum += slope * ((patch?.[k] ?? 0) - value[k]!);
    }
    return sum / samples;
  });
}

/** The LSTM's trace, and the gradient of the output by each of its hidden states as handed on. */
function gradientOfOutput(
  network: Network,
  input: Tensor,
  { layer: at, name, timesteps }: LstmPlace,
  target: number,
): { trace: LayerTrace; gradient: Tensor } {
  const { layer } = network.layers[at]!;
  if (layer.className !== "LSTM" || layer.config.zero_output_for_mask === true) {
    throw new TypeError(
      `Cannot estimate a sweep as its LSTM must stand by itself, and hand on what it computes: ` +
        `current layer ${name} is in a ${layer.className}`,
    );
  }
  const { runs, output: { data, shape } } = network.forward(input);
  let gradient = new Tensor(new Float64Array(data.length), shape);
  const [batch, classes] = shape as [number, number];
  for (let n = 0; n < batch; n++) gradient.data[n * classes + target] = 1;
  for (const run of runs.slice(at + 1).reverse()) gradient = run.backward(gradient).input!;
  const sequence = layer.config.return_sequences === true
    ? gradient
    : lastStepGradient(gradient, timesteps);
  return {
    trace: runs[at]!.traces![0]!,
    gradient: layer.config.go_backwards === true ? reverseTimesteps(sequence) : sequence,
  };
}

/** The gradients by every value, by timestep. */
function slopesOf(
  trace: LayerTrace,
  hiddenStates: Tensor,
  { samples, units }: LstmPlace,
): StateGradients[] {
  const zeros = new Tensor(new Float64Array(samples * units), [samples, units]);
  const seeds = {
    samples: Array.from({ length: samples }, (_, n) => n),
    cellState: zeros,
    hiddenState: zeros,
    hiddenStates,
  };
  const slopes: StateGradients[] = [];
  for (const step of stateGradients(runOf(trace)!, trace, seeds)) {
    if (step.timestep >= 0) slopes[step.timestep] = step;
  }
  return slopes;
}

function slopeOf({ gates, cellState, hiddenState }: StateGradients, site: SiteName): Tensor {
  return valueAt({ gates: gates!, cellState, hiddenState }, site);
}
