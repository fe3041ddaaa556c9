// Other names under which Keras writes an LSTM.

import { type KerasConfig, type KerasReading, type LayerKind, names, numbered } from "./kind.ts";
import type { Layer } from "./layer.ts";
import { LSTM } from "./lstm.ts";

/** `RNN(LSTMCell(…))`: what an LSTM is, in Keras itself. */
export const RNN: LayerKind = {
  className: "RNN",
  options: names(
    "cell return_sequences return_state go_backwards stateful unroll time_major zero_output_for_mask",
  ),
  only: { time_major: false },
  read: ({ cell, ...config }, reading) => {
    const { class_name: className, config: own } = (cell ?? {}) as Record<string, unknown>;
    if (className === "LSTMCell") {
      return LSTM.read({ ...own as KerasConfig, ...config }, reading);
    }
    return reading.refuse("its cell must be an LSTMCell", `it is ${JSON.stringify(className)}`);
  },
  paths: (_, count) => numbered("cell/", count),
};

/** Keras 2's LSTM for NVIDIA's cuDNN; its arrays are turned as they are read. */
export const CU_DNN_LSTM: LayerKind = {
  className: "CuDNNLSTM",
  options: names(
    "units kernel_initializer recurrent_initializer bias_initializer unit_forget_bias " +
      "kernel_regularizer recurrent_regularizer bias_regularizer kernel_constraint " +
      "recurrent_constraint bias_constraint return_sequences return_state go_backwards stateful " +
      "time_major",
  ),
  only: { time_major: false },
  read: (config, reading: KerasReading): Layer =>
    LSTM.read({ ...config, activation: "tanh", recurrent_activation: "sigmoid" }, reading),
};
