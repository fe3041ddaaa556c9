// What tells ONNX's recurrent operators apart: LSTM, GRU and RNN, as layers of Keras's.

import type { OnnxNode } from "../../files/onnx_schema.ts";
import { gru } from "../../layers/gru.ts";
import { lstm } from "../../layers/lstm.ts";
import type { RecurrentLayer, RecurrentOptions } from "../../layers/recurrent.ts";
import { simpleRnn } from "../../layers/simple_rnn.ts";
import type { Activation } from "../../values/activations.ts";
import { type Converted, gruLettersOf, lettersOf, part, reshaped } from "../conversion.ts";
import { intOf } from "./attributes.ts";
import { UnreadNode } from "./errors.ts";
import { constantPart } from "./known.ts";
import type { Blocks } from "./recurrent_weights.ts";
import { ownLstm } from "./own_lstm.ts";
import { arrayOf, constantOperand, isGiven, type Result, type Step } from "./step.ts";

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
  ) => RecurrentLayer;
  /** Arrays of each direction besides W, R and B. */
  readonly more?: (units: number, directions: number) => readonly (readonly Converted[])[];
}

/** What the node computes; throws where it is not read. */
export function cellOf(step: Step): OperatorCell {
  return CELLS[step.operator]!(step);
}

const CELLS: Readonly<Record<string, (step: Step) => OperatorCell>> = {
  LSTM: (step) => {
    if (intOf(step, "input_forget", 0) !== 0) throw new UnreadNode("it has input_forget");
    const P = step.operands[7];
    const hasPeepholes = P !== undefined && !isZero(P);
    let first = "";
    return {
      blocks: { count: 4, isReordered: true, keepsBiases: false },
      activations: ["Sigmoid", "Tanh", "Tanh"],
      states: 2,
      make: (options, activations) => {
        const [f, g, h] = activations.map(({ activationName, options }) =>
          JSON.stringify([activationName, options])
        );
        if (g === h && !hasPeepholes) {
          const [recurrentActivation, activation] = activations as [Activation, Activation];
          return lstm({ ...options, activation, recurrentActivation });
        }
        const all = `${f} ${g} ${h}`;
        if ((first ||= all) !== all) {
          throw new UnreadNode(
            "its directions must have the same activations where it has peepholes, or g is not h",
          );
        }
        const hasBias = step.operands[3] !== undefined;
        return ownLstm({ activations, hasBias, hasPeepholes })(options);
      },
      ...(hasPeepholes && { more: (units, directions) => peepholesOf(step, units, directions) }),
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

/** How the gates of a graph's operators follow each other: `i o f c`, of a GRU `z r h`. */
export function gateOrderOf(nodes: readonly OnnxNode[]): string {
  const letters = nodes.flatMap(({ type }) =>
    type === "LSTM" ? [lettersOf("onnx")] : type === "GRU" ? [gruLettersOf("onnx")] : []
  );
  return [...new Set(letters)].join(", ") || "none";
}

/** P of i, o and f, for each direction. */
function peepholesOf(step: Step, units: number, directions: number): Converted[][] {
  const P = arrayOf(constantOperand(step, 7, "its peepholes P")!);
  if (P.tensor.shape.join() !== [directions, 3 * units].join()) {
    throw new UnreadNode(`its peepholes P are [${P.tensor.shape}]`);
  }
  return Array.from({ length: directions }, (_, d) => {
    const own = directions === 1 ? P : part(P, d, d + 1, `direction ${d}`);
    const flat = reshaped(own, [3 * units]);
    return ["i", "o", "f"].map((gate, k) => part(flat, k * units, (k + 1) * units, `p of ${gate}`));
  });
}

/** Whether an operand is of nothing but zeros. */
export function isZero(operand: Result): boolean {
  return isGiven(operand) && constantPart(operand).data.every((value) => value === 0);
}
