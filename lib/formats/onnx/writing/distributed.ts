// A layer at each timestep: to it, each is a sample of its own.

import type { OpenShape } from "../../../layers/layer.ts";
import type { OnnxGraphWriter } from "./graph_writer.ts";
import type { Given, LayerUse, OnnxKind } from "./layer_use.ts";
import { lengthAt } from "./shape_layers.ts";

/** TimeDistributed of any kind that is written. */
export function writeDistributed(
  graph: OnnxGraphWriter,
  use: LayerUse,
  kindOf: (use: LayerUse) => OnnxKind,
): Given {
  const inner = { ...use, layer: use.layer.wrapped! };
  const [x] = use.inputs as [LayerUse["inputs"][0]];
  const kind = kindOf(inner);
  if (kind.isRowwise) return { outputs: [only(kind.write(graph, inner))], mask: x.mask };
  const [steps, ...rest] = x.shape as readonly [number | null, ...OpenShape];
  const flat = graph.reshape(x.name, [-1, ...rest.map((_, k) => lengthAt(x, k + 2))]);
  const shape = inner.layer.outputShape(rest);
  const made = only(kind.write(graph, { ...inner, inputs: [{ name: flat, shape: rest }] }));
  const each = shape.map((_, k) => lengthAt({ name: made, shape }, k + 1));
  const isKnown = steps !== null && !shape.includes(null);
  const first = isKnown ? [-1, steps] : [lengthAt({ name: x.name, shape: [] }, 0), lengthAt(x, 1)];
  return { outputs: [graph.reshape(made, [...first, ...each])], mask: x.mask };
}

function only(given: Given): string {
  return typeof given === "string" ? given : given.outputs[0]!;
}
