// What is done to an array on its way into a model. Each step notes itself, so that the log cannot
// say anything else than what happened.

import { type GateOrder, joinGates, splitGates } from "../cells/gates.ts";
import type { GruOrder } from "../cells/gru_gates.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
import { add } from "../tensor/arithmetic.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** An array on its way, and what was done to it. */
export interface Converted {
  /** The numbers as they are now. */
  readonly tensor: Tensor;
  /** What it is called in the file. */
  readonly from: string;
  /** Its shape in the file. */
  readonly shapeInFile: readonly number[];
  /** What was done, in order. */
  readonly steps: readonly string[];
  /** Of a sum: what was added, as it would be now by itself. */
  readonly summands?: readonly Tensor[];
}

/** How the gates follow each other, as it stands in the log. */
const LETTERS: Readonly<Partial<Record<GateOrder, string>>> = {
  keras: "i f c o",
  pytorch: "i f g o",
  onnx: "i o f c",
};

const GRU_LETTERS: Readonly<Partial<Record<GruOrder, string>>> = {
  keras: "z r h",
  pytorch: "r z n",
  onnx: "z r h",
};

/** The letters of an order: `i f c o`. */
export function lettersOf(order: GateOrder): string {
  return LETTERS[order] ?? order;
}

/** The same of a GRU's: `z r h`. */
export function gruLettersOf(order: GruOrder): string {
  return GRU_LETTERS[order] ?? order;
}

/** An array as it lies in the file. */
export function taken(from: string, tensor: Tensor): Converted {
  return { tensor, from, shapeInFile: tensor.shape, steps: [] };
}

/** `[4·units, inputSize]` becomes `[inputSize, 4·units]`. */
export function transposed(array: Converted): Converted {
  const tensor = array.tensor.transpose();
  return { ...array, tensor, steps: [...array.steps, "transposed"] };
}

/** The gates in Keras's order, on the last axis. */
export function reordered(array: Converted, order: GateOrder): Converted {
  const inKeras = (tensor: Tensor) => joinGates(splitGates(tensor, order), "keras");
  const step = `gates ${lettersOf(order)} → ${lettersOf("keras")}`;
  return {
    ...array,
    tensor: inKeras(array.tensor),
    steps: [...array.steps, step],
    ...(array.summands && { summands: array.summands.map(inKeras) }),
  };
}

/** A GRU's three blocks in Keras's order, on the last axis. */
export function reorderedGru(array: Converted, order: GruOrder): Converted {
  const tensor = joinGates(splitGates(array.tensor, order, { cell: "gru" }), "keras");
  const step = `gates ${gruLettersOf(order)} → ${gruLettersOf("keras")}`;
  return { ...array, tensor, steps: [...array.steps, step] };
}

/** Its axes in another order: that one first which is named first. */
export function turned(array: Converted, axes: readonly number[]): Converted {
  const { data, shape } = array.tensor;
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const wanted = axes.map((axis) => shape[axis]!);
  const numbers = data.slice();
  for (let to = 0; to < numbers.length; to++) {
    let [from, rest] = [0, to];
    for (let k = axes.length - 1; k >= 0; k--) {
      from += rest % wanted[k]! * strides[axes[k]!]!;
      rest = Math.floor(rest / wanted[k]!);
    }
    numbers[to] = data[from]!;
  }
  const step = `axes ${axes.join(" ")} of ${formatShape(shape)}`;
  return { ...array, tensor: new Tensor(numbers, wanted), steps: [...array.steps, step] };
}

/** Two arrays of one shape as the rows of one. */
export function stacked(a: Converted, b: Converted): Converted {
  const isDouble = a.tensor.data instanceof Float64Array && b.tensor.data instanceof Float64Array;
  const numbers = [...a.tensor.data, ...b.tensor.data];
  const data = isDouble ? Float64Array.from(numbers) : Float32Array.from(numbers);
  return {
    tensor: new Tensor(data, [2, ...a.tensor.shape]),
    from: `${a.from}, ${b.from}`,
    shapeInFile: a.shapeInFile,
    steps: [...a.steps, "both as rows of one"],
  };
}

/** The sum of two arrays, taken in float64 and rounded once to float32 unless both are float64. */
export function summed(a: Converted, b: Converted): Converted {
  const { data, shape } = add(a.tensor, b.tensor);
  const isDouble = a.tensor.data instanceof Float64Array && b.tensor.data instanceof Float64Array;
  const from = a.from === b.from ? a.from : `${a.from}, ${b.from}`;
  return {
    tensor: new Tensor(isDouble ? new Float64Array(data) : new Float32Array(data), shape),
    from,
    shapeInFile: a.shapeInFile,
    steps: [...a.steps, `${a.from === b.from ? "its two halves" : "both"} added`],
    summands: [a.tensor, b.tensor],
  };
}

/** Arrays side by side, on their last axis. */
export function concatenated(parts: readonly Converted[], step: string): Converted {
  const rows = parts.map(({ tensor }) => tensor.shape.slice(0, -1).reduce((a, b) => a * b, 1));
  const widths = parts.map(({ tensor }) => tensor.shape.at(-1) ?? 1);
  const width = widths.reduce((sum, own) => sum + own, 0);
  const fits = rows.every((count) => count === rows[0]);
  if (!fits) {
    const shapes = parts.map(({ tensor }) => formatShape(tensor.shape)).join(", ");
    throw new UnreadableFileError("its gates must have one shape", `the shapes are ${shapes}`);
  }
  const data = new Float32Array(rows[0]! * width);
  let at = 0;
  for (const [k, { tensor }] of parts.entries()) {
    const own = widths[k]!;
    for (let r = 0; r < rows[0]!; r++) {
      data.set(tensor.data.subarray(r * own, (r + 1) * own), r * width + at);
    }
    at += own;
  }
  const { shape } = parts[0]!.tensor;
  return {
    tensor: new Tensor(data, [...shape.slice(0, -1), width]),
    from: parts.map(({ from }) => from).join(", "),
    shapeInFile: shape,
    steps: [...parts[0]!.steps, step],
  };
}

/** The axes in front turned around. */
export function turnedAround(array: Converted, axes: number, step: string): Converted {
  const { data, shape } = array.tensor;
  const places = shape.slice(0, axes).reduce((product, length) => product * length, 1);
  const each = places === 0 ? 0 : data.length / places;
  const turned = data.slice();
  for (let k = 0; k < places; k++) {
    turned.set(data.subarray(k * each, (k + 1) * each), (places - 1 - k) * each);
  }
  return { ...array, tensor: new Tensor(turned, shape), steps: [...array.steps, step] };
}

/** One direction or half of an array: the part of the first axis from `begin` to `end`. */
export function part(array: Converted, begin: number, end: number, what: string): Converted {
  const { data, shape } = array.tensor;
  const each = shape[0] === 0 ? 0 : data.length / shape[0]!;
  const inner = [end - begin, ...shape.slice(1)];
  const tensor = new Tensor(data.slice(begin * each, end * each), inner);
  return { ...array, tensor, steps: [...array.steps, `${what} of ${formatShape(shape)}`] };
}

/** The same numbers in another shape. */
export function reshaped(array: Converted, shape: readonly number[]): Converted {
  return { ...array, tensor: array.tensor.reshape(shape) };
}
