// Operators of ONNX that move numbers and compute nothing.

import { Connection } from "../layers/connection.ts";
import { concatenate } from "../layers/concatenate.ts";
import { embedding } from "../layers/embedding.ts";
import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { broadcast, join, pickedAlong, rowsOf } from "../values/arrange.ts";
import { intOf, intsOf, textOf } from "./onnx_attributes.ts";
import type { GraphBuild } from "./onnx_build.ts";
import { axisOf, UnreadNode } from "./onnx_errors.ts";
import {
  flattenedShape,
  foldOf,
  orderOf,
  placeIn,
  sliceListsOf,
  slicesOf,
  splitLengths,
  squeezedShape,
  unsqueezedShape,
} from "./onnx_folding.ts";
import {
  broadcastShape,
  constantPart,
  type Known,
  listed,
  type Part,
  reshapedShape,
  unknownRank,
} from "./onnx_known.ts";
import { type Operation, reshapeTo } from "./onnx_node_layers.ts";
import { pickPlace, pickStretch, rejoined } from "./onnx_picks.ts";
import type { Probe } from "./onnx_probes.ts";
import {
  arrayOf,
  connectionOf,
  constantOperand,
  isGiven,
  knownOperand,
  numberOf,
  type Result,
  type Step,
} from "./onnx_step.ts";
import { groupingOf, lengthsOfFactors, lengthsOfView, regrouped } from "./onnx_views.ts";

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

/** `Concat`. */
export function concat(step: Step): Result[] {
  const { build } = step;
  const operands = step.operands as readonly Result[];
  const axis = intOf(step, "axis", NaN);
  const connections = operands.filter((one) => one instanceof Connection);
  const rank = connections[0]!.shape.length + 1;
  const areAll = connections.length === operands.length;
  const whole = areAll ? rejoined(build, connections, axisOf(axis, rank)) : undefined;
  if (whole !== undefined) return [whole];
  const results = areAll && inKeras(build, connections, axisOf(axis, rank)) ||
    build.operate("Concat", operands, {
      shapes: (parts) => [foldOf("Concat")!(parts.map(unknown), step, false)[0]!.shape],
      run: (o, all) => {
        const at = axisOf(axis, all[0]!.shape.length);
        const other = all.find(({ shape }) =>
          shape.length !== all[0]!.shape.length ||
          shape.some((length, k) => k !== at && length !== all[0]!.shape[k])
        );
        if (other === undefined) return [join(o, all.map(({ value }) => value), at)];
        throw new UnreadNode(`its shapes are [${all[0]!.shape}] and [${other.shape}]`);
      },
    });
  const at = axisOf(axis, rank);
  const lengths = connections.map((one) => lengthsOfView(build.viewOf(one))[at] ?? NaN);
  if (areAll && !lengths.some(Number.isNaN)) {
    build.joined.set(results[0]!, { axis: at, parts: connections, lengths });
  }
  if (connections.every((one) => build.areWords(one)) && areAll) build.addWords(...results);
  return results;
}

/** As Keras's layer, where the axes fit each other whatever the lengths, and the first is not joined. */
function inKeras(
  build: GraphBuild,
  parts: readonly Connection[],
  axis: number,
): Connection[] | undefined {
  const [{ shape }] = parts as [Connection];
  const fits = axis > 0 && parts.length > 1 && new Set(parts).size === parts.length &&
    parts.every((one) =>
      one.shape.length === shape.length &&
      one.shape.every((length, k) => k === axis - 1 || length === shape[k] && length !== null)
    );
  if (!fits) return undefined;
  const results = build.apply(concatenate({ axis }), parts);
  build.keepFirst(parts[0]!, ...results);
  return results;
}

/** Of an operand, the shape alone. */
function unknown({ shape }: Part): Part {
  return { shape, data: undefined };
}

/** `Slice`. */
export function slice(step: Step): Result[] {
  const lists = step.operands.slice(1).map((one, k) =>
    one === undefined ? undefined : knownOperand(step, k + 1, "where it starts and ends")
  );
  const x = connectionOf(step, 0);
  const stretch = stretchOf(step, x, lists);
  if (stretch !== undefined) return [stretch];
  const there = lists.filter((one) => one !== undefined);
  const slices = ([x, ...parts]: readonly Part[]) => {
    const all = lists.map((one) => one && parts[there.indexOf(one)]);
    return slicesOf(x!.shape, step, all);
  };
  const [result] = step.build.operate("Slice", [x, ...there], {
    shapes: (parts) => {
      const shape = [...parts[0]!.shape];
      for (const { axis, places } of slices(parts)) shape[axis] = lengthOf(places, "a slice");
      return [shape];
    },
    run: (o, operands) => {
      let { value } = operands[0]!;
      for (const { axis, places } of slices(operands.map(({ part }) => part))) {
        lengthOf(places, "a slice");
        value = pickedAlong(o, value, axis, places!);
      }
      return [value];
    },
  });
  if (step.build.areWords(x)) step.build.addWords(result!);
  return [result!];
}

