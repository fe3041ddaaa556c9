// The fast run of an LSTM layer, with what Keras's layer adds to the equations: masks, and dropout of
// the input.

import type { LstmForm } from "../../compute/lstm_training.ts";
import { type LstmActivations, lstmCell } from "../../lstm/cell.ts";
import type { LayerTrace } from "../../lstm/sequence.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { LayerContext, LayerRun } from "../layer.ts";
import { cellNoise, dropSteps } from "../noise.ts";
import { maskedLstm, masksSteps, recordedMaskedLstm } from "./masked_lstm.ts";

/** The layer's form and its options beside it. */
interface LayerForm extends LstmForm {
  readonly dropout: number;
  readonly recurrentDropout: number;
  readonly zeroOutputForMask: boolean;
}

/**
 * What the layer's equations compute, from zeros; undefined where only they can: where the hidden
 * state is dropped.
 *
 * @param activations as the equations have them
 */
export function fastLstm(
  form: LayerForm,
  x: Tensor,
  weights: readonly Tensor[],
  context: LayerContext,
  activations: LstmActivations,
): LayerRun & { readonly trace?: LayerTrace } | undefined {
  const { mask, training, records = false } = context;
  const isMasked = masksSteps(mask);
  if (training && form.recurrentDropout > 0) return undefined;
  const [batch, , inputSize] = x.shape as [number, number, number];
  // one set of factors for all gates and timesteps, so that x can be multiplied before
  const dropped = cellNoise(form, [batch, inputSize], context).inputDropout?.input;
  const through = (values: Tensor) => dropped === undefined ? values : dropSteps(values, dropped);
  // the two halves of a Bidirectional share what computes, but not what it keeps
  const half = form.goBackwards ? "backward" : "forward";
  const maskAfter = form.returnSequences ? mask : undefined;
  if (records && !training) {
    const record = (form: LstmForm, x: Tensor) =>
      context.compute!.recordedLstm(form, x, weights, half);
    if (!isMasked) return { ...record(form, x), mask: maskAfter };
    const [kernel, recurrentKernel, bias] = weights as [Tensor, Tensor, Tensor?];
    const gates = (x: Tensor, h: Tensor) =>
      lstmCell(x, { cellState: h, hiddenState: h }, {
        kernel,
        recurrentKernel,
        ...(bias && { bias }),
      }, activations).gates; // whatever the cell state
    const recorded = recordedMaskedLstm(form, x, mask, form.zeroOutputForMask, record, gates);
    return { ...recorded, mask: maskAfter };
  }
  const run = (form: LstmForm, x: Tensor) =>
    context.compute!.lstm(form, x, weights, { training, half });
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
