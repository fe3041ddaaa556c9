// Ways in which a program goes wrong, chosen by a seed.

import { getActivation, Tensor } from "@gatescope/lstm";
import type { Random } from "../../lib/tensor/random.ts";
import { type CellKind, cellParts } from "./float32_cells.ts";
import type { Arrays, Program } from "./float32_run.ts";

/** A program that went wrong, and where it must be found. */
export interface Corruption {
  readonly what: string;
  readonly arrays: Arrays;
  readonly program: Program;
  /** The value that is wrong first, and its unit; undefined where any may be. */
  readonly value?: string;
  readonly unit?: number;
}

/** The columns' blocks of every array of the cell, in another order. */
export function inOrder(arrays: Arrays, order: readonly number[]): Arrays {
  const units = arrays.recurrentKernel.shape[0]!;
  const width = order.length * units;
  const moved = ({ data, shape }: Tensor) =>
    new Tensor(
      Float32Array.from(data, (_, k) => {
        const column = k % width;
        const from = order[Math.floor(column / units)]! * units + column % units;
        return data[k - column + from]!;
      }),
      shape,
    );
  const { kernel, recurrentKernel, bias } = arrays;
  return {
    ...arrays,
    kernel: moved(kernel),
    recurrentKernel: moved(recurrentKernel),
    bias: moved(bias),
  };
}

/** One of the four ways that the issue names; of a GRU, its other equations besides. */
export function corrupt(
  kind: number,
  arrays: Arrays,
  timesteps: number,
  random: Random,
  cell: CellKind = "LSTM",
): Corruption {
  const pick = (count: number) => Math.floor(random.uniform() * count);
  const { gates, states } = cellParts[cell];
  const first = states[0]!;
  switch (kind % 4) {
    case 0: {
      const key = (["kernel", "recurrentKernel", "bias"] as const)[pick(3)]!;
      const data = arrays[key].data.slice();
      const at = pick(data.length);
      data[at]! += (random.uniform() < 0.5 ? -1 : 1) * (0.02 + 0.5 * random.uniform());
      const [units, width] = arrays.recurrentKernel.shape as [number, number];
      const column = at % width;
      const gate = gates[Math.floor(column / units)];
      return {
        what: `${key}[${at}] moved`,
        arrays: { ...arrays, [key]: new Tensor(data, arrays[key].shape) },
        program: {},
        value: gate === undefined ? first : `gates.${gate}`,
        unit: column % units,
      };
    }
    case 1: {
      if (gates.length === 0) {
        return {
          what: "recurrent kernel transposed",
          arrays: { ...arrays, recurrentKernel: arrays.recurrentKernel.transpose() },
          program: {},
          value: first,
        };
      }
      const a = pick(gates.length);
      const b = (a + 1 + pick(gates.length - 1)) % gates.length;
      const order = gates.map((_, k) => k === a ? b : k === b ? a : k);
      return {
        what: `${gates[a]} and ${gates[b]} swapped`,
        arrays: inOrder(arrays, order),
        program: {},
        value: `gates.${gates[Math.min(a, b)]}`,
      };
    }
    case 2: {
      if (gates.length > 0 && random.uniform() < 0.5) {
        const name = (["hard_sigmoid", "hard_sigmoid_keras2", "relu"] as const)[pick(3)]!;
        return {
          what: `recurrentActivation ${name}`,
          arrays,
          program: { recurrentActivation: getActivation(name) },
          value: `gates.${gates[0]}`,
        };
      }
      const name = (["relu", "softsign", "hard_tanh", "gelu"] as const)[pick(4)]!;
      return {
        what: `activation ${name}`,
        arrays,
        program: { activation: getActivation(name) },
        value: gates.length > 0 ? "gates.candidate" : first,
      };
    }
    default: {
      const droppedTimestep = pick(timesteps);
      const turn = cell.startsWith("GRU") ? pick(3) : 0;
      if (turn === 1) {
        return { what: "z turned", arrays, program: { turned: true }, value: first };
      }
      if (turn === 2) return { what: "reset", ...otherReset(arrays, cell) };
      return {
        what: `timestep ${droppedTimestep} dropped`,
        arrays,
        program: { droppedTimestep },
        value: first,
      };
    }
  }
}

/** A GRU's reset on the other side of the product, its biases added or the recurrent one 0. */
function otherReset(arrays: Arrays, cell: CellKind) {
  const { data } = arrays.bias;
  const isAfter = cell === "GRU";
  const width = isAfter ? data.length / 2 : data.length;
  const bias = isAfter
    ? new Tensor(data.slice(0, width).map((b, k) => Math.fround(b + data[width + k]!)), [width])
    : new Tensor(Float32Array.of(...data, ...new Float32Array(width)), [2, width]);
  const other: CellKind = isAfter ? "GRU, reset before" : "GRU";
  return { arrays: { ...arrays, bias }, program: { cell: other }, value: "gates.candidate" };
}
