// Raw numbers of the formats that name their kind: NumPy, HDF5, safetensors, ONNX, PyTorch, TF.js.

import type { TensorData } from "../tensor/tensor.ts";
import { UnreadableFileError } from "./unreadable.ts";

/** A kind of number: its letter (bool, integer, unsigned, float, bfloat) and its bytes. */
export type NumberKind =
  | ("b1" | "i1" | "i2" | "i4" | "i8" | "u1" | "u2" | "u4" | "u8")
  | ("f2" | "f4" | "f8" | "bf2");

/** The bytes of one number. */
export function itemSizeOf(kind: NumberKind): number {
  return Number(kind.at(-1));
}

/**
 * The bytes that an array takes. An axis of 0 does not hide the overflow of the others, as in NumPy.
 *
 * @throws {UnreadableFileError} where its numbers or their bytes cannot be counted in float64.
 */
export function byteLengthOf(shape: readonly number[], kind: NumberKind): number {
  const whole = shape.filter((length) => length !== 0).reduce((a, b) => a * b, itemSizeOf(kind));
  if (shape.every((length) => length >= 0) && Number.isSafeInteger(whole)) {
    return shape.includes(0) ? 0 : whole;
  }
  throw new UnreadableFileError("its numbers must be countable", `the shape is [${shape}]`);
}

/**
 * Numbers as a tensor holds them: float64, float32 and int32 keep their kind; float16 and bfloat16
 * become float32; bool and the smaller integers int32; uint32 and the 64-bit integers float64.
 *
 * @param bytes as many as the numbers take, little-endian; copied, unless they are a whole
 * ArrayBuffer, which is kept
 * @param kind what they are
 * @throws {UnreadableFileError} where an integer lies beyond ±(2⁵³ − 1), which float64 would round.
 */
export function decodeNumbers(
  bytes: Uint8Array | ArrayBuffer,
  kind: NumberKind,
): TensorData {
  // a buffer of its own: aligned, and no tensor shares the file's memory
  const buffer = bytes instanceof ArrayBuffer ? bytes : bytes.slice().buffer;
  switch (kind) {
    case "f8":
      return new Float64Array(buffer);
    case "f4":
      return new Float32Array(buffer);
    case "i4":
      return new Int32Array(buffer);
    case "f2":
      return Float32Array.from(new Uint16Array(buffer), halfToNumber);
    case "bf2":
      return widened(new Uint16Array(buffer));
    case "u4":
      return Float64Array.from(new Uint32Array(buffer));
    case "i8":
      return exactly(new BigInt64Array(buffer));
    case "u8":
      return exactly(new BigUint64Array(buffer));
    case "i2":
      return Int32Array.from(new Int16Array(buffer));
    case "u2":
      return Int32Array.from(new Uint16Array(buffer));
    case "i1":
      return Int32Array.from(new Int8Array(buffer));
    case "u1":
      return Int32Array.from(new Uint8Array(buffer));
    case "b1":
      return Int32Array.from(new Uint8Array(buffer), (byte) => byte === 0 ? 0 : 1);
  }
}

/** A float16, as IEEE 754 writes it: a sign, 5 bits of exponent, 10 of fraction. */
function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = half >> 10 & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign *
    (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** A bfloat16 is the upper half of a float32. */
function widened(halves: Uint16Array): Float32Array<ArrayBuffer> {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

/**
 * Integers of 64 bits in float64.
 *
 * @throws {UnreadableFileError} where one lies beyond ±(2⁵³ − 1).
 */
export function exactly(integers: ArrayLike<number | bigint>): Float64Array<ArrayBuffer> {
  const numbers = new Float64Array(integers.length);
  for (let k = 0; k < numbers.length; k++) {
    numbers[k] = Number(integers[k]!);
    if (!Number.isSafeInteger(numbers[k])) {
      throw new UnreadableFileError(
        "its 64-bit integers must lie within ±(2^53 - 1), or float64 rounds them " +
          `(in Python, a.astype("float64") does so first)`,
        `the value is ${integers[k]}`,
      );
    }
  }
  return numbers;
}
