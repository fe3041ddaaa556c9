import { refuseOptions } from "../base/options.ts";
import { kindOf } from "../base/kind.ts";
import { shownAs } from "../base/shown.ts";
import { formatShape, resolveAxis, resolveIndex, sizeOf } from "./shape.ts";

/** The number kinds a {@linkcode Tensor} holds: float64, float32 and int32. */
export type TensorData =
  | Float64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>;

/** Numbers nested in arrays, all rows equally long: `[[1, 2], [3, 4]]` has the shape `[2, 2]`. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** What every function accepts where it wants numbers: a tensor, nested arrays, a typed array. */
export type TensorLike = Tensor | NestedNumbers | Float64Array | Float32Array | Int32Array;

/**
 * Numbers in a shape: the last axis runs fastest, as in NumPy.
 *
 * Nothing in this package writes into a tensor that it was given; `reshape` and `at` share their
 * numbers with the tensor they come from, as NumPy's views do.
 *
 * @example
 * ```ts
 * import { arange } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const X = arange(24).reshape([4, 3, 2]); // batch, timesteps, inputSize
 * assertEquals(X.at(0).toArray(), [[0, 1], [2, 3], [4, 5]]);
 * assertEquals(X.select(1, 0).toArray(), [[0, 1], [6, 7], [12, 13], [18, 19]]);
 * assertEquals(X.item(3, 2, 1), 23);
 * ```
 */
export class Tensor {
  /** The numbers, row by row. */
  readonly data: TensorData;
  /** The length of each axis, `[]` for a scalar. */
  readonly shape: readonly number[];

  /**
   * A tensor over these very numbers (not a copy). {@linkcode tensor} is the usual way to make one.
   *
   * @throws {TypeError} where the shape does not hold as many numbers as there are.
   */
  constructor(data: TensorData, shape: readonly number[]) {
    if (!isTypedArray(data)) {
      throw new TypeError(
        `Cannot make a tensor: its data must be a Float64Array, Float32Array or Int32Array ` +
          `(tensor() takes any numbers), but ${kindOf(data)} was given`,
      );
    }
    requireShape("make a tensor", shape);
    if (!shape.every((length) => Number.isInteger(length) && length >= 0)) {
      throw new TypeError(
        `Cannot make a tensor: each axis must be a whole number from 0, ` +
          `but the shape is ${formatShape(shape)}`,
      );
    }
    if (sizeOf(shape) !== data.length) {
      throw new TypeError(
        `Cannot make a tensor: the shape ${formatShape(shape)} holds ${sizeOf(shape)} numbers, ` +
          `but the data has ${data.length}`,
      );
    }
    this.data = data;
    this.shape = Object.freeze([...shape]);
  }

  /** The same numbers in another shape; one axis may be -1 and is worked out from the others. */
  reshape(shape: readonly number[]): Tensor {
    requireShape("reshape", shape);
    const known = sizeOf(shape.filter((length) => length !== -1));
    const resolved = shape.map((length) => length === -1 ? this.data.length / known : length);
    if (
      shape.filter((length) => length === -1).length > 1 || sizeOf(resolved) !== this.data.length ||
      !resolved.every(Number.isInteger)
    ) {
      throw new TypeError(
        `Cannot reshape to ${
          formatShape(shape)
        }: a tensor keeps its ${this.data.length} numbers, ` +
          `but its shape is ${formatShape(this.shape)}`,
      );
    }
    return new Tensor(this.data, resolved);
  }

  /** The part at these leading indices, NumPy's `X[i, j]`; -1 is the last one. */
  at(...indices: number[]): Tensor {
    if (indices.length > this.shape.length) {
      throw new TypeError(
        `Cannot take at(${indices.join(", ")}): there are ${this.shape.length} axes, ` +
          `but its shape is ${formatShape(this.shape)}`,
      );
    }
    const rest = this.shape.slice(indices.length);
    const size = sizeOf(rest);
    const offset = indices.reduce((before, index, axis) => {
      const length = this.shape[axis]!;
      return before * length + resolveIndex(index, length, `take at(${indices.join(", ")})`);
    }, 0) * size;
    return new Tensor(this.data.subarray(offset, offset + size), rest);
  }

