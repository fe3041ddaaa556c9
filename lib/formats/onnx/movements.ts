// Operators of ONNX that move numbers and compute nothing.

import type { Connection } from "../../layers/connection.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { broadcast, pickedAlong } from "../../values/arrange.ts";
import { intOf, intsOf, textOf } from "./attributes.ts";
import type { GraphBuild } from "./build.ts";
import { axisOf, UnreadNode } from "./errors.ts";
import { flattenedShape, orderOf, squeezedShape, unsqueezedShape } from "./axes.ts";
import { broadcastShape, listed, type Part, reshapedShape, unknownRank } from "./known.ts";
import { type Operation, reshapeTo } from "./node_layers.ts";
import type { Probe } from "./probes.ts";
import { connectionOf, knownOperand, numberOf, type Result, type Step } from "./step.ts";
import { groupingOf, lengthsOfFactors, lengthsOfView, regrouped } from "./views.ts";

/** One operand's numbers in another shape, which follows from its own. */
const reshaping = (shapeOf: (parts: readonly Part[]) => readonly number[]): Operation => ({
  shapes: (parts) => [shapeOf(parts)],
  run: (o, operands) => [reshapeTo(o, operands[0]!, shapeOf(operands.map(({ part }) => part)))],
});

/** `Reshape`. */
export function reshape(step: Step): Result[] {
  const [x, target] = [connectionOf(step, 0), knownOperand(step, 1, "its shape")];
  const allowsZero = intOf(step, "allowzero", 0) !== 0;
  const shapeOf = ([one, wanted]: readonly Part[]) =>
    reshapedShape(one!.shape, wanted!, allowsZero);
  return grouped(step, x, (shape, { numbersOf }) => {
    const numbers = numbersOf(target);
    return numbers && shapeOf([{ shape, data: undefined }, listed(numbers)]);
  }) ?? step.build.operate("Reshape", [x, target], reshaping(shapeOf));
}

/** `Flatten`. */
export function flatten(step: Step): Result[] {
  const x = connectionOf(step, 0);
  return grouped(step, x, (shape) => flattenedShape(shape, step)) ??
    step.build.operate("Flatten", [x], reshaping(([one]) => flattenedShape(one!.shape, step)));
}

/** The axes grouped otherwise, where all lengths agree on how. */
function grouped(
  { build, operator }: Step,
  x: Connection,
  target: (shape: readonly number[], probe: Probe) => readonly number[] | undefined,
): Connection[] | undefined {
  const view = build.viewOf(x);
  const grouping = build.agreed((probe) => {
    const shape = probe.shapeOf(x);
    const wanted = target(shape, probe);
    return wanted && groupingOf(view, lengthsOfFactors(view, probe.shapeOf(view.of)), wanted);
  });
  return grouping && [build.show(regrouped(view, grouping), operator)];
}

/** `Squeeze` and `Unsqueeze`. */
export function changeAxes(step: Step): Result[] {
  const { build, operator } = step;
  const change = operator === "Squeeze" ? squeezedShape : unsqueezedShape;
  const x = connectionOf(step, 0);
  const view = build.viewOf(x);
  const lengths = lengthsOfView(view);
  if (operator === "Squeeze") {
    const given = intsOf(step, "axes", 1)?.map((axis) => axisOf(axis, lengths.length));
    const dropped = given ?? lengths.flatMap((length, k) => length === 1 ? [k] : []);
    if (!lengths.some(Number.isNaN) || given?.every((axis) => lengths[axis] === 1)) {
      squeezedShape(lengths, step);
      const axes = view.axes.filter((_, k) => !dropped.includes(k));
      return [build.show({ ...view, axes }, operator)];
    }
    return build.operate(operator, [x], reshaping(([one]) => change(one!.shape, step)));
  }
  const places = unsqueezedShape(lengths.map((_, k) => k + 2), step); // 1 is what is added
  const axes = places.map((place) => place === 1 ? [] : view.axes[place - 2]!);
  return [build.show({ ...view, axes }, operator)];
}

/** `Transpose`. */
export function transpose(step: Step): Result[] {
  const x = connectionOf(step, 0);
  return [permute(step.build, x, orderOf(x.shape.length + 1, step))];
}

/** Axes in another order. */
export function permute(build: GraphBuild, x: Connection, order: readonly number[]): Connection {
  const view = build.viewOf(x);
  return build.show({ ...view, axes: order.map((axis) => view.axes[axis]!) }, "Transpose");
}

/** `Expand`. */
export function expand(step: Step): Result[] {
  const x = connectionOf(step, 0);
  const shapeOf = ([one, target]: readonly Part[]) =>
    broadcastShape(
      one!.shape,
      target!.data === undefined
        ? new Array<number>(unknownRank(target!)).fill(NaN)
        : [...target!.data],
    );
  return step.build.operate("Expand", [x, knownOperand(step, 1, "its shape")], {
    shapes: (parts) => [shapeOf(parts)],
    run: (o, [one, target]) => {
      const shape = shapeOf([one!.part, target!.part]);
      return [broadcast(o, one!.value, shape, { whole: true })];
    },
  });
}

