// Other names under which Keras writes an LSTM, a GRU or a SimpleRNN.

import { type KerasConfig, type LayerKind, names, numbered } from "./kind.ts";
import { GRU } from "./gru.ts";
import { LSTM } from "./lstm.ts";

/** The layers that Keras itself makes of these cells. */
const CELLS: Readonly<Record<string, string>> = {
  LSTMCell: "LSTM",
  GRUCell: "GRU",
  SimpleRNNCell: "SimpleRNN",
};

/** What TF.js repeats of its cell among the layer's options. */
const OF_CELLS = names(
  "cells units activation recurrent_activation use_bias kernel_initializer recurrent_initializer " +
    "bias_initializer unit_forget_bias kernel_regularizer recurrent_regularizer bias_regularizer " +
    "kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout " +
    "implementation reset_after",
);

/** `RNN(LSTMCell(…))`: what an LSTM is, in Keras itself; so with the other cells. */
export const RNN: LayerKind = {
  className: "RNN",
  options: [
    ...names("cell return_sequences return_state go_backwards stateful unroll time_major"),
    "zero_output_for_mask",
    ...OF_CELLS,
  ],
  only: { time_major: false },
  read: ({ cell, ...config }, reading) => {
    const layer = layerOfCell(cell, config);
    if (layer !== undefined) return reading.layer(layer);
    const { class_name: className } = (cell ?? {}) as KerasConfig;
    return reading.refuse(
      `its cell must be one of ${Object.keys(CELLS).join(", ")}`,
      `it is ${JSON.stringify(className)}`,
    );
  },
  paths: (_, count) => numbered("cell/", count),
};

/**
 * The record of the layer that runs a cell, undefined of one that is not read.
 *
 * @param options the layer's, beside the cell's
 */
export function layerOfCell(cell: unknown, options: KerasConfig): KerasConfig | undefined {
  const record = (cell ?? {}) as KerasConfig;
  const { class_name: className, registered_name: registered = null, config } = record;
  if (typeof className !== "string" || !Object.hasOwn(CELLS, className)) return undefined;
  const own = Object.entries(options).filter(([key]) => !OF_CELLS.includes(key));
  return {
    ...record,
    class_name: CELLS[className],
    registered_name: registered === className ? null : registered,
    config: { ...config as KerasConfig, ...Object.fromEntries(own) },
  };
}

const CU_DNN_NAMES = names(
  "units kernel_initializer recurrent_initializer bias_initializer kernel_regularizer " +
    "recurrent_regularizer bias_regularizer kernel_constraint recurrent_constraint " +
    "bias_constraint return_sequences return_state go_backwards stateful time_major",
);

/** Keras 2's LSTM for NVIDIA's cuDNN; its arrays are turned as they are read. */
export const CU_DNN_LSTM: LayerKind = {
  className: "CuDNNLSTM",
  options: [...CU_DNN_NAMES, "unit_forget_bias"],
  only: { time_major: false },
  read: (config, reading) =>
    LSTM.read({ ...config, activation: "tanh", recurrent_activation: "sigmoid" }, reading),
};

/** The same of a GRU, which has its reset after. */
export const CU_DNN_GRU: LayerKind = {
  className: "CuDNNGRU",
  options: CU_DNN_NAMES,
  only: { time_major: false },
  read: (config, reading) =>
    GRU.read({
      ...config,
      activation: "tanh",
      recurrent_activation: "sigmoid",
      reset_after: true,
    }, reading),
};