  /** The part at one index of one axis: `x.select(1, t)` is NumPy's `x[:, t]`. A copy. */
  select(axis: number, index: number): Tensor {
    const at = resolveAxis(axis, this.shape, "select");
    const length = this.shape[at]!;
    const chosen = resolveIndex(index, length, `select(${axis}, ${index})`);
    const outer = sizeOf(this.shape.slice(0, at));
    const inner = sizeOf(this.shape.slice(at + 1));
    const data = emptyLike(this.data, outer * inner);
    for (let o = 0; o < outer; o++) {
      const start = (o * length + chosen) * inner;
      data.set(this.data.subarray(start, start + inner), o * inner);
    }
    return new Tensor(data, this.shape.toSpliced(at, 1));
  }

  /**
   * The axes in another order, NumPy's `x.transpose(axes)`: `x.transpose([1, 0, 2])` is
   * `[timesteps, batch, inputSize]` where x is `[batch, timesteps, inputSize]`. A copy.
   *
   * @param axes each axis once; -1 is the last one. Default: all, from the last to the first, so that
   * a matrix's rows become its columns.
   * @throws {TypeError} where axes is no list that names each axis once.
   * @throws {RangeError} where there is no such axis.
   */
  transpose(axes?: readonly number[]): Tensor {
    const order = axes === undefined
      ? this.shape.map((_, axis) => axis).reverse()
      : orderOfAxes(axes, this.shape);
    const lengths = order.map((axis) => this.shape[axis]!);
    const steps = order.map((axis) => sizeOf(this.shape.slice(axis + 1)));
    const [last, length, step] = [order.length - 1, lengths.at(-1) ?? 1, steps.at(-1) ?? 0];
    const data = emptyLike(this.data, this.data.length);
    let to = 0;
    const copy = (axis: number, from: number) => {
      if (axis < last) {
        for (let k = 0; k < lengths[axis]!; k++) copy(axis + 1, from + k * steps[axis]!);
      } else {
        for (let k = 0; k < length; k++) data[to++] = this.data[from + k * step]!;
      }
    };
    copy(0, 0);
    return new Tensor(data, lengths);
  }

  /** One number: an index for every axis, none for a scalar. */
  item(...indices: number[]): number {
    if (indices.length !== this.shape.length) {
      throw new TypeError(
        `Cannot take item(${indices.join(", ")}): each of the axes wants an index, ` +
          `but its shape is ${formatShape(this.shape)}`,
      );
    }
    return this.at(...indices).data[0]!;
  }

  /** The numbers nested in plain arrays; a plain number for a scalar. */
  toArray(): NestedNumbers {
    if (this.shape.length === 0) return this.data[0]!;
    if (this.shape.length === 1) return Array.from(this.data);
    return Array.from({ length: this.shape[0]! }, (_, index) => this.at(index).toArray());
  }
}
shownAs("Tensor", Tensor.prototype);

/**
 * A tensor of nested arrays, of a flat array with its shape, or of one number. Plain numbers become
 * float64, typed arrays keep their kind; the numbers are copied.
 *
 * @throws {TypeError} where rows differ in length, an element is no number, or the shape does not
 * fit.
 *
 * @example
 * ```ts
 * import { tensor } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tensor([[1, 2, 3], [4, 5, 6]]).shape, [2, 3]);
 * assertEquals(tensor(new Float32Array(6), [2, 3]).shape, [2, 3]);
 * ```
 */
export function tensor(values: TensorLike, shape?: readonly number[]): Tensor {
  refuseOptions("make a tensor", arguments, 2);
  const whole = values instanceof Tensor
    ? new Tensor(values.data.slice(), values.shape)
    : asTensor(isTypedArray(values) ? values.slice() : values);
  return shape === undefined ? whole : whole.reshape(shape);
}

/**
 * The numbers 0, 1, … below `stop`, as float64: NumPy's `np.arange(stop)`.
 *
 * @example
 * ```ts
 * import { arange } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(arange(4).toArray(), [0, 1, 2, 3]);
 * ```
 */
