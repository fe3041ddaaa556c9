// Which of a file's arrays is what, by their shapes alone.

import { blocksOf } from "../../cells/cell.ts";
import { formatShape } from "../../tensor/shape.ts";
import { asFloat64, Tensor, type TensorLike } from "../../tensor/tensor.ts";
import {
  type ArrayReading,
  type BiasReading,
  biasReadings,
  BY_COLUMN,
  layouts,
} from "./array_layouts.ts";
import type { CellReadings } from "./cell_readings.ts";

/** W and U together, as one answer where they lie in one array. */
export interface KernelReading {
  readonly label: string;
  readonly kernel: readonly ArrayReading[];
  readonly recurrentKernel: readonly ArrayReading[];
}

/** The ways to read a file's arrays as one cell's. */
export interface ArrayReadings {
  readonly of: CellReadings;
  readonly units: number;
  readonly inputSize: number;
  /** More than one where the two could change places. */
  readonly kernels: readonly KernelReading[];
  /** For equations of one row of biases, and of two. */
  readonly bias: Readonly<Record<1 | 2, readonly BiasReading[]>>;
  /** `[units, classes]`; none where there is no dense layer. */
  readonly dense: { readonly kernel: readonly ArrayReading[]; readonly bias: Tensor } | undefined;
}

/**
 * Takes a file's arrays apart, as those of each cell that they can be.
 *
 * @param inputSize of the sequences: the last axis of x
 * @throws {TypeError} where they are not one such layer's, with a dense layer after it or without.
 */
export function readingsOfArrays(
  weights: readonly TensorLike[],
  inputSize: number,
  cells: readonly CellReadings[],
): ArrayReadings[] {
  const given = weights.map((array) => asFloat64(array));
  // ONNX's first axis counts directions; here there is one.
  const single = ({ shape }: Tensor, axes: number) => shape.length === axes && shape[0] === 1;
  const inner = (array: Tensor) => array.reshape(array.shape.slice(1));
  const kernels = given.map((array) => single(array, 3) ? inner(array) : array);
  const vectors = kernels.map((array, k) =>
    given[k] === array && single(array, 2) ? inner(array) : array
  );
  const found = cells.flatMap((cell) => {
    const forms = [given, kernels, vectors].map((arrays) => rolesOf(arrays, inputSize, cell));
    return forms.find((roles) => roles.length > 0) ?? [];
  });
  if (found.length > 0) return found;
  const owners = cells.map(({ owner }, k) => `${k === 0 ? "one " : ""}${owner.split(" ")[1]}'s`);
  const shapes = given.map(({ shape }) => formatShape(shape)).join(", ");
  throw new TypeError(
    `Cannot diagnose: the weights must be ${inWords(owners)} for ${inputSize} ${
      inputSize === 1 ? "input" : "inputs"
    }, its kernels ` +
      `and biases, with a dense layer after it or without, but the shapes are ${shapes || "none"}`,
  );
}

/** `one LSTM's, GRU's or SimpleRNN's` */
function inWords(names: readonly string[]): string {
  return [names.slice(0, -1).join(", "), ...names.slice(-1)].filter((part) => part !== "")
    .join(" or ");
}

/** What is left beside the kernels may be read in two ways: `[2, n]` as two biases, or dense. */
function rolesOf(
  arrays: readonly Tensor[],
  inputSize: number,
  of: CellReadings,
): ArrayReadings[] {
  const blocks = blocksOf(of.cell);
  const matrices = arrays.filter(({ shape }) => shape.length === 2);
  const vectors = arrays.filter(({ shape }) => shape.length === 1);
  if (matrices.length + vectors.length < arrays.length) return [];
  const found = pairOf(matrices, inputSize, blocks) ?? joinedOf(matrices, inputSize, blocks);
  if (found === undefined) return [];
  const { units, used, kernels } = found;
  const width = blocks * units;
  const left = matrices.filter((matrix) => !used.includes(matrix));
  const pair = left.find(({ shape }) => shape[0] === 2 && shape[1] === width);
  return [...(pair === undefined ? [] : [pair]), undefined].flatMap((pair) => {
    const [denseKernel, ...others] = left.filter((matrix) => matrix !== pair);
    const dense = denseKernel && denseOf(denseKernel, vectors, arrays, units);
    const biases = vectors.filter((vector) => vector !== dense?.given);
    const rows = [...(pair === undefined ? [] : [pair]), ...biases];
    const parts = rows.map(({ data }) => data.length / width);
    const fits = parts.every((part) => part === 1 || part === 2) &&
      parts.reduce((sum, part) => sum + part, 0) <= 2;
    if (!fits || others.length > 0 || denseKernel !== undefined && dense === undefined) return [];
    const each = rows.flatMap(({ data }) =>
      Array.from(
        { length: data.length / width },
        (_, k) => new Tensor(data.slice(k * width, (k + 1) * width), [width]),
      )
    );
    return [{
      of,
      units,
      inputSize,
      kernels,
      bias: biasReadings(each, width),
      dense: dense && { kernel: dense.kernel, bias: dense.bias },
    }];
  });
}

interface Found {
  readonly units: number;
  readonly used: readonly Tensor[];
  readonly kernels: readonly KernelReading[];
}

/** A kernel and a recurrent kernel, the first ones that fit each other. */
function pairOf(matrices: readonly Tensor[], inputSize: number, blocks: number): Found | undefined {
  const fits = (W: Tensor, U: Tensor): KernelReading | undefined => {
    const units = Math.min(...U.shape);
    if (Math.max(...U.shape) !== blocks * units) return undefined;
    const kernel = layouts(W, [inputSize, blocks * units], units);
    const recurrentKernel = layouts(U, [units, blocks * units], units);
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
function joinedOf(
  matrices: readonly Tensor[],
  inputSize: number,
  blocks: number,
): Found | undefined {
  for (const matrix of matrices) {
    for (const turned of [false, true]) {
      const joined = turned ? matrix.transpose() : matrix;
      const [rows, columns] = joined.shape as [number, number];
      const units = rows - inputSize;
      if (units < 1 || columns !== blocks * units) continue;
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
    kernel: layouts(matrix, [units, classes]),
    bias: given ?? new Tensor(new Float64Array(classes), [classes]),
  };
}
