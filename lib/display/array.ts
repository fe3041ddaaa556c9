// What display takes for numbers: anything with data and a shape, or nested arrays.

import { kindOf } from "../base/kind.ts";

/** An array of numbers in row-major order; a Tensor is one. */
export interface NumberArray {
  /** The numbers, the last axis running fastest. */
  readonly data: ArrayLike<number>;
  /** The length of each axis. */
  readonly shape: readonly number[];
}

/** Numbers in arrays, as deep as there are axes. */
export type NestedArrayLike = ArrayLike<number> | readonly NestedArrayLike[];

/** Whether a value has data and a shape. */
export function isNumberArray(value: unknown): value is NumberArray {
  if (typeof value !== "object" || value === null) return false;
  const { data, shape } = value as Partial<NumberArray>;
  return isArrayLike(data) && Array.isArray(shape) &&
    shape.every((length) => Number.isInteger(length) && length >= 0);
}

/** Whether a value is an array or a typed array. */
export function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/**
 * Takes numbers as data and shape, whatever form they come in.
 *
 * @param value data and shape, a typed array, or nested arrays of numbers
 * @param action what is being done, for the error: "draw a heatmap"
 * @throws {TypeError} If it is none of these, is ragged, or has more or fewer numbers than its
 * shape says.
 */
export function toNumberArray(value: unknown, action: string): NumberArray {
  if (isNumberArray(value)) {
    const size = value.shape.reduce((product, length) => product * length, 1);
    if (size !== value.data.length) {
      throw new TypeError(
        `Cannot ${action}: the data must fill the shape, ` +
          `but there are ${value.data.length} numbers for [${value.shape.join(", ")}]`,
      );
    }
    return value;
  }
  if (!isArrayLike(value)) {
    throw new TypeError(
      `Cannot ${action}: it needs numbers, with data and a shape or in arrays, ` +
        `but the value is ${kindOf(value)}`,
    );
  }
  if (!Array.isArray(value)) return { data: Array.from(value, Number), shape: [value.length] };
  const shape: number[] = [];
  for (let level: unknown = value; isArrayLike(level); level = level[0]) shape.push(level.length);
  const data: number[] = [];
  flatten(value, shape, 0, data, action);
  return { data, shape };
}

function flatten(
  value: unknown,
  shape: readonly number[],
  axis: number,
  data: number[],
  action: string,
): void {
  if (axis === shape.length) {
    if (typeof value !== "number") {
      throw new TypeError(
        `Cannot ${action}: each value must be a number, but one of them is ${kindOf(value)}`,
      );
    }
    data.push(value);
    return;
  }
  if (!isArrayLike(value) || value.length !== shape[axis]) {
    const found = isArrayLike(value) ? `length ${value.length}` : kindOf(value);
    throw new TypeError(
      `Cannot ${action}: arrays on one axis must have one length, ` +
        `but axis ${axis} has length ${shape[axis]} and ${found}`,
    );
  }
  for (let i = 0; i < value.length; i++) flatten(value[i], shape, axis + 1, data, action);
}

/** The names of columns or series; a Map or a model has none, and would be nothing in silence. */
export function requireNamed(value: object, action: string): string[] {
  const names = Object.keys(value);
  if (names.length > 0 || value.constructor === Object) return names;
  throw new TypeError(
    `Cannot ${action}: it needs arrays by name, in an object, but ${kindOf(value)} was given`,
  );
}
