// Two layers that Keras does not have and ONNX's graphs need. They compute and learn as others do;
// saveKeras refuses them by their class.

import { activationOf } from "../layers/layer_options.ts";
import { bidirectional } from "../layers/bidirectional.ts";
import { lstm, type LstmLayer, type LstmLayerOptions } from "../layers/lstm.ts";
import { defineLayer, type Layer, type OpenShape } from "../layers/layer.ts";
import type { MergeMode } from "../layers/merge_modes.ts";
import { reverseSteps, shapeOf, stepOf } from "../values/arrange.ts";

/** The last timestep of a sequence: `[timesteps, size]` becomes `[size]`. */
export function lastTimestep(): Layer {
  return defineLayer({
    className: "LastTimestep",
    config: {},
    outputShape: (input: OpenShape) => {
      if (input.length === 2) return input.slice(1);
      throw new TypeError(
        `Cannot build a LastTimestep: its input must be [timesteps, size], ` +
          `but the input has ${input.length} axes`,
      );
    },
    weights: () => [],
    run: (o, [x]) => ({ outputs: [stepOf(o, x!, shapeOf(o, x!)[1]! - 1)] }),
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
  return defineLayer({
    ...layer,
    className: "ReverseLSTM",
    wrapped: layer,
    fast: () => undefined, // the fast form knows nothing of this order
    run: (o, inputs, weights, context) => {
      const { outputs: [output], ...rest } = context.run(layer, inputs, weights, context);
      return { ...rest, outputs: [reverseSteps(o, output!)] };
    },
  });
}
