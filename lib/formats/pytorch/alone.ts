// The recurrent modules of a state_dict alone: what PyTorch's own compute is known, but for an
// nn.RNN's tanh or relu.

import type { Converted } from "../conversion.ts";
import { precisionOf, type PytorchArrays, pytorchProvenance } from "./file.ts";
import { layerOf, moduleName, stacksIn, type TorchStack } from "./recurrent.ts";
import { inputOfCell, inputOfModule } from "../python_lines.ts";
import type { RecurrentPart, RecurrentParts, UntoldActivations } from "../recurrent_part.ts";

/** Each layer of each nn.LSTM, nn.GRU and nn.RNN, and each cell. */
export function pytorchRecurrent(
  file: PytorchArrays,
  { activation }: UntoldActivations,
): RecurrentParts {
  const unread: string[] = [];
  const stacks = stacksIn(file.arrays, unread);
  return {
    parts: stacks.flatMap((stack) => partsOf(stack, activation)),
    unread,
    precision: precisionOf(file),
    provenance: pytorchProvenance(file.metadata, stacks),
  };
}

function partsOf(
  stack: TorchStack,
  activation: UntoldActivations["activation"],
): RecurrentPart[] {
  const { prefix, cell, isCell, layers } = stack;
  const isTold = cell.letters !== undefined;
  const names = layers.map((_, k) => {
    if (layers.length === 1) return prefix || cell.module.toLowerCase();
    return prefix === "" ? `l${k}` : `${prefix}_l${k}`;
  });
  return layers.map((one, k) => ({
    name: names[k]!,
    layer: layerOf(stack, one, {
      returnSequences: !isCell,
      ...(!isTold && activation !== undefined && { activation }),
    }),
    weights: one.weights as readonly Converted[],
    inputShape: [null, one.inputSize],
    input: k > 0
      ? `what ${names[k - 1]} gives (a model of its own here)`
      : isCell
      ? inputOfCell(prefix)
      : inputOfModule(prefix),
    notes: [
      "It begins with zeros, whatever forward() hands to it.",
      ...(isTold || activation !== undefined ? [] : [
        `Whether an ${
          moduleName(stack)
        } computes by tanh or relu does not stand in the file: it is ` +
        "tanh, PyTorch's own.",
      ]),
    ],
  }));
}