/** `Tile`. */
export function tile(step: Step): Result[] {
  const x = connectionOf(step, 0);
  const times = ({ data }: Part) => data;
  return step.build.operate("Tile", [x, knownOperand(step, 1, "how often it repeats")], {
    shapes: ([one, repeats]) => [one!.shape.map((n, k) => n * (times(repeats!)?.[k] ?? NaN))],
    run: (o, [one, repeats]) => {
      let { value } = one!;
      one!.shape.forEach((length, axis) => {
        const count = times(repeats!.part)![axis]!;
        if (count === 1) return;
        const places = Array.from({ length: length * count }, (_, k) => k % length);
        if (count < 1) throw new UnreadNode("what it repeats of it is empty");
        value = pickedAlong(o, value, axis, places);
      });
      return [value];
    },
  });
}

/** `Pad` with zeros, or with what is inside. */
export function pad(step: Step): Result[] {
  const x = connectionOf(step, 0);
  const rank = x.shape.length + 1;
  const mode = textOf(step, "mode", "constant");
  const pads = intsOf(step, "pads", 1) ?? [];
  const axes = step.operands[3] === undefined
    ? Array.from({ length: rank }, (_, k) => k)
    : intsOf(step, "axes", 3)!.map((axis) => axisOf(axis, rank));
  const filling = numberOf(step, 2, "what it fills with") ?? 0;
  if (!["constant", "edge", "reflect"].includes(mode)) throw new UnreadNode(`its mode is ${mode}`);
  if (pads.length !== 2 * axes.length || pads.some((count) => count < 0)) {
    throw new UnreadNode(`its pads are [${pads}] for ${axes.length} axes`);
  }
  if (mode === "constant" && filling !== 0) throw new UnreadNode(`it fills with ${filling}`);
  const sides = axes.map((axis, k) => [axis, pads[k]!, pads[k + axes.length]!] as const);
  return step.build.operate("Pad", [x], {
    shapes: ([{ shape }]) => {
      const result = [...shape];
      for (const [axis, before, after] of sides) result[axis]! += before + after;
      return [result];
    },
    run: (o, [one]) => {
      let { value } = one!;
      for (const [axis, before, after] of sides) {
        if (before + after === 0) continue;
        const length = one!.shape[axis]!;
        const inside = (k: number) => {
          if (k >= 0 && k < length || mode === "constant") return k < length ? k : -1;
          if (mode === "edge") return k < 0 ? 0 : length - 1;
          return k < 0 ? -k : 2 * (length - 1) - k;
        };
        const places = Array.from(
          { length: before + length + after },
          (_, k) => inside(k - before),
        );
        if (places.some((place) => place >= length)) {
          throw new UnreadNode("it reflects beyond its end");
        }
        value = pickedAlong(o, value, axis, places);
      }
      return [value];
    },
  });
}

/** `ReverseSequence`: the first steps of each sample, as many as its length. */
export function reverseSequence(step: Step): Result[] {
  const x = connectionOf(step, 0);
  const rank = x.shape.length + 1;
  const axis = axisOf(intOf(step, "time_axis", 0), rank);
  const samples = axisOf(intOf(step, "batch_axis", 1), rank);
  if (Math.max(axis, samples) !== 1 || axis === samples) {
    throw new UnreadNode(`its time_axis is ${axis}, its batch_axis ${samples}: they are 0 and 1`);
  }
  const lengths = step.operands[1]!;
  return step.build.operate("ReverseSequence", [x, lengths], {
    shapes: ([{ shape }]) => [shape],
    run: (o, [{ value, shape }, own]) => {
      const { data } = o.numbers(own!.value);
      const [batch, timesteps] = [shape[samples]!, shape[axis]!];
      const other = data.find((length) => length < 0 || length > timesteps);
      if (data.length !== batch || other !== undefined) {
        throw new UnreadNode(
          `it reverses ${
            other ?? ""
          } of ${timesteps} timesteps, ${data.length} of ${batch} samples`,
        );
      }
      const size = sizeOf(shape.slice(2));
      const place = (n: number, t: number) =>
        (axis === 0 ? t * batch + n : n * timesteps + t) * size;
      const moves: number[] = [];
      for (let n = 0; n < batch; n++) {
        for (let t = 0; t < timesteps; t++) {
          const from = t < data[n]! ? data[n]! - 1 - t : t;
          moves.push(0, place(n, from), place(n, t), size);
        }
      }
      return [o.arrange(shape, [value], moves)];
    },
  });
}
