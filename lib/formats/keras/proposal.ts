// The layers of Keras's weights alone: by the groups of a .weights.h5, or by the shapes of
// np.savez(file, *model.get_weights()) in their order.

import type { Tensor } from "../../tensor/tensor.ts";
import {
  chained,
  type Found,
  foundConvolution,
  foundDense,
  foundEmbedding,
  foundNormalization,
  foundRecurrent,
  type Proposal,
  proposed,
} from "../proposal.ts";

type Shape = readonly number[];

const MAX_LAYERS = 40;
const MAX_ARRAYS = 40;

/** Where a class keeps its arrays in its group, and what is made of them. */
const CLASSES: Readonly<Record<string, (label: string, group: Group) => Found | undefined>> = {
  embedding: (label, group) => group("vars").length === 1 ? embeddingOf(label, group) : undefined,
  conv1d: (label, group) => convolutionOf(label, group("vars")),
  lstm: (label, group) => recurrentOf(label, group("cell/vars")),
  gru: (label, group) => recurrentOf(label, group("cell/vars")),
  simple_rnn: (label, group) => recurrentOf(label, group("cell/vars")),
  bidirectional(label, group) {
    return recurrentOf(label, group("forward_layer/cell/vars"), group("backward_layer/cell/vars"));
  },
  batch_normalization: (label, group) => normalizationOf(label, group("vars")),
  layer_normalization: (label, group) => normalizationOf(label, group("vars")),
  dense: (label, group) => denseOf(label, group("vars")),
  time_distributed: (label, group) => {
    const found = denseOf(label, group("layer/vars"));
    return found === undefined ? undefined : {
      ...found,
      takesSequences: true,
      calls: (isLast) => found.calls(isLast).map((call) => `timeDistributed(${call})`),
    };
  },
};

/** The shapes of a group's arrays, in order. */
type Group = (place: string) => Shape[];

