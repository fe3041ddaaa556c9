// Operators of ONNX that take results apart and join them.

import { Connection } from "../../layers/connection.ts";
import { concatenate } from "../../layers/concatenate.ts";
import { embedding } from "../../layers/embedding.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { join, pickedAlong, rowsOf } from "../../values/arrange.ts";
import { intOf } from "./attributes.ts";
import type { GraphBuild } from "./build.ts";
import { axisOf, UnreadNode } from "./errors.ts";
import { placeIn, sliceListsOf, slicesOf, splitLengths } from "./axes.ts";
import { foldOf } from "./folding.ts";
import { constantPart, type Known, type Part } from "./known.ts";
import { gatherAlong } from "./lookups.ts";
import { pickPlace, pickStretch, rejoined } from "./picks.ts";
import {
  arrayOf,
  connectionOf,
  constantOperand,
  isGiven,
  knownOperand,
  type Result,
  type Step,
} from "./step.ts";
import { lengthsOfView } from "./views.ts";

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

/** How many places are taken; NaN where that is not known. */
export function lengthOf(places: readonly number[] | undefined, what: string): number {
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
  if (indices instanceof Connection) {
    return x instanceof Connection ? gatherAlong(step) : lookUp(step, x!, indices);
  }
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
