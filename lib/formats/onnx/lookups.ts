// Operators of ONNX that take numbers from places which an array of whole numbers names.

import { Connection } from "../../layers/connection.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { intOf } from "./attributes.ts";
import { placeIn } from "./axes.ts";
import { axisOf, UnreadNode } from "./errors.ts";
import { asWeight, type Result, type Step } from "./step.ts";

/** `GatherElements`: of each place the number that lies elsewhere along an axis. */
export function gatherElements(step: Step): Result[] {
  const [data, indices] = operandsOf(step);
  return taken(step, data, indices, {
    shapeOf: (shape, index) => {
      if (index.length === shape.length) return index;
      throw new UnreadNode(`its indices are [${index}] for [${shape}]`);
    },
    size: () => 1,
    placesOf: (shape, index) => {
      const axis = axisOf(intOf(step, "axis", 0), shape.length);
      const strides = shape.map((_, k) => sizeOf(shape.slice(k + 1)));
      return (numbers) =>
        Array.from(numbers, (number, k) => {
          let [place, rest] = [0, k];
          for (let at = index.length - 1; at >= 0; at--) {
            const own = rest % index[at]!;
            if (at !== axis) checkWithin(own, shape[at]!);
            place += (at === axis ? placeIn(number, shape[axis]!) : own) * strides[at]!;
            rest = Math.floor(rest / index[at]!);
          }
          return place;
        });
    },
  });
}

/** `GatherND`: parts of the data, each named by a row of places. */
export function gatherNd(step: Step): Result[] {
  const [data, indices] = operandsOf(step);
  const batch = intOf(step, "batch_dims", 0);
  const depthOf = (shape: readonly number[], index: readonly number[]) => {
    const depth = index.at(-1)!;
    if (Number.isNaN(depth)) throw new UnreadNode("how many places name a part is not known");
    const fits = batch >= 0 && batch < index.length && depth >= 1 && batch + depth <= shape.length;
    if (fits) return depth;
    throw new UnreadNode(`its indices are [${index}] for [${shape}], batch_dims ${batch}`);
  };
  return taken(step, data, indices, {
    shapeOf: (shape, index) => [
      ...index.slice(0, -1),
      ...shape.slice(batch + depthOf(shape, index)),
    ],
    size: (shape, index) => sizeOf(shape.slice(batch + depthOf(shape, index))),
    placesOf: (shape, index) => {
      const depth = depthOf(shape, index);
      const around = sizeOf(shape.slice(0, batch));
      const rows = sizeOf(index.slice(batch, -1)); // of each sample
      if (around !== sizeOf(index.slice(0, batch))) {
        throw new UnreadNode(`its indices are [${index}] for [${shape}], batch_dims ${batch}`);
      }
      const strides = shape.map((_, k) => sizeOf(shape.slice(k + 1)));
      const sample = sizeOf(shape.slice(batch));
      return (numbers) =>
        Array.from({ length: around * rows }, (_, row) => {
          let place = Math.floor(row / rows) * sample;
          for (let k = 0; k < depth; k++) {
            const axis = batch + k;
            place += placeIn(numbers[row * depth + k]!, shape[axis]!) * strides[axis]!;
          }
          return place;
        });
    },
  });
}

/** `Gather` where both the data and the places come from the inputs. */
export function gatherAlong(step: Step): Result[] {
  const [data, indices] = operandsOf(step);
  const axisIn = (shape: readonly number[]) => axisOf(intOf(step, "axis", 0), shape.length);
  return taken(step, data, indices, {
    shapeOf: (shape, index) => shape.toSpliced(axisIn(shape), 1, ...index),
    size: (shape) => sizeOf(shape.slice(axisIn(shape) + 1)),
    placesOf: (shape) => {
      const axis = axisIn(shape);
      const [outer, inner] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
      return (numbers) => {
        const places = Array.from(numbers, (number) => placeIn(number, shape[axis]!));
        return Array.from({ length: outer }, (_, row) => row * shape[axis]!)
          .flatMap((from) => places.map((place) => (from + place) * inner));
      };
    },
  });
}

interface Taking {
  readonly shapeOf: (data: readonly number[], indices: readonly number[]) => readonly number[];
  /** How many numbers lie side by side. */
  readonly size: (data: readonly number[], indices: readonly number[]) => number;
  readonly placesOf: (
    data: readonly number[],
    indices: readonly number[],
  ) => (numbers: ArrayLike<number>) => number[];
}

function taken(
  { build, operator }: Step,
  data: Result,
  indices: Result,
  { shapeOf, size, placesOf }: Taking,
): Connection[] {
  const results = build.operate(operator, [asWeight(data, "table"), indices], {
    shapes: ([one, index]) => [shapeOf(one.shape, index!.shape)],
    run: (o, [one, index]) => {
      const [shape, own] = [one.shape, index!.shape];
      const { data: numbers } = o.numbers(index!.value);
      const each = size(shape, own);
      const moves = placesOf(shape, own)(numbers)
        .flatMap((place, k) => [0, place, k * each, each]);
      return [o.arrange(shapeOf(shape, own), [one.value], moves)];
    },
  });
  if (data instanceof Connection && build.areWords(data)) build.addWords(...results);
  return results;
}

function operandsOf({ operands }: Step): readonly [Result, Result] {
  return operands as readonly Result[] as readonly [Result, Result];
}

function checkWithin(place: number, length: number): void {
  if (place >= length) throw new UnreadNode(`the place ${place} is none of ${length}`);
}
