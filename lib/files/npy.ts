import { refuseOptions } from "../base/options.ts";
import { dump, parse } from "npyjs";
import { Tensor, type TensorData } from "../tensor/tensor.ts";
import { type NpyHeader, type NpyKind, readNpyHeader } from "./npy_header.ts";
import { openFile } from "./open.ts";
import type { Source } from "./source.ts";
import { UnreadableFileError } from "./unreadable.ts";

/**
 * Reads a NumPy array from a `.npy` file, as `np.save("x.npy", x)` writes it.
 *
 * float64, float32 and int32 keep their kind. float16 becomes float32; bool, int8, int16, uint8 and
 * uint16 become int32; uint32, int64 and uint64 become float64. Fortran order and big-endian numbers
 * are read right.
 *
 * @param source a path, a URL or the bytes
 * @returns the array in its own shape, `[]` for a single number
 * @throws {UnreadableFileError} where the file cannot be read, is damaged, cut short or followed by
 * something else, holds no numbers (Python objects, text, complex numbers), or holds an integer
 * beyond ±(2⁵³ − 1), which float64 would round.
 * @throws {TypeError} where the source is of no kind that is read.
 *
 * @example
 * ```ts
 * import { loadNpy } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 * import { dump } from "npyjs";
 *
 * const file = await Deno.makeTempFile({ suffix: ".npy" });
 * await Deno.writeFile(file, new Uint8Array(dump(new Float32Array([1, 2, 3, 4, 5, 6]), [3, 2])));
 *
 * const x = await loadNpy(file);
 * assertEquals(x.toArray(), [[1, 2], [3, 4], [5, 6]]);
 * await Deno.remove(file);
 * ```
 */
export async function loadNpy(source: Source): Promise<Tensor> {
  refuseOptions("read a .npy", arguments, 1);
  return await openFile(source, ({ bytes }) => decodeNpy(bytes));
}

/** The array in the bytes of a .npy file. */
export function decodeNpy(bytes: Uint8Array): Tensor {
  const header = readNpyHeader(bytes);
  // bool comes as a plain array of true and false, whatever the declaration says
  const numbers = parse(plainFile(bytes, header)).data as unknown as Numbers;
  const data = asTensorData(numbers, header.kind);
  return new Tensor(header.fortranOrder ? rowByRow(data, header.shape) : data, header.shape);
}

/** The bytes of a .npy file that NumPy reads: version 1.0, little-endian, row by row. */
export function encodeNpy(tensor: Tensor): Uint8Array {
  return new Uint8Array(dump(tensor.data, [...tensor.shape]));
}

type Numbers = ArrayLike<number | bigint | boolean>;

/**
 * The same numbers as a .npy file that npyjs cannot read otherwise than we do: little-endian, the
 * header rewritten from what was checked, and the numbers at a multiple of 64, since npyjs views
 * them in place. A copy, so that no tensor shares memory with the bytes that were given.
 */
function plainFile(bytes: Uint8Array, header: NpyHeader): ArrayBuffer {
  const { kind, itemSize, bigEndian, dataOffset } = header;
  const order = itemSize === 1 ? "|" : "<";
  const count = (bytes.length - dataOffset) / itemSize;
  const text = `{'descr': '${order}${kind}', 'fortran_order': False, 'shape': (${count},), }`;
  const file = new Uint8Array(128 + bytes.length - dataOffset);
  file.set(bytes.subarray(0, 6)); // the magic
  file.set([1, 0, 118, 0], 6); // version 1.0; 118 bytes of text end at 128
  file.set(new TextEncoder().encode(text.padEnd(117) + "\n"), 10);
  file.set(bytes.subarray(dataOffset), 128);
  for (let at = 128; bigEndian && at < file.length; at += itemSize) {
    file.subarray(at, at + itemSize).reverse();
  }
  return file.buffer;
}

function asTensorData(numbers: Numbers, kind: NpyKind): TensorData {
  switch (kind) {
    case "f8":
    case "f4":
    case "f2": // npyjs widens float16 to float32
    case "i4":
      return numbers as TensorData;
    case "u4":
      return new Float64Array(numbers as ArrayLike<number>);
    case "i8":
    case "u8":
      return exactly(numbers as ArrayLike<bigint>);
    default: // b1, i1, i2, u1, u2
      return new Int32Array(numbers as ArrayLike<number>);
  }
}

function exactly(integers: ArrayLike<bigint>): Float64Array<ArrayBuffer> {
  const numbers = new Float64Array(integers.length);
  for (let k = 0; k < numbers.length; k++) {
    numbers[k] = Number(integers[k]!);
    if (!Number.isSafeInteger(numbers[k])) {
      throw new UnreadableFileError(
        `its 64-bit integers must lie within ±(2^53 - 1), or float64 rounds them ` +
          `(np.save(f, a.astype("float64")) rounds them first)`,
        `the value is ${integers[k]}`,
      );
    }
  }
  return numbers;
}

/** Numbers whose first axis ran fastest, so that the last one does; any number of axes. */
function rowByRow(data: TensorData, shape: readonly number[]): TensorData {
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
  const index = shape.map(() => 0);
  const result = data.slice();
  for (let to = 0, from = 0; to < result.length; to++) {
    result[to] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) { // the next index, and where it lies
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}
