import { Tensor, type TensorData } from "../tensor/tensor.ts";
import {
  byteLengthOf,
  decodeNumbers,
  exactly,
  itemSizeOf,
  type NumberKind,
} from "./number_kinds.ts";
import type { OnnxTensor } from "./onnx_schema.ts";
import { UnreadableFileError } from "./unreadable.ts";

/** TensorProto.DataType (onnx/onnx.proto): how the numbers lie in `raw`, and in which list else. */
const DATA_TYPES: Readonly<Record<number, readonly [NumberKind, keyof OnnxTensor]>> = {
  1: ["f4", "floats"],
  2: ["u1", "int32s"],
  3: ["i1", "int32s"],
  4: ["u2", "int32s"],
  5: ["i2", "int32s"],
  6: ["i4", "int32s"],
  7: ["i8", "int64s"],
  9: ["b1", "int32s"],
  10: ["f2", "int32s"],
  11: ["f8", "doubles"],
  12: ["u4", "uint64s"],
  13: ["u8", "uint64s"],
  16: ["bf2", "int32s"],
};

/** What the numbers of a kind may be where each lies in a wider integer. */
const RANGES: Readonly<Partial<Record<NumberKind, readonly [least: number, most: number]>>> = {
  u1: [0, 255],
  i1: [-128, 127],
  u2: [0, 65535],
  i2: [-32768, 32767],
  i4: [-(2 ** 31), 2 ** 31 - 1],
  u4: [0, 2 ** 32 - 1],
};

const EXTERNAL = 1; // TensorProto.DataLocation

/** Reads a file that the model names; an array needs so many of its bytes. */
export type ReadExternal = (path: string, needed: number) => Promise<Uint8Array>;

/**
 * An array of a model, its numbers from wherever they lie.
 *
 * @throws {UnreadableFileError} where there are more or fewer than the shape says, or they are of a
 * kind that is not read.
 */
export async function tensorOf(
  given: OnnxTensor,
  readExternal: ReadExternal,
): Promise<Tensor> {
  const { dataType = 0, shape: axes = [] } = given;
  const [kind, list] = DATA_TYPES[Number(dataType)] ?? [];
  if (kind === undefined || list === undefined) {
    const rule = "its numbers must be bool, integers or floats of 16 bits or more";
    throw new UnreadableFileError(rule, `the data type is ${dataType} of TensorProto.DataType`);
  }
  const shape = axes.map(Number);
  const needed = byteLengthOf(shape, kind);
  const fits = (present: number, wanted: number, what: string) => {
    if (present === wanted) return;
    const rule = `the shape [${shape}] takes ${wanted} ${what}`;
    throw new UnreadableFileError(rule, `the count is ${present}`);
  };
  if (given.location === EXTERNAL) {
    const bytes = await externalPart(given, needed, readExternal);
    return new Tensor(decoded(bytes, kind), shape);
  }
  if (given.raw !== undefined) {
    fits(given.raw.length, needed, "bytes");
    return new Tensor(decoded(given.raw, kind), shape);
  }
  const values = (given[list] ?? []) as readonly (number | bigint)[];
  fits(values.length, needed / itemSizeOf(kind), "numbers");
  return new Tensor(fromList(values, kind), shape);
}

/** The largest and the smallest integers of 64 bits stand for the end of an axis: any of so many. */
const ENDS: readonly bigint[] = [2n ** 63n - 1n, 1n - 2n ** 63n, -(2n ** 63n)];

/** Integers of 64 bits; those that stand for the end of an axis as float64 has them, ±2⁶³. */
function integers(values: readonly (number | bigint)[]): Float64Array<ArrayBuffer> {
  const isEnd = values.map((value) => typeof value === "bigint" && ENDS.includes(value));
  const numbers = exactly(values.map((value, k) => isEnd[k] ? 0 : value));
  isEnd.forEach((one, k) => one && (numbers[k] = Number(values[k])));
  return numbers;
}

function decoded(bytes: Uint8Array, kind: NumberKind): TensorData {
  if (kind !== "i8") return decodeNumbers(bytes, kind);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const each = Array.from({ length: bytes.length / 8 }, (_, k) => view.getBigInt64(8 * k, true));
  return integers(each);
}

function fromList(
  values: readonly (number | bigint)[],
  kind: NumberKind,
): TensorData {
  if (kind === "f2" || kind === "bf2") { // 16 bits as they are, each in an integer
    const halves = Uint16Array.from(values, Number);
    return decodeNumbers(new Uint8Array(halves.buffer), kind);
  }
  if (kind === "f8") return Float64Array.from(values, Number);
  if (kind === "f4") return Float32Array.from(values, Number);
  const numbers = kind === "i8" ? integers(values) : exactly(values);
  const [least, most] = RANGES[kind] ?? [-Infinity, Infinity];
  const outside = numbers.find((value) => value < least || value > most);
  if (outside !== undefined) {
    const rule = `its numbers must lie between ${least} and ${most}`;
    throw new UnreadableFileError(rule, `the value is ${outside}`);
  }
  if (kind === "i8" || kind === "u8" || kind === "u4") return numbers;
  if (kind === "b1") return Int32Array.from(numbers, (value) => value === 0 ? 0 : 1);
  return Int32Array.from(numbers);
}

async function externalPart(
  { external = [] }: OnnxTensor,
  needed: number,
  readExternal: ReadExternal,
): Promise<Uint8Array> {
  const entries = new Map(external.map(({ key = "", value = "" }) => [key, value]));
  const bytes = await readExternal(entries.get("location") ?? "", needed);
  const offset = Number(entries.get("offset") ?? 0);
  const length = Number(entries.get("length") ?? needed);
  if (
    !Number.isSafeInteger(offset) || offset < 0 || length !== needed ||
    offset + length > bytes.length
  ) {
    const rule = `it takes ${needed} bytes of ${
      entries.get("location")
    }, which has ${bytes.length}`;
    throw new UnreadableFileError(rule, `the offset is ${offset}, length ${length}`);
  }
  return bytes.subarray(offset, offset + length);
}
