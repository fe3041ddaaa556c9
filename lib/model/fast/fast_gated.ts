// The fast run of a recurrent layer, with what Keras's layer adds to the equations: masks, and dropout
// of the input.

import type { GatedForm } from "../../compute/gated_layer.ts";
import type { FastGated } from "../../layers/fast_form.ts";
import type { Mask } from "../../layers/layer.ts";
import { cellNoise, dropSteps } from "../../layers/noise.ts";
import type { Random } from "../../tensor/random.ts";
import { asFloat64, type Tensor } from "../../tensor/tensor.ts";
import { numbers } from "../../values/numbers.ts";
import type { FastRun } from "./fast_run.ts";
import type { GatedRun, LayerCompute, SiteValues } from "./layer_compute.ts";
import { masksSteps, recordedUnderMask, underMask } from "./masked_steps.ts";

/** What the run depends on besides the input and the weights. */
interface FastContext {
  readonly mask: Mask | undefined;
  readonly training: boolean;
  readonly random: Random | undefined;
  /** Whether a prediction's gates and states are recorded. */
  readonly records: boolean;
  /** The states that it starts from; of a layer that hands them on, zeros too. Default: zeros. */
  readonly start: readonly Tensor[] | undefined;
}

/**
 * What the layer's equations compute; undefined where only they can: where the hidden state is
 * dropped, and with states to hand on where steps are masked.
 */
export function fastGatedRun(
  compute: LayerCompute,
  form: FastGated,
  x: Tensor,
  weights: readonly Tensor[],
  { mask, training, random, records, start }: FastContext,
): GatedRun | undefined {
  const isMasked = masksSteps(mask);
  if (start !== undefined && isMasked) return undefined;
  if (training) {
    if (form.recurrentDropout > 0) return undefined;
    const run = (form: GatedForm, x: Tensor) => compute.trainGated(form, x, weights, start);
    return trained(form, x, isMasked ? mask : undefined, random, run);
  }
  const { gates, states } = form.cell;
  const sites = records ? [...gates.map((gate) => `gates.${gate}`), ...states] : [];
  const run = (form: GatedForm, x: Tensor) => compute.gated(form, x, weights, { sites, start });
  if (!isMasked) return run(form, x);
  if (!records) return underMask(form, x, mask, form.zeroOutputForMask, run);
  return recordedUnderMask(
    form,
    x,
    mask,
    form.zeroOutputForMask,
    run,
    (x, h) => gatesOfRows(form, x, h, weights),
  );
}

/** A run in training: x may be dropped, and gradients go back. */
function trained(
  form: FastGated,
  x: Tensor,
  mask: Mask | undefined,
  random: Random | undefined,
  run: (form: GatedForm, x: Tensor) => FastRun,
): FastRun {
  const [batch, , inputSize] = x.shape as [number, number, number];
  // one set of factors for all gates and timesteps, so that x can be multiplied before
  const noise = cellNoise(numbers, form, [batch, inputSize], { training: true, random });
  const dropped = noise.x?.[0];
  const through = (values: Tensor) => dropped === undefined ? values : dropSteps(values, dropped);
  const { backward, ...result } = mask === undefined
    ? run(form, through(x))
    : underMask(form, through(x), mask, form.zeroOutputForMask, run);
  return {
    ...result,
    backward: (gradient, options) => {
      const { input, ...gradients } = backward(gradient, options);
      return { ...gradients, ...(input && { input: through(input) }) };
    },
  };
}

/** One step of the equations on rows of x and of h, whatever the cell state: its gates. */
function gatesOfRows(
  { cell, functions }: FastGated,
  x: Tensor,
  h: Tensor,
  weights: readonly Tensor[],
): SiteValues {
  const [W, U, b] = weights.map(asFloat64) as [Tensor, Tensor, Tensor?];
  const sites = new Map<string, Tensor>();
  const at = (site: string, value: Tensor) => {
    if (site.startsWith("gates.")) sites.set(site, value);
    return value;
  };
  const before = cell.states.map(() => asFloat64(h));
  cell.step(numbers, asFloat64(x), before, { W, U, b, ...functions, drop: {}, at });
  return sites;
}
