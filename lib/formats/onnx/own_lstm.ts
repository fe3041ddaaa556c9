// ONNX's LSTM where Keras's is not enough: gates that see the cell state (peepholes P), another
// activation on its way out than of the candidate (onnx/defs/rnn/defs.cc).

import { type CellLayerOptions, defineCell } from "../../layers/define_cell.ts";
import type { RecurrentLayer, RecurrentOptions } from "../../layers/recurrent.ts";
import type { Activation } from "../../values/activations.ts";

/** What such a cell has. */
export interface OwnLstm {
  /** Of the gates, of the candidate, and of the cell state on its way out. */
  readonly activations: readonly Activation[];
  readonly hasBias: boolean;
  readonly hasPeepholes: boolean;
}

const PEEPHOLES = { p_i: ["units"], p_o: ["units"], p_f: ["units"] } as const;

/** Makes layers of it; their arrays are kernel, recurrent kernel, bias, and p of i, o and f. */
export function ownLstm(
  { activations, hasBias, hasPeepholes }: OwnLstm,
): (options: CellLayerOptions & Pick<RecurrentOptions, "useBias">) => RecurrentLayer {
  const [f, g, h] = activations as [Activation, Activation, Activation];
  const make = defineCell({
    kind: "OnnxLSTM",
    gates: ["input", "forget", "candidate", "output"],
    states: ["cellState", "hiddenState"],
    weights: hasPeepholes ? PEEPHOLES : {} as typeof PEEPHOLES,
    step(o, { x, cellState: c, hiddenState }, { W, U, b, p_i, p_o, p_f }, at) {
      const z = (gate: "input" | "forget" | "candidate" | "output") =>
        o.affine([[x, W[gate]], [hiddenState, U[gate]]], hasBias ? b[gate] : undefined);
      const seen = (sum: typeof x, state: typeof x, p: typeof x) =>
        hasPeepholes ? o.add(sum, o.multiply(state, p)) : sum;
      const i = at("gates.input", o.apply(f, seen(z("input"), c, p_i)));
      const kept = at("gates.forget", o.apply(f, seen(z("forget"), c, p_f)));
      const candidate = at("gates.candidate", o.apply(g, z("candidate")));
      const next = at("cellState", o.sumOfProducts([kept, c], [i, candidate]));
      const out = at("gates.output", o.apply(f, seen(z("output"), next, p_o)));
      at("hiddenState", o.multiply(out, o.apply(h, next)));
    },
  });
  return ({ useBias: _, ...options }) => make(options);
}
