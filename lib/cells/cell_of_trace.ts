// Whose equations made a trace.

import { blocksOf, type Cell } from "./cell.ts";
import type { CellTrace } from "./cell_run.ts";
import { GRU_BEFORE_CELL, GRU_CELL } from "./gru.ts";
import { LSTM_CELL } from "./lstm.ts";
import { SIMPLE_RNN_CELL } from "./simple_rnn.ts";
import { sitesOf } from "./sites.ts";
import { runOf } from "./traced_run.ts";

/** Keras's cells. */
export const CELLS: readonly Cell[] = [LSTM_CELL, GRU_CELL, GRU_BEFORE_CELL, SIMPLE_RNN_CELL];

/** The cell that computed a trace; of a copy, the one of its gates and states. */
export function cellOfTrace(trace: CellTrace): Cell | undefined {
  const run = runOf(trace);
  if (run !== undefined) return run.cell ?? LSTM_CELL;
  const sites = sitesOf(trace);
  return CELLS.find(({ sites: own, traceName }) =>
    traceName === trace.source?.cell && own.length === sites.length &&
    own.every((site) => sites.includes(site))
  );
}

/** Keras's cell of which so many blocks lie side by side, with so many rows of biases. */
export function cellOfBlocks(blocks: number, biases: number | undefined): Cell | undefined {
  const found = CELLS.filter((cell) => blocksOf(cell) === blocks);
  return found.find((cell) => cell.biases === biases) ?? found[0];
}

/** A cell's arrays by name, with the gates side by side in each. */
export function arraysOf(cell: Cell): (readonly [name: string, gates: readonly string[]])[] {
  const names = cell.arrays ?? ["kernel", "recurrentKernel", "bias"];
  return names.map((name, k) => [name, cell.arrayGates?.[k] ?? cell.gates]);
}
