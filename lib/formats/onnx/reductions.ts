// Operators of ONNX that make one number of several: reductions.

import type { Connection } from "../../layers/connection.ts";
import type { MergeMode } from "../../layers/merge_modes.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { permuted, pickedAlong, shapeOf } from "../../values/arrange.ts";
import { getActivation } from "../../values/activations.ts";
import { absolute, logarithm, root } from "../../values/functions.ts";
import type { Ops } from "../../values/ops.ts";
import { intOf } from "./attributes.ts";
import { axisOf, UnreadNode } from "./errors.ts";
import { reducedAxes } from "./axes.ts";
import { connectionOf, constantOperand, numberOf, type Result, type Step } from "./step.ts";
import { lengthsOfView, sameFactors } from "./views.ts";

const exponential = getActivation("exponential");

const MERGES: Readonly<Record<string, MergeMode>> = {
  ReduceSum: "sum",
  ReduceProd: "mul",
  ReduceMean: "ave",
};

/** `ReduceMean` and its like. */
export function reduce(step: Step): Result[] {
  const { operator, build } = step;
  const x = connectionOf(step, 0);
  constantOperand(step, 1, "its axes");
  const merged = mergedDirections(step, x);
  if (merged !== undefined) return [merged];
  return build.operate(operator, [x], {
    shapes: ([{ shape }]) => [reducedAxes(shape, step).left],
    run: (o, [{ value, shape }]) => {
      const { axes, left } = reducedAxes(shape, step);
      if (axes.length === 0) return [value];
      const rest = [...shape.keys()].filter((k) => !axes.includes(k));
      const count = sizeOf(axes.map((axis) => shape[axis]!));
      const outer = rest.map((axis) => shape[axis]!);
      const turned = permuted(o, value, [...rest, ...axes]);
      const flat = o.reshape(turned, [sizeOf(outer), count]);
      return [o.reshape(reduced(o, operator, flat, count), left)];
    },
  });
}

/** `[rows, count]` becomes `[rows]`. */
function reduced<V>(o: Ops<V>, operator: string, flat: V, count: number): V {
  const sum = (x: V) => reduced(o, "ReduceSum", x, count);
  const squares = () => sum(o.sumOfProducts([flat, flat]));
  switch (operator) {
    case "ReduceL1":
      return sum(o.apply(absolute, flat));
    case "ReduceL2":
      return o.apply(root, squares());
    case "ReduceSumSquare":
      return squares();
    case "ReduceLogSum":
      return o.apply(logarithm, sum(flat));
    case "ReduceLogSumExp":
      return o.apply(logarithm, sum(o.apply(exponential, flat)));
  }
  if (operator === "ReduceMax") return o.largest(flat);
  if (operator === "ReduceMin") return o.scale(o.largest(o.scale(flat, -1)), -1);
  const [rows] = shapeOf(o, flat) as [number];
  if (operator === "ReduceProd") {
    if (count > 64) throw new UnreadNode(`it multiplies ${count} numbers`);
    const column = (k: number) => o.reshape(pickedAlong(o, flat, 1, [k]), [rows]);
    let found = column(0);
    for (let k = 1; k < count; k++) found = o.sumOfProducts([found, column(k)]);
    return found;
  }
  const share = operator === "ReduceMean" ? 1 / count : 1;
  const column = new Tensor(new Float64Array(count).fill(share), [count, 1]);
  return o.reshape(o.affine([[flat, o.given(column)]]), [rows]);
}

/** Over the two directions of a Bidirectional, which merges them itself. */
function mergedDirections(step: Step, x: Connection): Connection | undefined {
  const { build, operator, takers } = step;
  const view = build.viewOf(x);
  const { of, own, axes, backwards } = view;
  const { layer, inputs } = of.call ?? {};
  const vary = layer && build.variants.get(layer);
  const mergeMode = MERGES[operator];
  const isPair = vary !== undefined && mergeMode !== undefined && takers[0] === 1 &&
    layer!.className === "Bidirectional" && layer!.resultShapes === undefined;
  if (!isPair) return undefined;
  const { axes: reduced, left } = reducedAxes(lengthsOfView(view), step);
  const [axis, ...more] = reduced;
  const [directions, ...units] = own.at(-1)!;
  const isMerge = more.length === 0 && directions!.length === 2 && units.length === 1 &&
    sameFactors(axes[axis!] ?? [], [directions!]);
  if (!isMerge) return undefined;
  const merged = build.apply(vary({ mergeMode }), inputs!, build.arraysOf(layer!))[0]!;
  const kept = left.length === axes.length ? [[]] : [];
  return build.show({
    of: merged,
    own: own.with(-1, units),
    axes: axes.toSpliced(axis!, 1, ...kept),
    backwards,
  }, "View");
}

/** `CumSum` along an axis. */
export function cumulate(step: Step): Result[] {
  const { build } = step;
  const x = connectionOf(step, 0);
  const rank = x.shape.length + 1;
  const axis = axisOf(numberOf(step, 1, "its axis")!, rank);
  const [exclusive, reverse] = ["exclusive", "reverse"].map((name) => intOf(step, name, 0) !== 0);
  const order = [...Array(rank).keys()].filter((k) => k !== axis).concat(axis);
  const back = [...order.keys()].map((k) => order.indexOf(k));
  const results = build.operate("CumSum", [x], {
    shapes: ([{ shape }]) => [shape],
    run: (o, [{ value, shape }]) => {
      const length = shape[axis]!;
      const isIn = (from: number, to: number) =>
        (reverse ? from > to : from < to) || !exclusive && from === to;
      const sums = Float64Array.from(
        { length: length * length },
        (_, k) => Number(isIn(Math.floor(k / length), k % length)),
      );
      const turned = permuted(o, value, order);
      const found = o.affine([[turned, o.given(new Tensor(sums, [length, length]))]]);
      return [permuted(o, found, back)];
    },
  });
  build.keepFirst(x, ...results);
  return results;
}
