import { refuseOptions } from "../base/options.ts";
import { dump } from "npyjs";
import { Tensor, type TensorData } from "../tensor/tensor.ts";
import { readNpyHeader } from "./npy_header.ts";
import { decodeNumbers } from "./number_kinds.ts";
import { openFile } from "./open.ts";
import type { Source } from "./source.ts";

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
  const { kind, itemSize, bigEndian, fortranOrder, shape, dataOffset } = readNpyHeader(bytes);
  const numbers = bytes.slice(dataOffset); // a copy: no tensor shares memory with what was given
  for (let at = 0; bigEndian && at < numbers.length; at += itemSize) {
    numbers.subarray(at, at + itemSize).reverse();
  }
  const data = decodeNumbers(numbers.buffer, kind);
  return new Tensor(fortranOrder ? rowByRow(data, shape) : data, shape);
}

/** The bytes of a .npy file that NumPy reads: version 1.0, little-endian, row by row. */
export function encodeNpy(tensor: Tensor): Uint8Array {
  return new Uint8Array(dump(tensor.data, [...tensor.shape]));
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
