import type { CellReadings } from "./cell_readings.ts";
import { GRU_READINGS } from "./gru_readings.ts";
import { LSTM_READINGS } from "./lstm_readings.ts";
import { SIMPLE_RNN_READINGS } from "./simple_rnn_readings.ts";

/** The cells that are diagnosed, one a line. */
export const diagnosedCells: readonly CellReadings[] = [
  LSTM_READINGS,
  GRU_READINGS,
  SIMPLE_RNN_READINGS,
];
