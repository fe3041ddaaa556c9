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
import type { MaskWay } from "../../../layers/merges.ts";
import { chosen, mergedMask, wholeMask } from "./masks.ts";
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
  Multiply: merge(inTurn("Mul"), productOf),
  Average: merge((graph, xs) =>
    graph.add("Div", [inTurn("Add")(graph, xs), graph.number(xs.length)])
  ),
  Maximum: merge((graph, xs) => graph.add("Max", xs), outermost("Max")),
  Minimum: merge((graph, xs) => graph.add("Min", xs), outermost("Min")),
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

/** @param masked what it is of inputs with masks, where these change its numbers */
function merge(
  write: (graph: OnnxGraphWriter, xs: string[]) => string,
  masked?: (graph: OnnxGraphWriter, inputs: LayerUse["inputs"]) => string,
): OnnxKind {
  return {
    write: (graph, { inputs, layer: { config } }) => {
      const way = config.masks as MaskWay;
      const counts = way === "any" && inputs.some(({ mask }) => mask !== undefined);
      return {
        outputs: [
          counts && masked ? masked(graph, inputs) : write(graph, inputs.map(({ name }) => name)),
        ],
        mask: mergedMask(graph, inputs.map(({ mask }) => mask), way),
      };
    },
  };
}

/** The product of the inputs that count; zeros where none does. */
function productOf(graph: OnnxGraphWriter, inputs: LayerUse["inputs"]): string {
  const factors = inputs.map(({ name, mask }) =>
    mask === undefined ? name : chosen(graph, mask, name, graph.number(1))
  );
  const product = inTurn("Mul")(graph, factors);
  const mask = mergedMask(graph, inputs.map(({ mask }) => mask), "any");
  return mask === undefined ? product : chosen(graph, mask, product);
}

/** The largest or the smallest of the inputs that count, as lib/layers/merges.ts has it. */
function outermost(operator: "Max" | "Min") {
  return (graph: OnnxGraphWriter, [first, ...more]: LayerUse["inputs"]): string =>
    more.reduce<{ soFar: string; counts: string | undefined }>(({ soFar, counts }, next) => {
      const { name, mask } = next;
      const one = mask === undefined ? name : chosen(graph, mask, name, soFar);
      const other = counts === undefined ? soFar : chosen(graph, counts, soFar, one);
      return {
        soFar: graph.add(operator, [other, one]),
        counts: mergedMask(graph, [counts, mask], "any"),
      };
    }, { soFar: first!.name, counts: first!.mask }).soFar;
}

/** Along the timesteps the masks one after another, an input without one counting whole. */
function concatenatedMask(graph: OnnxGraphWriter, use: LayerUse, axis: number) {
  const { name, inputs, layer: { config } } = use;
  const way = config.masks as MaskWay;
  const masks = inputs.map(({ mask }) => mask);
  if (way === "none" || masks.every((mask) => mask === undefined)) return undefined;
  if (inputs[0]!.shape.length !== 2) {
    const rule = "what is concatenated with a mask is [batch, timesteps, size]";
    throw refusal(rule, name, `a Concatenate of ${inputs[0]!.shape.length + 1} axes`);
  }
  if (axis === 2) return mergedMask(graph, masks, way);
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
