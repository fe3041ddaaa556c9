import { SIMPLE_RNN_CELL } from "../../cells/simple_rnn.ts";
import { simpleRnn } from "../../layers/simple_rnn.ts";
import type { CellReadings } from "./cell_readings.ts";
import { simpleRnnStep } from "./flat_steps.ts";

/** One block, which has no order. */
export const SIMPLE_RNN_READINGS: CellReadings = {
  name: "simpleRnn",
  owner: "a SimpleRNN",
  cell: SIMPLE_RNN_CELL,
  blockNames: { letters: {}, aliases: {}, whose: {}, frameworks: {} },
  orders: [{ label: "none", isFrameworks: true, blocks: [0] }],
  isGated: false,
  open: {},
  biases: () => 1,
  step: simpleRnnStep,
  layer: ({ recurrentActivation: _, ...options }) => simpleRnn(options),
  arrays: (arrays) => arrays,
};
