// The layers of a state_dict. In a .safetensors the modules stand by the alphabet: there numbers in
// their names order them, or their widths.

import { formatShape } from "../../tensor/shape.ts";
import { numbered } from "../numbered.ts";
import { chained, type Found, foundRecurrent, type Proposal, proposed } from "../proposal.ts";
import type { PytorchArrays } from "./file.ts";
import { TORCH_KINDS, type TorchModule } from "./modules.ts";
import type { TorchStack } from "./recurrent.ts";

type Module = Found & { readonly prefix: string; readonly shapes: string };

const MAX_MODULES = 40;
const RANKS = ["an Embedding", "a Conv1D", "an LSTM", "a GRU", "a SimpleRNN", "a Dense"];
const RNN_NOTE = "tanh or relu, which the file does not tell";

/**
 * What the arrays are; undefined where they are of very many modules, or of one that is not proposed.
 *
 * @param stacks the recurrent modules among them
 * @param modules the others, each of a kind that is known
 */
export function pytorchProposal(
  file: PytorchArrays,
  stacks: readonly TorchStack[],
  modules: readonly TorchModule[],
): Proposal | undefined {
  const inputs = stacks.map(({ layers }) => layers[0]!.inputSize);
  const readings = modules.map((one) => around(one, inputs));
  const own = stacks.map((stack) => recurrent(stack, modules.length === 0));
  const first = [...own, ...readings.flatMap(([one]) => one ?? [])];
  const count = stacks.length + modules.length;
  if (first.length < count || count === 0 || count > MAX_MODULES) return undefined;
  const others = readings.flatMap(([one, other]) => {
    return other === undefined ? [] : [first.map((found) => found === one ? other : found)];
  });
  const all = [first, ...others].find((found) => rowOf(found, file).row !== undefined) ?? first;
  const { row, sorted, isTold } = rowOf(all, file);
  const needsName = ({ prefix, shapes }: Module) =>
    !file.isOrdered && all.some((other) => other.prefix !== prefix && other.shapes === shapes);
  const { words, layers } = proposed(row ?? sorted, (one) => {
    const module = all.find((other) => other === one);
    return module !== undefined && needsName(module) ? module.prefix : undefined;
  });
  if (row === undefined) return { words: `${words}, which do not fit in a row` };
  return { words: isTold ? words : `${words}, in an order that the file does not tell`, layers };
}

/** The modules in a row, each taking what the one before gives: in the file's order, if it is one. */
function rowOf(all: readonly Module[], { arrays, isOrdered = false }: PytorchArrays) {
  const places = [...arrays.keys()];
  const placeOf = ({ prefix }: Module) => {
    return places.findIndex((key) => prefix === "" || key.startsWith(`${prefix}.`));
  };
  const rankOf = ({ words }: Module) => RANKS.findIndex((rank) => words.startsWith(rank));
  const byNumber = isOrdered ? undefined : numbered(all, ({ prefix }) => prefix);
  const sorted = byNumber ??
    all.toSorted((a, b) =>
      isOrdered
        ? placeOf(a) - placeOf(b)
        : rankOf(a) - rankOf(b) || a.prefix.localeCompare(b.prefix, "en", { numeric: true })
    );
  const [row, another] = [...chained(sorted).take(2)];
  const isInOrder = (isOrdered || byNumber !== undefined) &&
    row?.every((one, k) => one === sorted[k]) === true;
  return { row, sorted, isTold: isInOrder || another === undefined };
}

/** @param isAlone whether nothing stands beside it: then its own output is a sequence */
function recurrent({ prefix, cell, isCell, layers }: TorchStack, isAlone: boolean): Module {
  const { inputSize, useBias, isBidirectional } = layers[0]!;
  const units = layers.map(({ units }) => units);
  const shapes = layers.flatMap(({ weights }) => weights.map(({ tensor }) => tensor.shape));
  const found = foundRecurrent(prefix === "" ? "*" : `${prefix}.*`, {
    kind: cell.className as "LSTM",
    note: cell.className === "SimpleRNN"
      ? RNN_NOTE
      : isCell
      ? `nn.${cell.module}Cell, one step of it`
      : undefined,
    ...{ inputSize, units, useBias, isBidirectional },
  });
  const own = { prefix, shapes: shapes.map(formatShape).join(";") };
  return isAlone && !isCell ? { ...found, ...own, takesSequences: true } : { ...found, ...own };
}

/**
 * What a module may be, the likelier first: an nn.Embedding has no bias, and as many columns as a
 * recurrent module has inputs.
 */
function around(module: TorchModule, inputs: readonly number[]): Module[] {
  const { prefix, arrays } = module;
  const kinds = TORCH_KINDS.filter(({ take }) => take(module) !== undefined);
  const isTable = kinds.some(({ className }) => className === "Embedding") &&
    (/emb|word|token|vocab/i.test(prefix) || inputs.includes(arrays.get("weight")!.shape[1]!));
  const shapes = [...arrays].map(([name, { shape }]) => `${name} ${formatShape(shape)}`).join();
  const inOrder = isTable ? kinds.toReversed() : kinds;
  return inOrder.flatMap(({ found }) => {
    const one = found?.(prefix === "" ? "*" : `${prefix}.*`, module);
    return one === undefined ? [] : [{ ...one, prefix, shapes }];
  });
}
