// What is known of a file with the arrays of a PyTorch module.

import type { SafetensorsFile } from "../../files/safetensors.ts";
import type { LoadedModel } from "../build_model.ts";
import { gateOrderOf, moduleName, type TorchStack } from "./recurrent.ts";

/** The arrays of a state_dict. */
export type PytorchArrays = SafetensorsFile & {
  /** Whether they come in the order of the state_dict. Default: false, by the alphabet. */
  readonly isOrdered?: boolean;
};

/** What the numbers of a state_dict are kept in. */
export function precisionOf({ arrays }: PytorchArrays): "float32" | "float64" {
  const isDouble = [...arrays.values()].every(({ data }) => data instanceof Float64Array);
  return isDouble ? "float64" : "float32";
}

/** What is known of a file by PyTorch. */
export function pytorchProvenance(
  metadata: SafetensorsFile["metadata"],
  stacks: readonly TorchStack[],
): LoadedModel["provenance"] {
  const { format, ...others } = metadata;
  const cell = stacks.find(({ isCell }) => isCell);
  return {
    framework: "PyTorch",
    gateOrder: gateOrderOf(stacks),
    notes: [
      "Input and result are [batch, timesteps, …], whatever batch_first was.",
      ...(cell ? [`An ${moduleName(cell)} computes one step: here it goes over a sequence.`] : []),
      ...(format === undefined || format === "pt" ? [] : [`Its metadata says format ${format}.`]),
      ...Object.entries(others).map(([key, text]) => `Its metadata says ${key}: ${text}`),
    ],
  };
}
