// The state_dict of a PyTorch module: alone it opens where it is one nn.LSTM or nn.GRU.

import { quoted } from "../../base/quoted.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type LoadedModel, rowWithArrays } from "../build_model.ts";
import { type FileSource, refuseWeightsAlone } from "../proposal.ts";
import { pytorchRecurrent } from "./alone.ts";
import { precisionOf, type PytorchArrays, pytorchProvenance } from "./file.ts";
import { modulesIn, strayIn, type TorchModule } from "./modules.ts";
import { pytorchProposal } from "./proposal.ts";
import { isRecurrentArray, layerOf, missing, stacksIn, type TorchStack } from "./recurrent.ts";
import { orAlone } from "../recurrent_part.ts";

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

function refuseOthers(
  file: PytorchArrays,
  stacks: readonly TorchStack[],
  modules: readonly TorchModule[],
  from: FileSource,
): never {
  const stray = strayIn(modules, true);
  const found = stray === undefined ? pytorchProposal(file, stacks, modules) : undefined;
  const alone = () => pytorchRecurrent(file, {});
  if (found?.layers !== undefined) refuseWeightsAlone(found, from);
  if (found !== undefined) orAlone(() => refuseWeightsAlone(found, from), from.name, alone);
  if (stacks.length === 0) missing("weight_ih_l0", file.arrays);
  const state = stray === undefined
    ? `its recurrent modules are ${stacks.slice(0, 8).map(({ prefix }) => quoted(prefix))}`
    : `the array ${quoted(stray)} ${
      formatShape(file.arrays.get(stray)!.shape)
    } is of another layer`;
  const rule = "a state_dict tells no layers, so it must be one nn.LSTM or nn.GRU alone " +
    "(for others give loadModel(source, { layers }), or use model.loadWeights(source))";
  return orAlone(
    () => {
      throw new UnreadableFileError(rule, state);
    },
    from.name,
    alone,
  );
}
