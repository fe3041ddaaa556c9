// Two layers that Keras does not have and ONNX's graphs need. They compute and learn as others do;
// saveKeras refuses them by their class.

import { activationOf } from "../model/layer_options.ts";
import { bidirectional } from "../model/layers/bidirectional.ts";
import { lstm, type LstmLayer, type LstmLayerOptions } from "../model/layers/lstm.ts";
import type { Layer, OpenShape } from "../model/layer.ts";
import type { MergeMode } from "../model/merge_modes.ts";
import { lastStep, lastStepGradient, reverseTimesteps } from "../model/timesteps.ts";

/** The last timestep of a sequence: `[timesteps, size]` becomes `[size]`. */
export function lastTimestep(): Layer {
  return Object.freeze<Layer>({
    className: "LastTimestep",
    config: Object.freeze({}),
    outputShape: (input: OpenShape) => {
      if (input.length === 2) return input.slice(1);
      throw new TypeError(
        `Cannot build a LastTimestep: its input must be [timesteps, size], ` +
          `but the input has ${input.length} axes`,
      );
    },
    weights: () => [],
    forward: (x) => ({
      output: lastStep(x),
      backward: (gradient) => ({ input: lastStepGradient(gradient, x.shape[1]!), weights: [] }),
    }),
  });
}

/** The same two LSTMs, their results merged otherwise. */
export function remerged(layer: Layer, mergeMode: MergeMode): Layer {
  const { wrapped, config } = layer;
  const { config: back } = config.backward_layer as Layer;
  const forward = wrapped as LstmLayer;
  const backwardLayer = lstm({
    ...forward.options,
    units: back.units as number,
    activation: activationOf(back.activation),
    recurrentActivation: activationOf(back.recurrent_activation),
    goBackwards: !forward.options.goBackwards,
  });
  return bidirectional(forward, { mergeMode, backwardLayer });
}

/** An LSTM against the order of time whose sequence stands in the order of time, unlike Keras's. */
export function reverseLstm(options: LstmLayerOptions): Layer {
  const layer: LstmLayer = lstm({ ...options, goBackwards: true, returnSequences: true });
  const { fast: _inKerasOrder, ...definition } = layer; // the fast form knows nothing of this order
  return Object.freeze<Layer>({
    ...definition,
    className: "ReverseLSTM",
    wrapped: layer,
    forward: (x, weights, context) => {
      const run = layer.forward(x, weights, context);
      return {
        ...run,
        output: reverseTimesteps(run.output),
        backward: (gradient) => run.backward(reverseTimesteps(gradient)),
      };
    },
  });
}
