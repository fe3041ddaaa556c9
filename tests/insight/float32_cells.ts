// The cells of float32_run.ts, one unit at a time.

import type { Tensor } from "@gatescope/lstm";

const f32 = Math.fround;

/** The cells that it knows. */
export type CellKind = "LSTM" | "GRU" | "GRU, reset before" | "SimpleRNN";

/** What a cell has, in the order of Keras's blocks. */
export const cellParts: Readonly<
  Record<CellKind, { readonly gates: readonly string[]; readonly states: readonly string[] }>
> = {
  "LSTM": {
    gates: ["input", "forget", "candidate", "output"],
    states: ["cellState", "hiddenState"],
  },
  "GRU": { gates: ["update", "reset", "candidate"], states: ["hiddenState"] },
  "GRU, reset before": { gates: ["update", "reset", "candidate"], states: ["hiddenState"] },
  "SimpleRNN": { gates: [], states: ["hiddenState"] },
};

/** What a cell computed: of the gates and states, those that it has. */
export interface Float32Layer {
  readonly gates: Readonly<
    Record<"input" | "forget" | "candidate" | "output" | "update" | "reset", Tensor>
  >;
  readonly cellState: Tensor;
  readonly hiddenState: Tensor;
}

/** Of one sample. */
export type Row = Float32Array<ArrayBuffer>;

/** What a step has: sums of x and of a state in a column, and the functions. */
export interface Step {
  readonly units: number;
  readonly x: (column: number) => readonly (readonly [number, number])[];
  readonly h: (column: number, h: Row) => readonly (readonly [number, number])[];
  readonly total: (
    parts: readonly (readonly (readonly [number, number])[])[],
    bias: number | undefined,
  ) => number;
  readonly b: (row: 0 | 1, column: number) => number;
  readonly φ: (v: number) => number;
  readonly σ: (v: number) => number;
  /** How z·h + (1 − z)·h̃ is computed. */
  readonly mix: (z: number, h: number, candidate: number) => number;
}

/** Gates and new states of a unit, from the states before. */
export const steps: Readonly<
  Record<CellKind, (step: Step, before: readonly Row[], unit: number, resets: Row) => number[][]>
> = {
  "LSTM": ({ units, x, h, total, b, φ, σ }, [c, state], u) => {
    const [i, f, g, o] = [0, 1, 2, 3].map((block) => {
      const column = block * units + u;
      return total([x(column), h(column, state!)], b(0, column));
    }) as [number, number, number, number];
    const gates = [σ(i), σ(f), φ(g), σ(o)] as const;
    const next = f32(f32(gates[1] * c![u]!) + f32(gates[0] * gates[2]));
    return [[...gates], [next, f32(gates[3] * φ(next))]];
  },
  "GRU": ({ units, x, h, total, b, φ, σ, mix }, [state], u) => {
    const ofX = (block: number) => total([x(block * units + u)], b(0, block * units + u));
    const ofH = (block: number) => total([h(block * units + u, state!)], b(1, block * units + u));
    const z = σ(f32(ofX(0) + ofH(0)));
    const r = σ(f32(ofX(1) + ofH(1)));
    const candidate = φ(f32(ofX(2) + f32(r * ofH(2))));
    return [[z, r, candidate], [mix(z, state![u]!, candidate)]];
  },
  "GRU, reset before": ({ units, x, h, total, b, φ, σ, mix }, [state], u, resets) => {
    const gate = (block: number, own: Row) => {
      const column = block * units + u;
      return total([x(column), h(column, own)], b(0, column));
    };
    const z = σ(gate(0, state!));
    const candidate = φ(gate(2, state!.map((v, k) => f32(resets[k]! * v))));
    return [[z, resets[u]!, candidate], [mix(z, state![u]!, candidate)]];
  },
  "SimpleRNN": ({ x, h, total, b, φ }, [state], u) => [
    [],
    [φ(total([x(u), h(u, state!)], b(0, u)))],
  ],
};