export function arange(stop: number): Tensor {
  refuseOptions("count up", arguments, 1);
  if (!Number.isInteger(stop) || stop < 0) {
    throw new RangeError(
      `Cannot count up: stop must be a whole number from 0, but stop is ${stop}`,
    );
  }
  return new Tensor(Float64Array.from({ length: stop }, (_, index) => index), [stop]);
}

export function requireShape(action: string, shape: unknown): void {
  if (Array.isArray(shape)) return;
  throw new TypeError(
    `Cannot ${action}: the shape must be a list such as [4, 3, 2], but ${kindOf(shape)} was given`,
  );
}

function orderOfAxes(axes: unknown, shape: readonly number[]): number[] {
  const wrong = (found: string) =>
    new TypeError(
      `Cannot transpose: the axes must be a list that names each axis once, such as ` +
        `${formatShape(shape.map((_, axis) => axis).reverse())}, but ${found}`,
    );
  if (!Array.isArray(axes)) throw wrong(`${kindOf(axes)} was given`);
  const order = axes.map((axis) => resolveAxis(axis, shape, "transpose"));
  if (order.length === shape.length && new Set(order).size === order.length) return order;
  throw wrong(`they are ${formatShape(axes)} and the shape is ${formatShape(shape)}`);
}

/** What was given, as a tensor: a tensor itself, anything else converted (typed arrays shared). */
export function asTensor(values: TensorLike): Tensor {
  if (values instanceof Tensor) return values;
  if (isTypedArray(values)) return new Tensor(values as TensorData, [values.length]);
  const shape = shapeOf(values);
  const data = new Float64Array(sizeOf(shape));
  fill(data, 0, values, shape);
  return new Tensor(data, shape);
}

/** A tensor that nobody else writes into. */
export function copyOf({ data, shape }: Tensor): Tensor {
  return new Tensor(data.slice(), shape);
}

/** A tensor whose numbers are float64, itself where they are already. */
export function asFloat64(
  values: TensorLike,
): Tensor & { readonly data: Float64Array<ArrayBuffer> } {
  const given = asTensor(values);
  const data = given.data instanceof Float64Array ? given.data : new Float64Array(given.data);
  return (data === given.data ? given : new Tensor(data, given.shape)) as Tensor & {
    readonly data: Float64Array<ArrayBuffer>;
  };
}

/** A tensor whose numbers are float32, itself where they are already. */
export function asFloat32(values: TensorLike): Tensor {
  const given = asTensor(values);
  return given.data instanceof Float32Array
    ? given
    : new Tensor(new Float32Array(given.data), given.shape);
}

export function isTypedArray(values: unknown): values is Float64Array | Float32Array | Int32Array {
  return values instanceof Float64Array || values instanceof Float32Array ||
    values instanceof Int32Array;
}

export function emptyLike(data: TensorData, length: number): TensorData {
  if (data instanceof Float64Array) return new Float64Array(length);
  return data instanceof Float32Array ? new Float32Array(length) : new Int32Array(length);
}

/** The shape as the first elements tell it; `fill` checks that all others agree. */
export function shapeOf(values: NestedNumbers): number[] {
  const shape: number[] = [];
  for (let inner: NestedNumbers | undefined = values; Array.isArray(inner); inner = inner[0]) {
    shape.push(inner.length);
  }
  return shape;
}

export function fill(
  data: Float64Array,
  at: number,
  values: NestedNumbers,
  shape: readonly number[],
): number {
  if (shape.length === 0 && typeof values === "number") {
    data[at] = values;
    return at + 1;
  }
  if (!Array.isArray(values) || values.length !== shape[0] || shape.length === 0) {
    const found = Array.isArray(values) ? `${values.length} elements` : typeof values;
    throw new TypeError(
      typeof values === "number" || Array.isArray(values)
        ? `Cannot make a tensor: all rows must be equally long, ` +
          `but one has ${found} where ${shape[0] ?? "a number"} ${
            shape.length ? "were" : "was"
          } expected`
        : `Cannot make a tensor: every element must be a number, but one is ${kindOf(values)}`,
    );
  }
  for (const inner of values) at = fill(data, at, inner, shape.slice(1));
  return at;
}
