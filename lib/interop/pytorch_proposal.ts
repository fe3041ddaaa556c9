// The layers of a state_dict. In a .safetensors the modules stand by the alphabet: there their widths
// order them.

import { formatShape } from "../tensor/shape.ts";
import {
  chained,
  type Found,
  foundDense,
  foundEmbedding,
  foundLstm,
  type Proposal,
  proposed,
} from "./proposal.ts";
import type { PytorchArrays, TorchLstm } from "./pytorch.ts";

type Module = Found & { readonly prefix: string; readonly shapes: string };

const MAX_MODULES = 8; // 8! orders at most are tried
const RANKS = ["an Embedding", "an LSTM", "a Dense"];

/** The first array that is of no nn.Linear and no nn.Embedding, by the others' names. */
export function strayArray(
  { arrays }: PytorchArrays,
  others: readonly string[],
): string | undefined {
  const matrices = new Set(matricesOf(arrays, others));
  return others.find((key) => !matrices.has(key.replace(/\.(weight|bias)$/, "")));
}

/**
 * What the arrays are; undefined where they are of many modules, or of no nn.LSTM.
 *
 * @param stacks the nn.LSTMs among them
 * @param others the names of the other arrays, none of them stray
 */
export function pytorchProposal(
  { arrays, isOrdered = false }: PytorchArrays,
  stacks: readonly TorchLstm[],
  others: readonly string[],
): Proposal | undefined {
  const inputs = stacks.map(({ layers }) => layers[0]!.inputSize);
  const all = [
    ...stacks.map(recurrent),
    ...matricesOf(arrays, others).map((prefix) => matrix(prefix, arrays, inputs)),
  ];
  if (stacks.length === 0 || all.length > MAX_MODULES) return undefined;
  const places = [...arrays.keys()];
  const placeOf = ({ prefix }: Module) => {
    return places.findIndex((key) => prefix === "" || key.startsWith(`${prefix}.`));
  };
  const rankOf = ({ words }: Module) => RANKS.findIndex((rank) => words.startsWith(rank));
  const sorted = all.toSorted((a, b) =>
    isOrdered
      ? placeOf(a) - placeOf(b)
      : rankOf(a) - rankOf(b) || a.prefix.localeCompare(b.prefix, "en", { numeric: true })
  );
  const [row, another] = [...chained(sorted).take(2)];
  const needsName = ({ prefix, shapes }: Module) =>
    !isOrdered && all.some((other) => other.prefix !== prefix && other.shapes === shapes);
  const { words, layers } = proposed(row ?? sorted, (one) => {
    const module = all.find((other) => other === one);
    return module !== undefined && needsName(module) ? module.prefix : undefined;
  });
  if (row === undefined) return { words: `${words}, which do not fit in a row` };
  const isTold = isOrdered || another === undefined;
  return { words: isTold ? words : `${words}, in an order that the file does not tell`, layers };
}

function matricesOf(arrays: PytorchArrays["arrays"], others: readonly string[]): string[] {
  return others.filter((key) => key.endsWith(".weight") && arrays.get(key)!.shape.length === 2)
    .map((key) => key.slice(0, -".weight".length));
}

function recurrent({ prefix, layers }: TorchLstm): Module {
  const { inputSize, useBias, isBidirectional } = layers[0]!;
  const units = layers.map(({ units }) => units);
  const shapes = layers.flatMap(({ weights }) => weights.map(({ tensor }) => tensor.shape));
  return {
    ...foundLstm(prefix === "" ? "*" : `${prefix}.*`, {
      ...{ inputSize, units, useBias, isBidirectional },
    }),
    prefix,
    shapes: shapes.map(formatShape).join(";"),
  };
}

/** An nn.Linear, or an nn.Embedding, which has no bias, and as many columns as an LSTM has inputs. */
function matrix(
  prefix: string,
  arrays: PytorchArrays["arrays"],
  inputs: readonly number[],
): Module {
  const useBias = arrays.has(`${prefix}.bias`);
  const { shape } = arrays.get(`${prefix}.weight`)!;
  const isWords = !useBias &&
    (/emb|word|token|vocab/i.test(prefix) || inputs.includes(shape[1]!));
  const found = isWords
    ? foundEmbedding(`${prefix}.*`, shape)
    : foundDense(`${prefix}.*`, shape.toReversed(), useBias);
  return { ...found, prefix, shapes: `${useBias} ${formatShape(shape)}` };
}
