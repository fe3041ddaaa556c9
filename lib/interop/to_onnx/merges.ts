// Several values that become one.

import type { OnnxGraphWriter } from "./graph_writer.ts";
import {
  type GraphValue,
  type LayerUse,
  type OnnxKind,
  type OnnxKinds,
  plain,
  refusal,
} from "./layer_use.ts";
import { mergedMask, wholeMask } from "./masks.ts";
import { unitRows } from "./row_layers.ts";
import { lengthAt } from "./shape_layers.ts";

/** The shortest length that a Dot divides by. */
const SHORTEST = 1e-7;

const inTurn = (operator: string) => (graph: OnnxGraphWriter, [first, ...more]: string[]) =>
  more.reduce((a, b) => graph.add(operator, [a, b]), first!);

/** The kinds of this file. */
export const MERGE_LAYERS: OnnxKinds = {
  Add: merge(inTurn("Add")),
  Subtract: merge(inTurn("Sub")),
  Multiply: merge(inTurn("Mul")),
  Average: merge((graph, xs) =>
    graph.add("Div", [inTurn("Add")(graph, xs), graph.number(xs.length)])
  ),
  Maximum: merge((graph, xs) => graph.add("Max", xs)),
  Minimum: merge((graph, xs) => graph.add("Min", xs)),
  Concatenate: {
    write: (graph, use) => {
      const { inputs, layer: { config } } = use;
      const rank = inputs[0]!.shape.length + 1;
      const axis = config.axis as number;
      return {
        outputs: [graph.add("Concat", inputs.map(({ name }) => name), { axis })],
        mask: concatenatedMask(graph, use, axis < 0 ? rank + axis : axis),
      };
    },
  },
  Dot: plain(writeDot),
};

function merge(write: (graph: OnnxGraphWriter, xs: string[]) => string): OnnxKind {
  return {
    write: (graph, { inputs }) => ({
      outputs: [write(graph, inputs.map(({ name }) => name))],
      mask: mergedMask(graph, inputs.map(({ mask }) => mask)),
    }),
  };
}

/** Along the timesteps the masks one after another, an input without one counting whole. */
function concatenatedMask(graph: OnnxGraphWriter, { name, inputs }: LayerUse, axis: number) {
  const masks = inputs.map(({ mask }) => mask);
  if (masks.every((mask) => mask === undefined)) return undefined;
  if (inputs[0]!.shape.length !== 2) {
    const rule = "what is concatenated with a mask is [batch, timesteps, size]";
    throw refusal(rule, name, `a Concatenate of ${inputs[0]!.shape.length + 1} axes`);
  }
  if (axis === 2) return mergedMask(graph, masks);
  const whole = inputs.map(({ name, mask }) => mask ?? wholeMask(graph, name));
  return graph.add("Concat", whole, { axis: 1 });
}

/** Sums of products along an axis of each. */
function writeDot(graph: OnnxGraphWriter, _: GraphValue, { inputs, layer: { config } }: LayerUse) {
  const axes = config.axes as number | readonly [number, number];
  const sides = inputs.map((x, k) => {
    const axis = typeof axes === "number" ? axes : axes[k]!;
    const rank = x.shape.length + 1;
    const at = axis < 0 ? rank + axis : axis;
    const others = x.shape.map((_, k) => k + 1).filter((k) => k !== at);
    const turned = at === rank - 1
      ? x.name
      : graph.add("Transpose", [x.name], { perm: [0, ...others, at] });
    const rows = others.length === 1 ? turned : graph.reshape(turned, [0, -1, lengthAt(x, at)]);
    return {
      rows: config.normalize === true ? unitRows(graph, rows, SHORTEST) : rows,
      rest: others.map((k) => lengthAt(x, k)),
    };
  });
  const [a, b] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const columns = graph.add("Transpose", [b.rows], { perm: [0, 2, 1] });
  const product = graph.add("MatMul", [a.rows, columns]);
  const rest = [...a.rest, ...b.rest];
  if (a.rest.length === 1 && b.rest.length === 1) return product;
  return graph.reshape(product, [0, ...(rest.length === 0 ? [1] : rest)]);
}
