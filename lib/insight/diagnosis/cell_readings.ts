// What `diagnose` has to know of a cell. What they share is asked in readings.ts.

import type { Cell } from "../../cells/cell.ts";
import type { Layer } from "../../layers/layer.ts";
import type { ActivationName } from "../../values/activations.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { BlockNames, Order } from "./block_orders.ts";
import type { DiagnoseOptions } from "./diagnose_options.ts";
import type { FlatStep } from "./flat_steps.ts";

/** What programs do differently in a cell's equations. */
export interface EquationChoice {
  /** What is added to the forget gate's bias as it runs. */
  readonly forgetBias: 0 | 1;
  /** When r meets h: after its product with U, or before. */
  readonly reset: "after" | "before";
  /** What keeps the old h; the rest of 1 is what the candidate gets. */
  readonly update: "z" | "1 − z";
}

/** What a reading's layer is made with. */
export interface ReadingOptions {
  readonly units: number;
  readonly activation: ActivationName;
  readonly recurrentActivation: ActivationName;
  readonly goBackwards: boolean;
  readonly returnSequences: boolean;
}

/** A cell's arrays with the blocks in Keras's order. */
export interface CellArrays {
  readonly kernel: Tensor;
  readonly recurrentKernel: Tensor;
  /** `[blocks·units]`, or `[2, blocks·units]` where the recurrent kernel has its own. */
  readonly bias: Tensor;
}

/** One cell's diagnosis. */
export interface CellReadings {
  readonly name: NonNullable<DiagnoseOptions["cell"]>;
  /** In words: `an LSTM`. */
  readonly owner: string;
  /** Its blocks and sites. */
  readonly cell: Cell;
  readonly blockNames: BlockNames;
  readonly orders: readonly Order[];
  /** Whether it has gates, and so a σ. */
  readonly isGated: boolean;
  /** The answers to the questions that its equations leave open, Keras's own first. */
  readonly open: { readonly [key in keyof EquationChoice]?: readonly EquationChoice[key][] };
  /** How many rows of biases such equations take. */
  readonly biases: (choice: EquationChoice) => 1 | 2;
  /** One step on flat arrays. */
  readonly step: FlatStep;
  /** A layer that computes as such a program does, step by step. */
  readonly layer: (options: ReadingOptions, choice: EquationChoice) => Layer;
  /** The arrays that it computes with. */
  readonly arrays: (arrays: CellArrays, choice: EquationChoice) => CellArrays;
  /** Keras's equations and arrays of the same result, where the layer is none of Keras's. */
  readonly inKeras?: (
    arrays: CellArrays,
    choice: EquationChoice,
  ) => { readonly arrays: CellArrays; readonly choice: EquationChoice };
}

/** The numbers of one block of the last axis, changed. */
export function withBlock(
  { data, shape }: Tensor,
  { block, units }: { readonly block: number; readonly units: number },
  change: (x: number) => number,
): Tensor {
  const width = shape.at(-1)!;
  const isIn = (column: number) => Math.floor(column / units) === block;
  return new Tensor(
    Float64Array.from(data, (x, k) => isIn(k % width) ? change(x) : x),
    shape,
  );
}
