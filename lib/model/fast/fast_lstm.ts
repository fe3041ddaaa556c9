// The fast run of an LSTM layer, with what Keras's layer adds to the equations: masks, and dropout of
// the input.

import { lstmCell } from "../../cells/lstm.ts";
import type { LstmForm } from "../../compute/lstm_training.ts";
import type { FastForm } from "../../layers/fast_form.ts";
import type { Mask } from "../../layers/layer.ts";
import { cellNoise, dropSteps } from "../../layers/noise.ts";
import type { Random } from "../../tensor/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { numbers } from "../../values/numbers.ts";
import type { FastLayerRun } from "./fast_layers.ts";
import type { LayerCompute } from "./layer_compute.ts";
import { maskedLstm, masksSteps, recordedMaskedLstm } from "./masked_lstm.ts";

/** What the run depends on besides the input and the weights. */
interface FastContext {
  readonly mask: Mask | undefined;
  readonly training: boolean;
  readonly random: Random | undefined;
  /** Whether a prediction's gates and states are recorded. */
  readonly records: boolean;
}

/**
 * What the layer's equations compute, from zeros; undefined where only they can: where the hidden
 * state is dropped.
 */
export function fastLstm(
  compute: LayerCompute,
  form: Extract<FastForm, { readonly kind: "lstm" }>,
  x: Tensor,
  weights: readonly Tensor[],
  { mask, training, random, records }: FastContext,
): FastLayerRun | undefined {
  const isMasked = masksSteps(mask);
  if (training && form.recurrentDropout > 0) return undefined;
  const [batch, , inputSize] = x.shape as [number, number, number];
  // one set of factors for all gates and timesteps, so that x can be multiplied before
  const dropped = cellNoise(numbers, form, [batch, inputSize], { training, random }).x?.[0];
  const through = (values: Tensor) => dropped === undefined ? values : dropSteps(values, dropped);
  const maskAfter = form.returnSequences ? mask : undefined;
  if (records && !training) {
    const record = (form: LstmForm, x: Tensor) => compute.recordedLstm(form, x, weights);
    if (!isMasked) return { ...record(form, x), mask: maskAfter };
    const [kernel, recurrentKernel, bias] = weights as [Tensor, Tensor, Tensor?];
    const { φ: activation, σ: recurrentActivation } = form.functions;
    const gates = (x: Tensor, h: Tensor) =>
      lstmCell(x, { cellState: h, hiddenState: h }, {
        kernel,
        recurrentKernel,
        ...(bias && { bias }),
      }, { activation, recurrentActivation }).gates; // whatever the cell state
    const recorded = recordedMaskedLstm(form, x, mask, form.zeroOutputForMask, record, gates);
    return { ...recorded, mask: maskAfter };
  }
  const run = (form: LstmForm, x: Tensor) => compute.lstm(form, x, weights, training);
  const { output, backward } = isMasked
    ? maskedLstm(form, through(x), mask, form.zeroOutputForMask, run)
    : run(form, through(x));
  return {
    output,
    mask: maskAfter,
    backward: (gradient, options) => {
      const { input, weights } = backward(gradient, options);
      return { ...(input && { input: through(input) }), weights };
    },
  };
}
