// NumPy's arrays in their bytes; loaded when a file of them is read or written.

import { dump } from "npyjs";
import { Tensor } from "../tensor/tensor.ts";
import { readNpyHeader } from "./npy_header.ts";
import { decodeNumbers } from "./number_kinds.ts";
import { openFile } from "./open.ts";
import { type Source, writeFile } from "./source.ts";

/** What `loadNpy` does. */
export async function readNpy(source: Source): Promise<Tensor> {
  return await openFile(source, ({ bytes }) => decodeNpy(bytes));
}

/** What `saveNpy` does. */
export async function writeNpy(target: string | URL, tensor: Tensor): Promise<void> {
  await writeFile(target, encodeNpy(tensor));
}

/** The array in the bytes of a .npy file. */
export function decodeNpy(bytes: Uint8Array): Tensor {
  const { kind, itemSize, bigEndian, fortranOrder, shape, dataOffset } = readNpyHeader(bytes);
  const numbers = bytes.slice(dataOffset); // a copy: no tensor shares memory with what was given
  for (let at = 0; bigEndian && at < numbers.length; at += itemSize) {
    numbers.subarray(at, at + itemSize).reverse();
  }
  const data = decodeNumbers(numbers.buffer, kind);
  // In Fortran's order the first axis runs fastest: the transpose, row by row.
  return fortranOrder ? new Tensor(data, shape.toReversed()).transpose() : new Tensor(data, shape);
}

/** The bytes of a .npy file that NumPy reads: version 1.0, little-endian, row by row. */
export function encodeNpy(tensor: Tensor): Uint8Array {
  return new Uint8Array(dump(tensor.data, [...tensor.shape]));
}
