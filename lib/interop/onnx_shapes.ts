// Operators that compute nothing: they turn, drop and join axes, pick steps and states, and work out
// lengths.

import type { Layer } from "../layers/layer.ts";
import { lstm, type LstmLayer } from "../layers/lstm.ts";
import type { MergeMode } from "../layers/merge_modes.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LoadedLayer } from "./build_model.ts";
import { lastTimestep, remerged } from "./onnx_layers.ts";
import { intOf, intsOf, tensorOf } from "./onnx_attributes.ts";
import {
  type AxisName,
  axisOf,
  constantOf,
  type Flow,
  type GraphNode,
  type Sizes,
  type States,
  UnreadNode,
  type Value,
} from "./onnx_values.ts";

const MAX_SIZES = 16; // lengths in a list: a shape's; a graph can double a list with each node
const MAX_STATES = 1_000;
const FAR_END = 2 ** 31 - 1; // where exporters end a slice that goes to the end

/** `Transpose`. */
export function transposeFlow(flow: Flow, node: GraphNode): Flow {
  const rank = flow.axes.length;
  const order = intsOf(node, "perm", NaN) ?? flow.axes.map((_, k) => rank - 1 - k);
  if (order.length !== rank || new Set(order).size !== rank) {
    throw new UnreadNode(`its perm is [${order}] for ${rank} axes`);
  }
  return { ...flow, axes: order.map((axis) => flow.axes[axisOf(axis, rank)]!) };
}

/** `Squeeze`: only axes of length 1 are known to be. */
export function squeezeFlow(flow: Flow, node: GraphNode): Flow {
  const isOne = (axis: AxisName) => axis === "one" || axis === "direction" && flow.directions === 1;
  const given = intsOf(node, "axes", 1)?.map((axis) => axisOf(axis, flow.axes.length));
  if (given?.length === 0) throw new UnreadNode("its axes are none");
  const dropped = given ?? flow.axes.flatMap((axis, k) => isOne(axis) ? [k] : []);
  const wrong = dropped.find((k) => !isOne(flow.axes[k]!));
  if (wrong !== undefined) throw new UnreadNode(`it drops the axis ${flow.axes[wrong]}`);
  return { ...flow, axes: flow.axes.filter((_, k) => !dropped.includes(k)) };
}

/** `Unsqueeze`. */
export function unsqueezeFlow(flow: Flow, node: GraphNode): Flow {
  const added = intsOf(node, "axes", 1) ?? [];
  const rank = flow.axes.length + added.length;
  const at = new Set(added.map((axis) => axisOf(axis, rank)));
  const rest = [...flow.axes];
  const axes = Array.from({ length: rank }, (_, k) => at.has(k) ? "one" as const : rest.shift()!);
  return { ...flow, axes };
}

/** `Reshape` and `Flatten`, where they join directions with features or drop axes of length 1. */
export function reshapeFlow(
  flow: Flow,
  target: readonly (number | AxisName)[],
  width: number,
): Flow {
  const joined = flow.axes.flatMap((axis, k): AxisName[] => {
    if (axis === "one" || axis === "direction" && flow.directions === 1) return [];
    if (axis === "direction" && flow.axes[k + 1] === "feature") return [];
    return [axis];
  });
  const fits = joined.length === target.length && joined.every((axis, k) => {
    const wanted = target[k]!;
    if (wanted === 0) return flow.axes[k] === axis; // copied from the same place
    return wanted === -1 || wanted === axis || axis === "feature" && wanted === width;
  });
  const isOpen = target.filter((length) => length === -1).length <= 1;
  if (fits && isOpen && !joined.includes("direction")) return { ...flow, axes: joined };
  throw new UnreadNode(`it turns [${flow.axes}] into [${target}]`);
}

/** `Gather` with one index: a direction, or the last step of a sequence. */
export function pickFrom(flow: Flow, node: GraphNode): Flow {
  const { tensor } = constantOf(node, 1, "its index");
  const at = axisOf(intOf(node, "axis", 0), flow.axes.length);
  const axis = flow.axes[at]!;
  if (tensor.data.length !== 1) throw new UnreadNode("it picks several");
  const index = tensor.data[0]!;
  const rest: AxisName[] = tensor.shape.length === 0 ? [] : ["one"];
  const axes = flow.axes.toSpliced(at, 1, ...rest);
  if (axis === "time" && index === -1) return { ...flow, axes, layers: lastOf(flow) };
  const isOne = axis === "one" || axis === "direction" && flow.directions === 1;
  if (isOne && (index === 0 || index === -1)) return { ...flow, axes };
  throw new UnreadNode(`it picks ${index} of the axis ${axis}`);
}

/** `Slice` of the last step, which keeps its axis, or of all steps from the last to the first. */
export function sliceFlow(flow: Flow, node: GraphNode): Flow {
  const [starts, ends] = [intsOf(node, "starts", 1), intsOf(node, "ends", 2)];
  const axes = intsOf(node, "axes", 3) ?? [0];
  const steps = intsOf(node, "steps", 4) ?? [1];
  const at = axisOf(axes[0] ?? NaN, flow.axes.length);
  const isReversal = axes.length === 1 && steps[0] === -1 && starts?.[0] === -1 &&
    (ends?.[0] ?? 0) <= -FAR_END && flow.axes[at] === "time";
  const last = flow.layers.at(-1);
  if (isReversal && last?.layer.className === "ReverseLSTM") { // which is what Keras's does
    const layer = last.layer.wrapped!;
    return { ...flow, layers: [...flow.layers.slice(0, -1), { ...last, layer }] };
  }
  const isLast = axes.length === 1 && starts?.[0] === -1 && (ends?.[0] ?? 0) >= FAR_END &&
    steps[0] === 1;
  if (!isLast || flow.axes[at] !== "time") {
    throw new UnreadNode(`it cuts the axis ${flow.axes[at]}`);
  }
  return { ...flow, axes: flow.axes.with(at, "one"), layers: lastOf(flow) };
}

