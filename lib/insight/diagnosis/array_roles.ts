// Which of a file's arrays is what, by their shapes alone, and the ways in which each can be read.

import { formatShape, sameShape } from "../../tensor/shape.ts";
import { asFloat64, Tensor, type TensorLike } from "../../tensor/tensor.ts";

/** One way to read an array, in Keras's layout (but for the order of the gates). */
export interface ArrayReading {
  /** In words; empty for what the shapes say by themselves. */
  readonly label: string;
  readonly tensor: Tensor;
}

/** W and U together, as one answer where they lie in one array. */
export interface KernelReading {
  readonly label: string;
  readonly kernel: readonly ArrayReading[];
  readonly recurrentKernel: readonly ArrayReading[];
}

/** The ways to read a file's arrays. */
export interface ArrayReadings {
  readonly units: number;
  readonly inputSize: number;
  /** More than one where the two could change places. */
  readonly kernels: readonly KernelReading[];
  /** `[4·units]` each. */
  readonly bias: readonly ArrayReading[];
  /** `[units, classes]`; none where there is no dense layer. */
  readonly dense: { readonly kernel: readonly ArrayReading[]; readonly bias: Tensor } | undefined;
}

/**
 * Takes a file's arrays apart.
 *
 * @param inputSize of the sequences: the last axis of x
 * @throws {TypeError} where they are not one LSTM's, with a dense layer after it or without.
 */
export function readingsOfArrays(
  weights: readonly TensorLike[],
  inputSize: number,
): ArrayReadings {
  const given = weights.map((array) => asFloat64(array));
  // ONNX's first axis counts directions; here there is one.
  const single = ({ shape }: Tensor, axes: number) => shape.length === axes && shape[0] === 1;
  const inner = (array: Tensor) => array.reshape(array.shape.slice(1));
  const kernels = given.map((array) => single(array, 3) ? inner(array) : array);
  const biases = kernels.map((array) => single(array, 2) ? inner(array) : array);
  const found = rolesOf(given, inputSize) ?? rolesOf(kernels, inputSize) ??
    rolesOf(kernels.map((array, k) => given[k] === array ? biases[k]! : array), inputSize);
  if (found !== undefined) return found;
  const shapes = given.map(({ shape }) => formatShape(shape)).join(", ");
  throw new TypeError(
    `Cannot diagnose: the weights must be one LSTM's for ${inputSize} inputs, its kernels and ` +
      `biases, with a dense layer after it or without, but the shapes are ${shapes || "none"}`,
  );
}

function rolesOf(arrays: readonly Tensor[], inputSize: number): ArrayReadings | undefined {
  const matrices = arrays.filter(({ shape }) => shape.length === 2);
  const vectors = arrays.filter(({ shape }) => shape.length === 1);
  if (matrices.length + vectors.length < arrays.length) return undefined;
  const found = pairOf(matrices, inputSize) ?? joinedOf(matrices, inputSize);
  if (found === undefined) return undefined;
  const { units, used, kernels } = found;
  const [denseKernel, ...others] = matrices.filter((matrix) => !used.includes(matrix));
  const dense = denseKernel && denseOf(denseKernel, vectors, arrays, units);
  const biases = vectors.filter((vector) => vector !== dense?.given);
  const parts = biases.map(({ data }) => data.length / (4 * units));
  const fits = parts.every((part) => part === 1 || part === 2) &&
    parts.reduce((sum, part) => sum + part, 0) <= 2;
  if (!fits || others.length > 0 || denseKernel !== undefined && dense === undefined) {
    return undefined;
  }
  return {
    units,
    inputSize,
    kernels,
    bias: biasReadings(biases, units),
    dense: dense && { kernel: dense.kernel, bias: dense.bias },
  };
}

interface Found {
  readonly units: number;
  readonly used: readonly Tensor[];
  readonly kernels: readonly KernelReading[];
}

