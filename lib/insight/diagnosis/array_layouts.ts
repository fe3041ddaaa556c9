// The ways in which one array can be read.

import { sameShape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** One way to read an array, in Keras's layout (but for the order of the gates). */
export interface ArrayReading {
  /** In words; empty for what the shapes say by themselves. */
  readonly label: string;
  readonly tensor: Tensor;
}

/** One way to make a cell's biases of what there is. */
export interface BiasReading {
  readonly label: string;
  /** One, or the input's and the recurrent kernel's, `[blocks·units]` each. */
  readonly rows: readonly Tensor[];
}

export const BY_COLUMN = "read column by column";

/**
 * All ways to make a matrix of that shape of an array; none where it has not as many numbers.
 *
 * @param units of a kernel, whose blocks may be transposed one by one where they are square
 */
export function layouts(array: Tensor, shape: readonly number[], units?: number): ArrayReading[] {
  const straight = sameShape(array.shape, shape);
  const turned = sameShape(array.shape, shape.toReversed());
  const found: ArrayReading[] = [];
  if (straight) found.push({ label: "", tensor: array });
  if (turned) found.push({ label: straight ? "transposed" : "", tensor: array.transpose() });
  // Numbers that stand in the other order in memory than the shape says.
  if (straight) {
    found.push({ label: BY_COLUMN, tensor: array.reshape(shape.toReversed()).transpose() });
  }
  if (turned && !straight) {
    found.push({ label: "reshaped, not transposed", tensor: array.reshape(shape) });
  }
  if (shape[0] === units && found.length > 0) {
    found.push({ label: "each gate's block transposed", tensor: turnBlocks(found[0]!.tensor) });
  }
  return distinct(found, ({ tensor }) => [tensor]);
}

/** Each `[units, units]` block transposed. */
function turnBlocks({ data, shape }: Tensor): Tensor {
  const [units, width] = shape as [number, number];
  const out = new Float64Array(data.length);
  for (let row = 0; row < units; row++) {
    for (let column = 0; column < width; column++) {
      const [block, unit] = [Math.floor(column / units), column % units];
      out[unit * width + block * units + row] = data[row * width + column]!;
    }
  }
  return new Tensor(out, shape);
}

/** The ways to make one row of biases, and two, of up to two vectors `[width]`. */
export function biasReadings(
  [first, second]: readonly Tensor[],
  width: number,
): Readonly<Record<1 | 2, readonly BiasReading[]>> {
  const [A, B] = [first?.data, second?.data];
  // Added in float32, as the frameworks do.
  const row = (make: (k: number) => number) =>
    new Tensor(Float64Array.from({ length: width }, (_, k) => Math.fround(make(k))), [width]);
  const zero = row(() => 0);
  const all = distinct<BiasReading>;
  if (A === undefined) {
    return { 1: [{ label: "", rows: [zero] }], 2: [{ label: "", rows: [zero, zero] }] };
  }
  const a = row((k) => A[k]!);
  if (B === undefined) {
    const doubled = row((k) => 2 * A[k]!);
    return {
      1: all([
        { label: "", rows: [a] },
        { label: "doubled", rows: [doubled] },
        { label: "left out", rows: [zero] },
      ], rowsOf),
      2: all([
        { label: "", rows: [a, zero] },
        { label: "the recurrent kernel's", rows: [zero, a] },
        { label: "of both kernels", rows: [a, a] },
        { label: "left out", rows: [zero, zero] },
      ], rowsOf),
    };
  }
  const b = row((k) => B[k]!);
  const sum = row((k) => A[k]! + B[k]!);
  return {
    1: all([
      { label: "", rows: [sum] },
      { label: "the first one only", rows: [a] },
      { label: "the second one only", rows: [b] },
      { label: "left out", rows: [zero] },
    ], rowsOf),
    2: all([
      { label: "", rows: [a, b] },
      { label: "exchanged", rows: [b, a] },
      { label: "both added outside of the reset", rows: [sum, zero] },
      { label: "both added inside of the reset", rows: [zero, sum] },
      { label: "the first one only", rows: [a, zero] },
      { label: "the second one only", rows: [zero, b] },
      { label: "left out", rows: [zero, zero] },
    ], rowsOf),
  };
}

const rowsOf = ({ rows }: BiasReading) => rows;

/** Without those that have the same numbers as one before them. */
function distinct<R>(readings: readonly R[], tensorsOf: (reading: R) => readonly Tensor[]): R[] {
  const same = (one: R, other: R) =>
    tensorsOf(one).every(({ data }, k) => {
      const theirs = tensorsOf(other)[k]!.data;
      return data.every((v, j) => v === theirs[j]);
    });
  return readings.filter((reading, k) =>
    !readings.slice(0, k).some((before) => same(reading, before))
  );
}
