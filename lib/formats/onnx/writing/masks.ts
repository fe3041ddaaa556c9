// Which steps count, computed by the graph as Keras does: a mask is truth values [batch, timesteps].

import { DATA_TYPES, type OnnxGraphWriter } from "./graph_writer.ts";
import type { MaskWay } from "../../../layers/merges.ts";
import type { GraphValue, OnnxKinds } from "./layer_use.ts";

/** The kinds that tell which steps count. */
export const MASK_LAYERS: OnnxKinds = {
  Masking: {
    write: (graph, { inputs: [x], layer: { config } }) => {
      const same = graph.add("Equal", [x!.name, graph.number(config.mask_value as number)]);
      const each = graph.add("Cast", [same], { to: DATA_TYPES.float });
      const all = graph.add("ReduceMin", [each], { axes: [-1], keepdims: 0 });
      const mask = graph.add("Not", [graph.add("Cast", [all], { to: DATA_TYPES.bool })]);
      return { outputs: [chosen(graph, mask, x!.name)], mask };
    },
  },
  Embedding: {
    write: (graph, { inputs: [x], layer: { config }, weights }) => {
      const table = graph.constant("embeddings", weights[0]!);
      const words = x!.isWords === true
        ? x!.name
        : graph.add("Cast", [x!.name], { to: DATA_TYPES.int64 });
      const outputs = [graph.add("Gather", [table, words])];
      if (config.mask_zero !== true) return { outputs };
      const isNone = graph.add("Equal", [words, graph.integers("none", 0)]);
      return { outputs, mask: graph.add("Not", [isNone]) };
    },
  },
};

/** Rows of the steps that count, of another value elsewhere; of zeros where there is none. */
export function chosen(graph: OnnxGraphWriter, mask: string, x: string, other?: string): string {
  return graph.add("Where", [column(graph, mask), x, other ?? graph.number(0)]);
}

/** The steps that count where several values become one: see the option `masks` of the merges. */
export function mergedMask(
  graph: OnnxGraphWriter,
  masks: readonly (string | undefined)[],
  way: MaskWay,
): string | undefined {
  const present = masks.filter((mask) => mask !== undefined);
  const none = way === "any" ? present.length < masks.length : present.length === 0;
  if (way === "none" || none) return undefined;
  return present.reduce((a, b) => graph.add(way === "any" ? "Or" : "And", [a, b]));
}

/** All steps of `[batch, timesteps, …]`. */
export function wholeMask(graph: OnnxGraphWriter, x: string): string {
  const shape = graph.add("Shape", [x], { start: 0, end: 2 });
  const zeros = graph.add("ConstantOfShape", [shape]);
  return graph.add("Not", [graph.add("Cast", [zeros], { to: DATA_TYPES.bool })]);
}

/** The mean over the steps that count. */
export function meanOfSteps(
  graph: OnnxGraphWriter,
  x: string,
  mask: string,
  keepdims: boolean,
): string {
  const axes = graph.integers("steps", [1]);
  const sums = graph.add("ReduceSum", [chosen(graph, mask, x), axes], {
    keepdims: Number(keepdims),
  });
  const each = graph.add("Cast", [keepdims ? column(graph, mask) : mask], { to: DATA_TYPES.float });
  const counts = graph.add("ReduceSum", [each, axes]);
  return graph.add("Div", [sums, counts]);
}

/** How many steps `[batch, timesteps, …]` has: as a list of one, and as the number. */
export function lengthOf(graph: OnnxGraphWriter, x: string): readonly [string, string] {
  const timesteps = graph.add("Shape", [x], { start: 1, end: 2 });
  return [timesteps, graph.add("Squeeze", [timesteps])];
}

/** 0, 1, … up to that number of steps. */
export function stepsUpTo(graph: OnnxGraphWriter, length: string): string {
  return graph.add("Range", [graph.integers("0", 0), length, graph.integers("1", 1)]);
}

/** The steps that count, moved to the front of each sample: what a recurrent operator can take. */
export interface Packed {
  readonly x: string;
  /** How many count in each sample, int32. */
  readonly counts: string;
  /** Results of the packed steps at the places of all: see `unpacked`. */
  readonly mask: string;
  readonly counted: string;
  readonly before: string;
}

/** Steps that count first, in their order. */
export function packed(graph: OnnxGraphWriter, { name }: GraphValue, mask: string): Packed {
  const each = graph.add("Cast", [mask], { to: DATA_TYPES.int64 });
  const axes = graph.integers("steps", [1]);
  const [timesteps, length] = lengthOf(graph, name);
  const places = stepsUpTo(graph, length);
  const late = graph.add("Sub", [length, graph.add("Mul", [each, length])]); // those that do not count
  const keys = graph.add("Add", [places, late]);
  const [, order] = graph.addAll("TopK", [keys, timesteps], 2, { axis: 1, largest: 0 });
  const counted = graph.add("CumSum", [each, graph.integers("1", 1)]);
  return {
    x: picked(graph, name, order!),
    counts: graph.add("Cast", [graph.add("ReduceSum", [each, axes], { keepdims: 0 })], {
      to: DATA_TYPES.int32,
    }),
    mask,
    counted,
    before: graph.add("Sub", [counted, each]),
  };
}

/**
 * Results of the packed steps `[batch, timesteps, units]` in the order of time: a step that does not
 * count repeats the result that was computed before it, or gives zeros.
 */
export function unpacked(
  graph: OnnxGraphWriter,
  results: string,
  { mask, counts, counted, before }: Packed,
  { backwards, zeros }: { readonly backwards: boolean; readonly zeros: boolean },
): string {
  const [none, one] = [graph.integers("0", 0), graph.integers("1", 1)];
  // against time, the one computed before is that of the next step that counts
  const place = backwards ? before : graph.add("Sub", [counted, one]);
  const all = graph.add("Unsqueeze", [
    graph.add("Cast", [counts], { to: DATA_TYPES.int64 }),
    graph.integers("steps", [1]),
  ]);
  const isThere = backwards
    ? graph.add("Less", [place, all])
    : graph.add("Greater", [counted, none]);
  const last = graph.add("Sub", [graph.add("Shape", [results], { start: 1, end: 2 }), one]);
  const within = graph.add("Max", [graph.add("Min", [place, last]), none]);
  return chosen(graph, zeros ? mask : isThere, picked(graph, results, within));
}

/** The state after the last step; that before the first one of samples without a step that counts. */
export function whereAnyCounts(
  graph: OnnxGraphWriter,
  { counts }: Packed,
  end: string,
  start: string,
): string {
  const any = graph.add("Cast", [counts], { to: DATA_TYPES.bool });
  return chosen(graph, any, end, start);
}

/** Steps of each sample by their places, `[batch, timesteps]`. */
function picked(graph: OnnxGraphWriter, x: string, places: string): string {
  return graph.add("GatherND", [x, column(graph, places)], { batch_dims: 1 });
}

function column(graph: OnnxGraphWriter, x: string): string {
  return graph.add("Unsqueeze", [x, graph.integers("last", [-1])]);
}