const MERGES: Readonly<Record<string, MergeMode>> = {
  ReduceSum: "sum",
  ReduceProd: "mul",
  ReduceMean: "ave",
};

/** The operators that merge the directions of a Bidirectional. */
export const MERGE_OPERATORS: readonly string[] = Object.keys(MERGES);

/** `ReduceSum`, `ReduceProd` and `ReduceMean` over the directions. */
export function mergeDirections(flow: Flow, node: GraphNode): Flow {
  const axes = intsOf(node, "axes", 1) ?? [];
  const at = axisOf(axes[0] ?? NaN, flow.axes.length);
  const last = flow.layers.at(-1);
  const { layer, backward_layer: back } = (last?.layer.config ?? {}) as Record<string, Layer>;
  const isMerge = axes.length === 1 && flow.axes[at] === "direction" && flow.directions === 2 &&
    last?.layer.className === "Bidirectional" && layer?.config.units === back?.config.units;
  if (!isMerge) throw new UnreadNode(`it merges the axis ${flow.axes[at]}`);
  const merged = remerged(last.layer, MERGES[node.operator]!);
  const kept: AxisName[] = intOf(node, "keepdims", 1) === 1 ? ["one"] : [];
  const layers = [...flow.layers.slice(0, -1), { ...last, layer: merged }];
  return { ...flow, axes: flow.axes.toSpliced(at, 1, ...kept), directions: 1, layers };
}

/** The layers that give the last step: an LSTM that goes forward can do so by itself. */
function lastOf({ layers, directions }: Flow): LoadedLayer[] {
  const last = layers.at(-1);
  if (last?.layer.className === "LSTM" && directions === 1) {
    const { options } = last.layer as LstmLayer;
    if (options.returnSequences && !options.goBackwards) {
      const layer = lstm({ ...options, returnSequences: false });
      return [...layers.slice(0, -1), { ...last, layer }];
    }
  }
  return [...layers, { layer: lastTimestep(), weights: [] }];
}

/** `Concat` of last states, as PyTorch's h_n has them. */
export function joinStates(node: GraphNode): Value {
  const flows = node.inputs.flatMap((value): Flow[] =>
    value?.kind === "flow" ? [value] : value?.kind === "states" ? [...value.flows] : []
  );
  const at = intOf(node, "axis", NaN);
  if (flows.length > MAX_STATES) throw new UnreadNode(`it joins more than ${MAX_STATES} states`);
  const areStates = flows.length === node.inputs.length &&
    flows.every(({ axes }) => axes[0] === "direction") && at === 0;
  if (areStates) return { kind: "states", flows };
  if (node.inputs.some((value) => value?.kind === "flow")) {
    throw new UnreadNode("it joins several results of layers");
  }
  return { kind: "beside" };
}

/** `Gather` of one state among several. */
export function pickState({ flows }: States, node: GraphNode): Flow {
  const { tensor } = constantOf(node, 1, "its index");
  const count = flows.reduce((sum, { directions }) => sum + directions, 0);
  let index = axisOf(tensor.data[0]!, count);
  const flow = flows.find(({ directions }) => (index -= directions) < 0);
  if (tensor.shape.length > 0 || intOf(node, "axis", 0) !== 0 || flow?.directions !== 1) {
    throw new UnreadNode("it picks one direction of two, or several states");
  }
  return { ...flow, axes: flow.axes.slice(1) };
}

/** Operators on lengths; undefined where one is not known to be. */
export function readSizes(node: GraphNode): Sizes | undefined {
  const lists = node.inputs.map((value) => sizesOf(value));
  const [first, second] = lists;
  switch (node.operator) {
    case "Cast":
    case "Squeeze":
    case "Unsqueeze":
    case "Identity":
      return first && { kind: "sizes", sizes: first };
    case "Concat":
      return lists.every((list) => list !== undefined) && lists.flat().length <= MAX_SIZES
        ? { kind: "sizes", sizes: lists.flat() as (number | AxisName)[] }
        : undefined;
    case "Gather": {
      const picked = second?.map((index) =>
        typeof index === "number" ? first?.at(index) : undefined
      );
      return picked?.every((size) => size !== undefined)
        ? { kind: "sizes", sizes: picked as (number | AxisName)[] }
        : undefined;
    }
    case "Slice": {
      const [, [from, ...more] = [], [to] = [], [axis] = [0], [step] = [1]] = lists;
      const isPart = more.length === 0 && (axis === 0 || axis === -1) && step === 1;
      if (first === undefined || !isPart || typeof from !== "number" || typeof to !== "number") {
        return undefined;
      }
      return { kind: "sizes", sizes: first.slice(from, to) };
    }
    default:
      return undefined;
  }
}

/** Lengths, or a short list of constant integers, which may be some. */
export function sizesOf(value: Value | undefined): readonly (number | AxisName)[] | undefined {
  if (value?.kind === "sizes") return value.sizes;
  if (value?.kind !== "constant" || value.tensor.shape.length > 1) return undefined;
  return value.tensor.data.length <= MAX_SIZES ? Array.from(value.tensor.data) : undefined;
}

/** Whether a ConstantOfShape fills with zeros. Default of its value: 0. */
export function fillsWithZeros(node: GraphNode, read: (raw: unknown) => Tensor): boolean {
  const filling = tensorOf(node, "value");
  return filling === undefined || read(filling).data.every((x) => x === 0);
}
