// What tells ONNX's recurrent operators apart: LSTM, GRU and RNN, as layers of Keras's.

import { gru } from "../layers/gru.ts";
import { lstm } from "../layers/lstm.ts";
import type { RecurrentLayer, RecurrentOptions } from "../layers/recurrent.ts";
import { simpleRnn } from "../layers/simple_rnn.ts";
import type { Activation } from "../values/activations.ts";
import { intOf } from "./onnx_attributes.ts";
import { UnreadNode } from "./onnx_errors.ts";
import { constantPart } from "./onnx_known.ts";
import type { Blocks } from "./onnx_recurrent_weights.ts";
import { isGiven, type Result, type Step } from "./onnx_step.ts";

/** One recurrent operator, as this node has it. */
export interface OperatorCell {
  readonly blocks: Blocks;
  /** Its activations, as they are where the node has none. */
  readonly activations: readonly string[];
  /** How many states it hands on. */
  readonly states: 1 | 2;
  /** Makes the layer of one direction, with the activations that the node names. */
  readonly make: (
    options: RecurrentOptions,
    activations: readonly Activation[],
    names: readonly string[],
  ) => RecurrentLayer;
}

/** What the node computes; throws where it is not read. */
export function cellOf(step: Step): OperatorCell {
  return CELLS[step.operator]!(step);
}

const CELLS: Readonly<Record<string, (step: Step) => OperatorCell>> = {
  LSTM: (step) => {
    if (intOf(step, "input_forget", 0) !== 0) throw new UnreadNode("it has input_forget");
    const peepholes = step.operands[7];
    if (peepholes !== undefined && !isZero(peepholes)) {
      throw new UnreadNode("it has peepholes P");
    }
    return {
      blocks: { count: 4, isReordered: true, keepsBiases: false },
      activations: ["Sigmoid", "Tanh", "Tanh"],
      states: 2,
      make: (options, [f, g, h], names) => {
        const same = g!.activationName === h!.activationName &&
          JSON.stringify(g!.options) === JSON.stringify(h!.options);
        if (same) return lstm({ ...options, activation: g!, recurrentActivation: f! });
        const pair = names.slice(1).join(" and ");
        throw new UnreadNode(`its activations g and h must be the same: they are ${pair}`);
      },
    };
  },
  GRU: (step) => {
    const resetAfter = intOf(step, "linear_before_reset", 0) !== 0;
    return {
      blocks: { count: 3, isReordered: false, keepsBiases: resetAfter }, // z r h, as Keras
      activations: ["Sigmoid", "Tanh"],
      states: 1,
      make: (options, [f, g]) =>
        gru({ ...options, activation: g!, recurrentActivation: f!, resetAfter }),
    };
  },
  RNN: () => ({
    blocks: { count: 1, isReordered: false, keepsBiases: false },
    activations: ["Tanh"],
    states: 1,
    make: (options, [f]) => simpleRnn({ ...options, activation: f! }),
  }),
};

/** The recurrent operators. */
export const RECURRENT: readonly string[] = Object.keys(CELLS);

/** Whether an operand is of nothing but zeros. */
export function isZero(operand: Result): boolean {
  return isGiven(operand) && constantPart(operand).data.every((value) => value === 0);
}