/** A kernel and a recurrent kernel, the first ones that fit each other. */
function pairOf(matrices: readonly Tensor[], inputSize: number): Found | undefined {
  const fits = (W: Tensor, U: Tensor): KernelReading | undefined => {
    const units = Math.min(...U.shape);
    if (Math.max(...U.shape) !== 4 * units) return undefined;
    const kernel = layouts(W, [inputSize, 4 * units], units);
    const recurrentKernel = layouts(U, [units, 4 * units], units);
    if (kernel.length === 0 || recurrentKernel.length === 0) return undefined;
    return { label: "", kernel, recurrentKernel };
  };
  for (const [k, first] of matrices.entries()) {
    for (const second of matrices.slice(k + 1)) {
      const straight = fits(first, second);
      const exchanged = fits(second, first);
      const kernels = straight === undefined
        ? [exchanged] // their shapes say which is which: in this order by accident
        : [straight, exchanged && { ...exchanged, label: "W and U exchanged" }];
      const known = kernels.filter((reading) => reading !== undefined);
      if (known.length === 0) continue;
      const units = known[0]!.recurrentKernel[0]!.tensor.shape[0]!;
      return { units, used: [first, second], kernels: known };
    }
  }
  return undefined;
}

/** Both kernels in one array, x and h joined, as in TF1 and Haiku. */
function joinedOf(matrices: readonly Tensor[], inputSize: number): Found | undefined {
  for (const matrix of matrices) {
    for (const turned of [false, true]) {
      const joined = turned ? matrix.transpose() : matrix;
      const [rows, columns] = joined.shape as [number, number];
      const units = rows - inputSize;
      if (units < 1 || columns !== 4 * units) continue;
      const part = (start: number, count: number) =>
        new Tensor(joined.data.slice(start * columns, (start + count) * columns), [count, columns]);
      const reading = (label: string, W: Tensor, U: Tensor): KernelReading => ({
        label,
        kernel: [{ label: "", tensor: W }],
        recurrentKernel: layouts(U, U.shape, units).filter(({ label }) => label !== BY_COLUMN),
      });
      return {
        units,
        used: [matrix],
        kernels: [
          reading("", part(0, inputSize), part(inputSize, units)),
          reading("h joined above x", part(units, inputSize), part(0, units)),
        ],
      };
    }
  }
  return undefined;
}

const BY_COLUMN = "read column by column";

/** All ways to make a matrix of that shape of an array; none where it has not as many numbers. */
function layouts(array: Tensor, shape: readonly number[], units: number): ArrayReading[] {
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
  if (shape[0] === units && shape[1] === 4 * units && found.length > 0) {
    found.push({ label: "each gate's block transposed", tensor: turnBlocks(found[0]!.tensor) });
  }
  return distinct(found);
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

function biasReadings(biases: readonly Tensor[], units: number): ArrayReading[] {
  const width = 4 * units;
  const halves = biases.flatMap(({ data }) =>
    data.length === width
      ? [data as Float64Array]
      : [data.subarray(0, width) as Float64Array, data.subarray(width) as Float64Array]
  );
  const vector = (label: string, make: (k: number) => number): ArrayReading => ({
    label,
    // Added in float32, as the frameworks do.
    tensor: new Tensor(Float64Array.from({ length: width }, (_, k) => Math.fround(make(k))), [
      width,
    ]),
  });
  const [first, second] = halves;
  if (first === undefined) return [vector("", () => 0)];
  if (second === undefined) {
    return distinct([
      vector("", (k) => first[k]!),
      vector("doubled", (k) => 2 * first[k]!),
      vector("left out", () => 0),
    ]);
  }
  return distinct([
    vector("", (k) => first[k]! + second[k]!),
    vector("the first one only", (k) => first[k]!),
    vector("the second one only", (k) => second[k]!),
    vector("left out", () => 0),
  ]);
}

function denseOf(
  matrix: Tensor,
  vectors: readonly Tensor[],
  arrays: readonly Tensor[],
  units: number,
) {
  const [p, q] = matrix.shape as [number, number];
  const classes = p === units ? q : q === units ? p : undefined;
  if (classes === undefined) return undefined;
  const after = vectors.filter((vector) => arrays.indexOf(vector) > arrays.indexOf(matrix));
  const given = [...after, ...vectors].find(({ shape }) => shape[0] === classes);
  return {
    given,
    kernel: layouts(matrix, [units, classes], NaN),
    bias: given ?? new Tensor(new Float64Array(classes), [classes]),
  };
}

/** Without those that have the same numbers as one before them. */
function distinct(readings: readonly ArrayReading[]): ArrayReading[] {
  return readings.filter(({ tensor }, k) =>
    readings.slice(0, k).every((before) =>
      !tensor.data.every((v, j) => v === before.tensor.data[j])
    )
  );
}
