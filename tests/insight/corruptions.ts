// Ways in which a program goes wrong, chosen by a seed.

import { type Gates, getActivation, joinGates, splitGates, Tensor } from "@gatescope/lstm";
import type { Random } from "../../lib/tensor/random.ts";
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

const gateNames: readonly (keyof Gates)[] = ["input", "forget", "candidate", "output"];

/** One of the four ways that the issue names. */
export function corrupt(
  kind: number,
  arrays: Arrays,
  timesteps: number,
  random: Random,
): Corruption {
  const pick = (count: number) => Math.floor(random.uniform() * count);
  switch (kind % 4) {
    case 0: {
      const key = (["kernel", "recurrentKernel", "bias"] as const)[pick(3)]!;
      const data = arrays[key].data.slice();
      const at = pick(data.length);
      data[at]! += (random.uniform() < 0.5 ? -1 : 1) * (0.02 + 0.5 * random.uniform());
      const units = arrays.recurrentKernel.shape[0]!;
      const column = at % (4 * units);
      return {
        what: `${key}[${at}] moved`,
        arrays: { ...arrays, [key]: new Tensor(data, arrays[key].shape) },
        program: {},
        value: `gates.${gateNames[Math.floor(column / units)]}`,
        unit: column % units,
      };
    }
    case 1: {
      const first = pick(4);
      const second = (first + 1 + pick(3)) % 4;
      const [a, b] = [gateNames[first]!, gateNames[second]!];
      const swap = (fused: Tensor) => {
        const gates = splitGates(fused);
        return joinGates({ ...gates, [a]: gates[b], [b]: gates[a] });
      };
      const { kernel, recurrentKernel, bias } = arrays;
      return {
        what: `${a} and ${b} swapped`,
        arrays: {
          ...arrays,
          kernel: swap(kernel),
          recurrentKernel: swap(recurrentKernel),
          bias: swap(bias),
        },
        program: {},
        value: `gates.${gateNames[Math.min(first, second)]}`,
      };
    }
    case 2: {
      if (random.uniform() < 0.5) {
        const name = (["hard_sigmoid", "hard_sigmoid_keras2", "relu"] as const)[pick(3)]!;
        return {
          what: `recurrentActivation ${name}`,
          arrays,
          program: { recurrentActivation: getActivation(name) },
          value: "gates.input",
        };
      }
      const name = (["relu", "softsign", "hard_tanh", "gelu"] as const)[pick(4)]!;
      return {
        what: `activation ${name}`,
        arrays,
        program: { activation: getActivation(name) },
        value: "gates.candidate",
      };
    }
    default: {
      const droppedTimestep = pick(timesteps);
      return {
        what: `timestep ${droppedTimestep} dropped`,
        arrays,
        program: { droppedTimestep },
        value: "cellState",
      };
    }
  }
}
