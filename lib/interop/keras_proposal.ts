// The layers of Keras's weights alone: by the groups of a .weights.h5, or by the shapes of
// np.savez(file, *model.get_weights()) in their order.

import type { Tensor } from "../tensor/tensor.ts";
import {
  chained,
  type Found,
  foundDense,
  foundEmbedding,
  foundLstm,
  type Proposal,
  proposed,
} from "./proposal.ts";

type Shape = readonly number[];

const MAX_LAYERS = 8; // 8! orders at most are tried
const MAX_ARRAYS = 40;

/** Where a class keeps its arrays in its group, and what is made of them. */
const CLASSES: Readonly<Record<string, (label: string, group: Group) => Found | undefined>> = {
  embedding: (label, group) => group("vars").length === 1 ? embeddingOf(label, group) : undefined,
  lstm: (label, group) => lstmOf(label, group("cell/vars")),
  bidirectional(label, group) {
    return lstmOf(label, group("forward_layer/cell/vars"), group("backward_layer/cell/vars"));
  },
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
      return [at(0), at(1), at(2)].filter((shape) => shape !== undefined);
    };
    return rank === -1 ? undefined : CLASSES[className]!(name, group);
  }).filter((found) => found !== undefined);
  const isWhole = layers.length === names.size && layers.length > 0 && layers.length <= MAX_LAYERS;
  const [row] = isWhole ? [...chained(layers).take(1)] : [];
  return row === undefined ? undefined : proposed(row);
}

/** By the shapes of arr_0, arr_1, …: the first reading in which each layer takes what the last gives. */
export function givenOrderProposal(arrays: ReadonlyMap<string, Tensor>): Proposal | undefined {
  const shapes = Array.from({ length: arrays.size }, (_, k) => arrays.get(`arr_${k}`)?.shape);
  if (shapes.length > MAX_ARRAYS || !shapes.every((shape) => shape !== undefined)) return undefined;
  const [row = []] = [...readings(shapes, 0, undefined).take(1)];
  return row.length === 0 ? undefined : proposed(row);
}

function* readings(
  shapes: readonly Shape[],
  at: number,
  width: number | undefined,
): Generator<Found[]> {
  if (at === shapes.length) yield [];
  const next = (count: number) => shapes.slice(at, at + count);
  const label = (count: number) => count === 1 ? `arr_${at}` : `arr_${at} to arr_${at + count - 1}`;
  const choices: [count: number, found: Found | undefined][] = [
    [3, lstmOf(label(3), next(3))],
    [2, lstmOf(label(2), next(2))],
    [6, lstmOf(label(6), next(3), next(6).slice(3))],
    [4, lstmOf(label(4), next(2), next(4).slice(2))],
    [2, denseOf(label(2), next(2))],
    [1, at === 0 ? embeddingOf(label(1), () => next(1)) : undefined],
    [1, denseOf(label(1), next(1))],
  ];
  for (const [count, found] of choices) {
    if (found === undefined || at + count > shapes.length) continue;
    const [takes, gives] = found.width;
    if (width !== undefined && takes !== width) continue;
    for (const rest of readings(shapes, at + count, gives)) yield [found, ...rest];
  }
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

/** `[inputSize, 4·units]`, `[units, 4·units]`, and `[4·units]` perhaps; the same for the way back. */
function lstmOf(
  label: string,
  shapes: readonly Shape[],
  back?: readonly Shape[],
): Found | undefined {
  const [kernel, recurrent, bias] = shapes;
  if (kernel?.length !== 2 || recurrent?.length !== 2) return undefined;
  const [units, four] = recurrent as [number, number];
  const fits = four === 4 * units && kernel[1] === four &&
    (bias === undefined || bias.length === 1 && bias[0] === four) &&
    (back === undefined || back.map(String).join(";") === shapes.map(String).join(";"));
  if (!fits) return undefined;
  return foundLstm(label, {
    inputSize: kernel[0]!,
    units: [units],
    useBias: bias !== undefined,
    isBidirectional: back !== undefined,
  });
}