/** By the groups: `layers/lstm_1/cell/vars/0`. Undefined where one is of another class. */
export function kerasProposal(arrays: ReadonlyMap<string, Tensor>): Proposal | undefined {
  const names = new Set(
    [...arrays.keys()].flatMap((path) => /^layers\/([^/]+)\//.exec(path)?.[1] ?? []),
  );
  const classes = Object.keys(CLASSES);
  const parts = [...names].map((name) => {
    const [, className, number = "0"] = /^(.*?)(?:_(\d+))?$/.exec(name)!;
    return {
      name,
      className: className!,
      rank: classes.indexOf(className!),
      number: Number(number),
    };
  }).sort((a, b) => a.rank - b.rank || a.number - b.number);
  const layers = parts.map(({ name, className, rank }) => {
    const group: Group = (place) => {
      const at = (k: number) => arrays.get(`layers/${name}/${place}/${k}`)?.shape;
      return [at(0), at(1), at(2), at(3), at(4)].filter((shape) => shape !== undefined);
    };
    return rank === -1 ? undefined : CLASSES[className]!(name, group);
  }).filter((found) => found !== undefined);
  const isWhole = layers.length === names.size && layers.length > 0 && layers.length <= MAX_LAYERS;
  const [row, another] = isWhole ? [...chained(layers).take(2)] : [];
  if (row === undefined) return undefined;
  const { words, ...calls } = proposed(row);
  const isTold = another === undefined;
  return { words: isTold ? words : `${words}, in an order that the file does not tell`, ...calls };
}

/**
 * By the shapes of arr_0, arr_1, …: the first reading in which each layer takes what the last gives,
 * and in words the second, if there is one.
 */
export function givenOrderProposal(arrays: ReadonlyMap<string, Tensor>): Proposal | undefined {
  const shapes = Array.from({ length: arrays.size }, (_, k) => arrays.get(`arr_${k}`)?.shape);
  if (shapes.length > MAX_ARRAYS || !shapes.every((shape) => shape !== undefined)) return undefined;
  const [row = [], another] = [...readings(shapes, 0, undefined, new Set()).take(2)];
  if (row.length === 0) return undefined;
  const { words, ...calls } = proposed(row);
  return {
    words: another === undefined ? words : `${words}; or ${proposed(another).words}`,
    ...calls,
  };
}

/** @param dead from where, after which width, there is no reading */
function* readings(
  shapes: readonly Shape[],
  at: number,
  width: number | undefined,
  dead: Set<string>,
): Generator<Found[]> {
  if (at === shapes.length) yield [];
  const key = `${at} ${width}`;
  if (dead.has(key)) return;
  const next = (count: number) => shapes.slice(at, at + count);
  const label = (count: number) => count === 1 ? `arr_${at}` : `arr_${at} to arr_${at + count - 1}`;
  const choices: [count: number, found: Found | undefined][] = [
    [3, recurrentOf(label(3), next(3))],
    [2, recurrentOf(label(2), next(2))],
    [6, recurrentOf(label(6), next(3), next(6).slice(3))],
    [4, recurrentOf(label(4), next(2), next(4).slice(2))],
    [2, denseOf(label(2), next(2))],
    [2, convolutionOf(label(2), next(2))],
    [4, normalizationOf(label(4), next(4))],
    [2, normalizationOf(label(2), next(2))],
    [1, at === 0 ? embeddingOf(label(1), () => next(1)) : undefined],
    [1, denseOf(label(1), next(1))],
    [1, convolutionOf(label(1), next(1))],
  ];
  let any = false;
  for (const [count, found] of choices) {
    if (found === undefined || at + count > shapes.length) continue;
    const [takes, gives] = found.width;
    if (width !== undefined && takes !== width) continue;
    for (const rest of readings(shapes, at + count, gives, dead)) {
      any = true;
      yield [found, ...rest];
    }
  }
  if (!any) dead.add(key);
}

function embeddingOf(label: string, group: Group): Found | undefined {
  const [table] = group("vars");
  return table?.length === 2 ? foundEmbedding(label, table) : undefined;
}

function denseOf(label: string, [kernel, bias, ...others]: readonly Shape[]): Found | undefined {
  const fits = kernel?.length === 2 && others.length === 0 &&
    (bias === undefined || bias.length === 1 && bias[0] === kernel[1]);
  return fits ? foundDense(label, kernel, bias !== undefined) : undefined;
}

/** Keras's `[steps, channels, filters]`, and `[filters]` perhaps. */
function convolutionOf(
  label: string,
  [kernel, bias, ...others]: readonly Shape[],
): Found | undefined {
  const fits = kernel?.length === 3 && others.length === 0 &&
    (bias === undefined || bias.length === 1 && bias[0] === kernel[2]);
  return fits ? foundConvolution(label, kernel.toReversed(), bias !== undefined) : undefined;
}

/** γ, β, and of a BatchNormalization mean and variance: `[size]` each. */
function normalizationOf(label: string, shapes: readonly Shape[]): Found | undefined {
  const [[size] = []] = shapes;
  const areAlike = shapes.every((shape) => shape.length === 1 && shape[0] === size);
  if (size === undefined || !areAlike || shapes.length !== 4 && shapes.length !== 2) {
    return undefined;
  }
  const kind = shapes.length === 4 ? "BatchNormalization" : "LayerNormalization";
  return foundNormalization(label, { kind, size });
}

/** How many blocks of units stand beside each other. */
const BLOCKS = { 4: "LSTM", 3: "GRU", 1: "SimpleRNN" } as const;

/** `[inputSize, blocks·units]`, `[units, blocks·units]`, and a bias perhaps; the same for the way back. */
function recurrentOf(
  label: string,
  shapes: readonly Shape[],
  back?: readonly Shape[],
): Found | undefined {
  const [kernel, recurrent, bias] = shapes;
  if (kernel?.length !== 2 || recurrent?.length !== 2 || shapes.length > 3) return undefined;
  const [units, columns] = recurrent as [number, number];
  const kind = BLOCKS[columns / units as keyof typeof BLOCKS];
  const isAfter = kind === "GRU" && bias?.length === 2 && bias[0] === 2; // it has two biases
  const fits = kind !== undefined && kernel[1] === columns &&
    (bias === undefined || bias.at(-1) === columns && (isAfter || bias.length === 1)) &&
    (back === undefined || back.map(String).join(";") === shapes.map(String).join(";"));
  if (!fits) return undefined;
  return foundRecurrent(label, {
    kind,
    inputSize: kernel[0]!,
    units: [units],
    useBias: bias !== undefined,
    isBidirectional: back !== undefined,
    ...(kind === "GRU" && bias !== undefined && !isAfter && { options: { resetAfter: false } }),
    ...(kind === "GRU" && bias === undefined && { note: "resetAfter is not told" }),
  });
}
