import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { checkObject } from "./hdf5_header.ts";
import type { Hdf5Walk } from "./hdf5_walk.ts";
import { walkInWorker } from "./hdf5_worker.ts";
import { decodeNumbers, itemSizeOf, type NumberKind } from "./number_kinds.ts";
import { describeStart } from "./file_kinds.ts";
import { UnreadableFileError, within } from "./unreadable.ts";
import { MAX_UNPACKED_BYTES } from "./zip.ts";

/** What an HDF5 file holds, each object under its path without the slash in front. */
export interface Hdf5File {
  /** The arrays of numbers, by path: `layers/lstm/cell/vars/0`. */
  readonly arrays: ReadonlyMap<string, Tensor>;
  /** What is there besides and is not read, by path, and its kind: `text`, `compound`, … */
  readonly others: ReadonlyMap<string, string>;
  /** The attributes that are texts or lists of them, by path and name; the root's path is empty. */
  readonly attributes: ReadonlyMap<string, ReadonlyMap<string, string | readonly string[]>>;
}

/** How far a file may go. */
export interface Hdf5Bounds {
  /** Milliseconds until reading is ended: 10 s, and 1 s more for every 10 MB, unless said. */
  readonly timeLimit?: number;
}

const SIGNATURE = "\x89HDF\r\n\x1a\n"; // HDF5 File Format Specification, section II.A
const LIMITS = { // far beyond any model's
  ...{ bytes: MAX_UNPACKED_BYTES, letters: 2 ** 25, memory: 2 ** 27 },
  ...{ objects: 20_000, depth: 32 },
};

/**
 * All arrays and texts of an HDF5 file, through h5wasm (loaded when first used).
 *
 * @param bytes the file
 * @throws {UnreadableFileError} where it is none, is damaged, holds links that lead elsewhere, would
 * take more memory than its bytes can fill, or is not read within its time.
 */
export async function readHdf5(
  bytes: Uint8Array,
  { timeLimit = 10_000 + bytes.length / 10_000 }: Hdf5Bounds = {},
): Promise<Hdf5File> {
  if (!String.fromCharCode(...bytes.subarray(0, 8)).startsWith(SIGNATURE)) {
    const cut = bytes.length > 0 && bytes.length < 8 && bytes[0] === 0x89;
    const state = cut ? "the file is cut short" : describeStart(bytes);
    throw new UnreadableFileError("an HDF5 file begins with \\x89HDF", state);
  }
  const answer = await walkInWorker(bytes, LIMITS, timeLimit);
  if (!("walk" in answer)) {
    const { rule = "HDF5 must be able to read it", reason, diagnosis } = answer;
    const state = answer.rule === undefined ? `reading it failed: ${innermost(reason)}` : reason;
    throw new UnreadableFileError(rule, state, { cause: new Error(diagnosis) });
  }
  const { arrays, others, objects, texts } = answer.walk;
  for (const object of objects) within(object.path, () => checkObject(bytes, object));
  const attributes = new Map<string, Map<string, string | readonly string[]>>();
  for (const [path, key, text] of texts) {
    const place = attributes.get(path.slice(1)) ?? new Map<string, string | readonly string[]>();
    attributes.set(path.slice(1), place.set(key, text));
  }
  return {
    arrays: new Map(arrays.map((array) => {
      const path = array.path.slice(1);
      return [path, within(path, () => tensorOf(array))];
    })),
    others: new Map(others.map(([path, kind]) => [path.slice(1), kind])),
    attributes,
  };
}

function tensorOf({ shape, kind, buffer }: Hdf5Walk["arrays"][number]): Tensor {
  if (!["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"].includes(kind)) {
    const rule = "its numbers must be float16, float32, float64 or integers";
    throw new UnreadableFileError(rule, `the kind is ${kind}, the letter and the bytes of one`);
  }
  const known = kind as NumberKind;
  if (sizeOf(shape) * itemSizeOf(known) !== buffer.byteLength) {
    const state = `the shape [${shape}] is of ${buffer.byteLength} bytes`;
    throw new UnreadableFileError("its shape must fit its numbers", state);
  }
  return new Tensor(decodeNumbers(buffer, known), shape);
}

/** The end of HDF5's stack of errors: where the trouble began. */
function innermost(diagnosis: string): string {
  const lines = [...diagnosis.matchAll(/^ {2}#\d+: .*?: (.*)$/gm)];
  return lines.at(-1)?.[1] ?? diagnosis.split("\n")[0]!;
}
