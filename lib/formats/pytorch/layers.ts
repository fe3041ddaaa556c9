// Where layers and PyTorch's modules are otherwise: what is refused, and what is worth knowing.

import { UnreadableFileError } from "../../files/unreadable.ts";
import { type Layer, unwrapped } from "../../layers/layer.ts";
import type { Line } from "../format.ts";
import { TORCH_EPSILON, TORCH_KINDS } from "./modules.ts";

/** Whether it is an LSTM, a GRU or a SimpleRNN, or two of them. */
export function isRecurrent({ cells }: Layer): boolean {
  return cells !== undefined;
}

/** Throws where a layer's equation is none of PyTorch's, or the axes of arrays would be confused. */
export function checkLayers(line: Line): void {
  let turned: string | undefined;
  for (const { name, layer } of line) {
    const inner = unwrapped(layer);
    const { className } = inner;
    const place = { source: `${name} (${className})` };
    const cell = layer.wrapped !== undefined && isRecurrent(layer) ? layer.wrapped : inner;
    if (cell.config.reset_after === false) {
      const rule = "PyTorch's GRU resets after the product with U";
      throw new UnreadableFileError(rule, "resetAfter is false", place);
    }
    const kind = TORCH_KINDS.find((one) => one.className === className);
    if (kind?.isChannelsFirst) turned = name;
    else if (isRecurrent(layer) || kind?.className === "Dense" || className === "Permute") {
      turned = undefined;
    }
    if (turned === undefined || className !== "Flatten" && className !== "Reshape") continue;
    const rule = "behind a convolution PyTorch's numbers lie channels first: " +
      `permute({ dims: [2, 1] }) before a ${className} turns them so`;
    throw new UnreadableFileError(rule, `none stands behind ${turned}`, place);
  }
}

/** What a reader of the provenance should compare with the module's program. */
export function notesOn(line: Line): string[] {
  return line.flatMap(({ name, layer }) => {
    const { epsilon, layer: half } = unwrapped(layer).config;
    const sequences = (half as { config?: { return_sequences?: unknown } } | undefined)?.config
      ?.return_sequences;
    const notes: string[] = [];
    if (typeof epsilon === "number" && epsilon !== TORCH_EPSILON) {
      notes.push(`${name} has epsilon ${epsilon}; PyTorch's own is ${TORCH_EPSILON}.`);
    }
    const own = (layer.wrapped ?? layer).config;
    const functions = [own.activation, own.recurrent_activation];
    const isOther = own.recurrent_activation !== undefined && functions.join() !== "tanh,sigmoid";
    if (isRecurrent(layer) && isOther) {
      notes.push(
        `${name} computes by ${functions.join(" and ")}; PyTorch's own by tanh and sigmoid.`,
      );
    }
    if (isRecurrent(layer) && sequences === false) {
      notes.push(
        `${name} gives the last state of each direction, PyTorch's h_n; its output[:, -1], in ` +
          "which the way back has just begun, is returnSequences and getItem({ index: [-1] }).",
      );
    }
    return notes;
  });
}