/** A slice along one axis, where it is a stretch that Keras's layers take. */
function stretchOf(
  step: Step,
  x: Connection,
  lists: readonly (Known | undefined)[],
): Connection | undefined {
  if (step.build.areWords(x) || !lists.every((one) => one === undefined || isGiven(one))) {
    return undefined;
  }
  const parts = lists.map((one) => one && constantPart(one));
  const ends = sliceListsOf(step, parts);
  if (ends.length !== 1) return undefined;
  const [one] = ends as [(typeof ends)[0]];
  const axis = axisOf(one.axis, x.shape.length + 1);
  return pickStretch(step.build, x, axis, one, step.takers[0] === 1);
}

function lengthOf(places: readonly number[] | undefined, what: string): number {
  if (places === undefined) return NaN;
  if (places.length > 0) return places.length;
  throw new UnreadNode(`${what} of it is empty`);
}

/** `Split`. */
export function split(step: Step): Result[] {
  const x = connectionOf(step, 0);
  const axis = axisOf(intOf(step, "axis", 0), x.shape.length + 1);
  const sizes = step.operands[1] && knownOperand(step, 1, "how long its parts are");
  const count = step.node.outputs?.length ?? 1;
  const lengths = ([one, parts]: readonly Part[]) => splitLengths(one!.shape[axis]!, step, parts);
  const isOpen = (one: Part, parts: Part | undefined) =>
    Number.isNaN(one.shape[axis]) && parts === undefined && step.node.attributes?.every(
      ({ name }) => name !== "split",
    );
  return step.build.operate("Split", [x, ...(sizes ? [sizes] : [])], {
    shapes: (parts) => {
      const found = isOpen(parts[0]!, parts[1])
        ? new Array<number>(count).fill(NaN)
        : lengths(parts);
      return found.map((length) => parts[0]!.shape.with(axis, length));
    },
    run: (o, operands) => {
      let from = 0;
      return lengths(operands.map(({ part }) => part)).map((length) => {
        const places = Array.from({ length }, (_, k) => from + k);
        lengthOf(places, "a part");
        from += length;
        return pickedAlong(o, operands[0]!.value, axis, places);
      });
    },
  });
}

/** `Gather`: rows of a table by words, or constant places of an axis. */
export function gather(step: Step): Result[] {
  const [x, indices] = step.operands;
  if (indices instanceof Connection) return lookUp(step, x!, indices);
  const data = connectionOf(step, 0);
  const axis = axisOf(intOf(step, "axis", 0), data.shape.length + 1);
  const one = step.build.areWords(data) ? undefined : placeOf(step, data, axis, indices!);
  if (one !== undefined) return [one];
  const result = step.build.operate("Gather", [data, knownOperand(step, 1, "its indices")], {
    shapes: ([one, index]) => {
      for (const place of index!.data ?? []) placeIn(place, one.shape[axis]!);
      return [one.shape.toSpliced(axis, 1, ...index!.shape)];
    },
    run: (o, [one, index]) => {
      const places = [...index!.part.data!].map((place) => placeIn(place, one!.shape[axis]!));
      lengthOf(places, "what it picks");
      const found = pickedAlong(o, one!.value, axis, places);
      return [o.reshape(found, one!.shape.toSpliced(axis, 1, ...index!.shape))];
    },
  });
  if (step.build.areWords(data)) step.build.addWords(...result);
  return result;
}

/** A single place of an axis, where Keras's layers give it. */
function placeOf(
  { build, takers }: Step,
  data: Connection,
  axis: number,
  indices: Known | undefined,
): Connection | undefined {
  if (!isGiven(indices)) return undefined;
  const { data: places, shape } = constantPart(indices);
  if (places.length !== 1) return undefined;
  const found = pickPlace(build, data, axis, places[0]!, takers[0] === 1);
  if (found === undefined || shape.length === 0) return found;
  const view = build.viewOf(found);
  return build.show(
    { ...view, axes: view.axes.toSpliced(axis, 0, ...shape.map(() => [])) },
    "Pick",
  );
}

function lookUp(step: Step, table: Result, words: Connection): Result[] {
  const known = constantOperand(step, 0, "its table");
  if (known === undefined || table instanceof Connection || intOf(step, "axis", 0) !== 0) {
    throw new UnreadNode("it looks up words in a table that is constant, by its first axis");
  }
  const array = arrayOf(known);
  const { shape } = array.tensor;
  const [inputDim, outputDim] = shape;
  if (shape.length !== 2) throw new UnreadNode(`its table must be a matrix: it is [${shape}]`);
  if (!step.build.areWords(words)) throw new UnreadNode("it looks up what are no whole numbers");
  if (words.call === undefined) {
    const layer = embedding({ inputDim: inputDim!, outputDim: outputDim! });
    const results = step.build.apply(layer, [words], [array]);
    step.build.keepFirst(words, ...results);
    return results;
  }
  return step.build.operate(
    "Gather",
    [words, { kind: "weight", name: "embeddings", array }],
    {
      shapes: ([one]) => [[...one!.shape, outputDim!]],
      run: (o, [one, rows]) => {
        const { data, shape } = o.numbers(one!.value);
        const places = Float64Array.from(data, (word) => placeIn(word, inputDim!));
        return [rowsOf(o, rows!.value, new Tensor(places, shape))];
      },
    },
  );
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
        lengthOf(places, "what it repeats");
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
