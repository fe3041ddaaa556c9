// What the fast equations know of each gated cell. Their numbers are those of assembly/gated_plan.ts.

/** A gated cell as the fast equations lay it out; its blocks and states are in Keras's order. */
export interface CellKind {
  readonly number: number;
  /** How many blocks lie side by side in its arrays. */
  readonly blocks: number;
  /** How many of these it records: a SimpleRNN's one is no gate. */
  readonly gates: number;
  /** How many states go from step to step, h the last. */
  readonly states: number;
  /** How many rows of biases there are. */
  readonly biases: number;
  /** How many units of a block are side by side in a panel. */
  readonly together: number;
}

/** The cells that are computed fast. */
export const cellKinds = {
  lstm: { number: 0, blocks: 4, gates: 4, states: 2, biases: 1, together: 4 },
  gru: { number: 1, blocks: 3, gates: 3, states: 1, biases: 2, together: 16 },
  /** The reset gate before the product with U. */
  gruBefore: { number: 2, blocks: 3, gates: 3, states: 1, biases: 1, together: 16 },
  simpleRnn: { number: 3, blocks: 1, gates: 0, states: 1, biases: 1, together: 16 },
} as const satisfies Record<string, CellKind>;

/** The name of one of them. */
export type CellName = keyof typeof cellKinds;
