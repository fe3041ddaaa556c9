import { gateOrders } from "../../cells/gates.ts";
import { LSTM_CELL } from "../../cells/lstm.ts";
import { lstm } from "../../layers/lstm.ts";
import { ordersOf } from "./block_orders.ts";
import { type CellReadings, withBlock } from "./cell_readings.ts";
import { lstmStep } from "./flat_steps.ts";

// Sources: those of `gateOrders`.
const blockNames = {
  letters: { input: "i", forget: "f", candidate: "c", output: "o" },
  aliases: { g: "c", j: "c", z: "c" },
  whose: {
    "i f c o": "Keras, PyTorch, TF.js",
    "i o f c": "ONNX",
    "i c f o": "TF1, Haiku",
    "i f o c": "CoreML",
  },
  frameworks: gateOrders,
};

const FORGET = LSTM_CELL.gates.indexOf("forget");

/** 24 orders, and 1 that may be added to the forget gate's bias. */
export const LSTM_READINGS: CellReadings = {
  name: "lstm",
  owner: "an LSTM",
  cell: LSTM_CELL,
  blockNames,
  orders: ordersOf(blockNames),
  isGated: true,
  open: { forgetBias: [0, 1] },
  biases: () => 1,
  step: lstmStep,
  layer: (options) => lstm(options),
  arrays: (arrays, { forgetBias }) => {
    const units = arrays.recurrentKernel.shape[0]!;
    // As it is added in float32.
    const added = (b: number) => Math.fround(b + forgetBias);
    return { ...arrays, bias: withBlock(arrays.bias, { block: FORGET, units }, added) };
  },
};
