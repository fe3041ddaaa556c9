// Layers that move numbers, and change none.

import type { ItemIndex } from "../../../layers/get_item.ts";
import type { Length, OnnxGraphWriter } from "./graph_writer.ts";
import { type GraphValue, type OnnxKinds, plain } from "./layer_use.ts";

/** Beyond the end of any axis, as Slice takes it. */
const END = 2 ** 53 - 1;

/** The kinds of this file. */
export const SHAPE_LAYERS: OnnxKinds = {
  Flatten: plain((graph, { name }) => graph.add("Flatten", [name], { axis: 1 })),
  Reshape: plain((graph, { name }, { layer: { config } }) =>
    graph.reshape(name, [0, ...config.target_shape as readonly number[]])
  ),
  Permute: plain((graph, { name }, { layer: { config } }) =>
    graph.add("Transpose", [name], { perm: [0, ...config.dims as readonly number[]] })
  ),
  RepeatVector: plain((graph, { name }, { layer: { config } }) => {
    const row = graph.add("Unsqueeze", [name, graph.integers("axes", [1])]);
    return graph.add("Expand", [row, graph.integers("shape", [1, config.n as number, 1])]);
  }),
  ZeroPadding1D: plain((graph, { name }, { layer: { config } }) => {
    const [before, after] = config.padding as readonly [number, number];
    return graph.add("Pad", [name, graph.integers("pads", [0, before, 0, 0, after, 0])]);
  }),
  Cropping1D: plain((graph, { name }, { layer: { config } }) => {
    const [before, after] = config.cropping as readonly [number, number];
    return slice(graph, name, 1, before, after === 0 ? END : -after);
  }),
  UpSampling1D: plain((graph, x, { layer: { config } }) => {
    const size = config.size as number;
    const apart = graph.add("Unsqueeze", [x.name, graph.integers("axes", [2])]);
    const often = graph.add("Expand", [apart, graph.integers("times", [1, 1, size, 1])]);
    return graph.reshape(often, [0, -1, lengthAt(x, 2)]);
  }),
  GetItem: plain((graph, { name }, { layer: { config } }) => {
    const index = config.index as readonly ItemIndex[];
    return index.reduceRight((x: string, one, k) => { // from the last axis on: those before stay
      if (typeof one === "number") {
        return graph.add("Gather", [x, graph.integers("index", one)], { axis: k + 1 });
      }
      const [start, stop] = one;
      return start === null && stop === null ? x : slice(graph, x, k + 1, start ?? 0, stop ?? END);
    }, name);
  }),
};

/** From `start` to `end` of an axis. */
export function slice(
  graph: OnnxGraphWriter,
  x: string,
  axis: number,
  start: number,
  end: number,
  step = 1,
): string {
  return graph.add("Slice", [
    x,
    graph.integers("starts", [start]),
    graph.integers("ends", [end]),
    graph.integers("axis", [axis]),
    graph.integers("steps", [step]),
  ]);
}

/** How long an axis is, the batch's being 0; as it comes where it is open. */
export function lengthAt(
  { name, shape }: Pick<GraphValue, "name" | "shape">,
  axis: number,
): Length {
  return shape[axis - 1] ?? { of: name, axis };
}
