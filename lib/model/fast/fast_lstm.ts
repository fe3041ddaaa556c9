// The fast run of an LSTM layer, with what Keras's layer adds to the equations: masks, and dropout of
// the input.

import type { LstmForm } from "../../compute/lstm_training.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { LayerContext, LayerRun } from "../layer.ts";
import { cellNoise, dropSteps } from "../noise.ts";
import { maskedLstm, masksSteps } from "./masked_lstm.ts";

/** The layer's form and its options beside it. */
interface LayerForm extends LstmForm {
  readonly dropout: number;
  readonly recurrentDropout: number;
  readonly zeroOutputForMask: boolean;
}

/** What the layer's equations compute, from zeros; nothing of its hidden state may be dropped. */
export function fastLstm(
  form: LayerForm,
  x: Tensor,
  weights: readonly Tensor[],
  context: LayerContext,
): LayerRun {
  const { mask, training } = context;
  const [batch, , inputSize] = x.shape as [number, number, number];
  // one set of factors for all gates and timesteps, so that x can be multiplied before
  const dropped = cellNoise(form, [batch, inputSize], context).inputDropout?.input;
  const through = (values: Tensor) => dropped === undefined ? values : dropSteps(values, dropped);
  // the two halves of a Bidirectional share what computes, but not what it keeps
  const half = form.goBackwards ? "backward" : "forward";
  const run = (form: LstmForm, x: Tensor) =>
    context.compute!.lstm(form, x, weights, { training, half });
  const { output, backward } = masksSteps(mask)
    ? maskedLstm(form, through(x), mask, form.zeroOutputForMask, run)
    : run(form, through(x));
  return {
    output,
    mask: form.returnSequences ? mask : undefined,
    backward: (gradient, options) => {
      const { input, weights } = backward(gradient, options);
      return { ...(input && { input: through(input) }), weights };
    },
  };
}
