// The state_dict of a PyTorch module: alone it opens where it is one nn.LSTM or nn.GRU.

import type { SafetensorsFile } from "../files/safetensors.ts";
import { quoted } from "../base/quoted.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type LoadedModel, rowWithArrays } from "./build_model.ts";
import { type FileSource, refuseWeightsAlone } from "./proposal.ts";
import { modulesIn, strayIn, type TorchModule } from "./pytorch_modules.ts";
import { pytorchProposal } from "./pytorch_proposal.ts";
import {
  gateOrderOf,
  isRecurrentArray,
  layerOf,
  missing,
  moduleName,
  stacksIn,
  type TorchStack,
} from "./pytorch_recurrent.ts";

/** The arrays of a state_dict. */
export type PytorchArrays = SafetensorsFile & {
  /** Whether they come in the order of the state_dict. Default: false, by the alphabet. */
  readonly isOrdered?: boolean;
};

/** Whether arrays have the names that PyTorch's recurrent modules give theirs. */
export function isStateDict(arrays: ReadonlyMap<string, Tensor>): boolean {
  return [...arrays.keys()].some(isRecurrentArray);
}

/**
 * Opens the state_dict of a bare nn.LSTM or nn.GRU: all hidden states, as its own `output`. Of a
 * cell, the last one, as a loop over it ends with.
 *
 * @throws {UnreadableFileError} where it is none, with the call that opens it where one is known.
 */
export function openPytorch(file: PytorchArrays, from: FileSource): LoadedModel {
  const { arrays, metadata } = file;
  const stacks = stacksIn(arrays);
  const modules = modulesIn(arrays);
  const [stack] = stacks;
  if (stack === undefined || stacks.length !== 1 || modules.length > 0 || !isTold(stack)) {
    refuseOthers(file, stacks, modules, from);
  }
  const layers = stack.layers.map((one) => {
    return { layer: layerOf(stack, one, { returnSequences: !stack.isCell }), weights: one.weights };
  });
  return {
    ...rowWithArrays(layers),
    inputShape: [null, stack.layers[0]!.inputSize],
    precision: precisionOf(file),
    provenance: pytorchProvenance(metadata, stacks),
  };
}

/** Whether the arrays of a module tell all that it computes: those of an nn.RNN no activation. */
function isTold({ cell }: TorchStack): boolean {
  return cell.className !== "SimpleRNN";
}

/** What the numbers of a state_dict are kept in. */
export function precisionOf({ arrays }: PytorchArrays): "float32" | "float64" {
  const isDouble = [...arrays.values()].every(({ data }) => data instanceof Float64Array);
  return isDouble ? "float64" : "float32";
}

function refuseOthers(
  file: PytorchArrays,
  stacks: readonly TorchStack[],
  modules: readonly TorchModule[],
  from: FileSource,
): never {
  const stray = strayIn(modules, true);
  const found = stray === undefined ? pytorchProposal(file, stacks, modules) : undefined;
  if (found !== undefined) refuseWeightsAlone(found, from);
  if (stacks.length === 0) missing("weight_ih_l0", file.arrays);
  const state = stray === undefined
    ? `its recurrent modules are ${stacks.slice(0, 8).map(({ prefix }) => quoted(prefix))}`
    : `the array ${quoted(stray)} ${
      formatShape(file.arrays.get(stray)!.shape)
    } is of another layer`;
  const rule = "a state_dict tells no layers, so it must be one nn.LSTM or nn.GRU alone " +
    "(for others give loadModel(source, { layers }), or use model.loadWeights(source))";
  throw new UnreadableFileError(rule, state);
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
