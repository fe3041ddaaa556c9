import { byteLengthOf, itemSizeOf, type NumberKind } from "./number_kinds.ts";
import { describeStart } from "./file_kinds.ts";
import { UnreadableFileError } from "./unreadable.ts";

// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

/** What the header of a .npy file says, each part of it checked against the bytes present. */
export interface NpyHeader {
  readonly kind: NumberKind;
  /** Bytes of one number. */
  readonly itemSize: number;
  readonly bigEndian: boolean;
  /** Whether the first axis runs fastest. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the numbers begin. */
  readonly dataOffset: number;
}

const MAGIC = "\x93NUMPY";
const MAX_HEADER = 10_000; // bytes; numpy/lib/_format_impl.py, _MAX_HEADER_SIZE
const MAX_AXES = 64; // NPY_MAXDIMS of NumPy 2
const KINDS = /^(b1|[iu][1248]|f[248])$/; // as they are named after the byte order

/**
 * The header of a .npy file.
 *
 * @throws {UnreadableFileError} where it is not one, is of a kind that is not read, or tells of more
 * or fewer numbers than there are bytes.
 */
export function readNpyHeader(bytes: Uint8Array): NpyHeader {
  const { text, dataOffset } = headerText(bytes);
  if (/['"]descr['"]\s*:\s*[[({]/.test(text)) {
    throw new UnreadableFileError(
      `its elements must be plain numbers (np.save(f, a["field"]) saves one field)`,
      "the array is structured",
    );
  }
  const entries = headerEntries(text);
  const { kind, bigEndian } = numberKind(entries.descr);
  const itemSize = itemSizeOf(kind);
  const shape = axes(entries.shape);
  const expected = byteLengthOf(shape, kind);
  const present = bytes.length - dataOffset;
  if (present !== expected) {
    throw new UnreadableFileError(
      `the shape (${entries.shape}) of ${entries.descr} takes ${expected} bytes after the header`,
      `the file has ${present} there, ${
        present < expected ? "so it is cut short" : "so something follows the array"
      }`,
    );
  }
  return { kind, itemSize, bigEndian, fortranOrder: entries.fortranOrder, shape, dataOffset };
}

/** The text between the length and the numbers: `{'descr': '<f8', 'fortran_order': False, …}`. */
function headerText(bytes: Uint8Array): { text: string; dataOffset: number } {
  const start = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (start !== MAGIC && !(bytes.length > 0 && MAGIC.startsWith(start))) {
    throw new UnreadableFileError(`a .npy file begins with \\x93NUMPY`, describeStart(bytes));
  }
  const [major = 1, minor = 0] = bytes.subarray(6, 8);
  if (major < 1 || major > 3 || minor !== 0) {
    const version = `the version is ${major}.${minor}`;
    throw new UnreadableFileError("a .npy file is of version 1.0, 2.0 or 3.0", version);
  }
  const textOffset = major === 1 ? 10 : 12; // after a length of two bytes or four
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < textOffset
    ? 0
    : major === 1
    ? view.getUint16(8, true)
    : view.getUint32(8, true);
  if (length > MAX_HEADER) {
    const found = `the length is ${length}`;
    throw new UnreadableFileError(`its header has at most ${MAX_HEADER} bytes`, found);
  }
  const dataOffset = textOffset + length;
  if (dataOffset > bytes.length) {
    throw new UnreadableFileError(
      `its header takes ${dataOffset} bytes`,
      `the file ends after ${bytes.length}, so it is cut short`,
    );
  }
  return { text: new TextDecoder().decode(bytes.subarray(textOffset, dataOffset)), dataOffset };
}

/** The three entries of the Python dictionary, in any order, nothing besides them. */
function headerEntries(
  text: string,
): { descr: string; fortranOrder: boolean; shape: string } {
  const inside = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1] ?? "";
  const entry =
    /\s*(?:(['"])descr\1\s*:\s*(['"])([^'"\\]*)\2|(['"])fortran_order\4\s*:\s*(True|False)|(['"])shape\6\s*:\s*\(([^()]*)\))\s*(,\s*|$)/y;
  let descr: string | undefined, order: string | undefined, shape: string | undefined;
  let count = 0;
  while (entry.lastIndex < inside.length) {
    const found = entry.exec(inside);
    if (found === null) break;
    descr = found[3] ?? descr;
    order = found[5] ?? order;
    shape = found[7] ?? shape;
    count += 1;
    if (entry.lastIndex === inside.length && count === 3) {
      if (descr === undefined || order === undefined || shape === undefined) break;
      return { descr, fortranOrder: order === "True", shape: shape.trim() };
    }
  }
  throw new UnreadableFileError(
    "its header must be a dictionary of descr, fortran_order and shape",
    `the header is ${JSON.stringify(text.trim().slice(0, 200))}`,
  );
}

function numberKind(descr: string): { kind: NumberKind; bigEndian: boolean } {
  const order = descr[0];
  const kind = descr.slice(1);
  if (KINDS.test(kind) && (order === "<" || order === ">" || (order === "|" && kind[1] === "1"))) {
    return { kind: kind as NumberKind, bigEndian: order === ">" };
  }
  throw new UnreadableFileError(
    `its elements must be numbers of at most 64 bits (${advice(kind)})`,
    `the dtype is ${JSON.stringify(descr)}`,
  );
}

/** What to write in Python instead; the letters are those of NumPy's array interface. */
function advice(kind: string): string {
  switch (kind[0]) {
    case "O":
      return "Python objects are pickled; np.savez(f, *model.get_weights()) saves arrays of several shapes";
    case "c":
      return "np.save(f, a.real) and np.save(f, a.imag) save complex numbers in two files";
    case "M":
    case "m":
      return `np.save(f, a.astype("int64")) saves times as numbers`;
    case "U":
    case "S":
      return "text is not read";
    default:
      return `np.save(f, a.astype("float32")) saves them so, bfloat16 too`;
  }
}

/** The lengths in `4, 3, 2`, in `4,` and in nothing, which is a single number's. */
function axes(tuple: string): number[] {
  const lengths = tuple === "" ? [] : tuple.replace(/,$/, "").split(",").map((text) => text.trim());
  const isTuple = lengths.length !== 1 || tuple.endsWith(",");
  if (
    !isTuple || lengths.length > MAX_AXES ||
    !lengths.every((length) => /^(0|[1-9]\d*)L?$/.test(length)) || // Python 2 wrote 4L
    !lengths.every((length) => Number.isSafeInteger(parseInt(length)))
  ) {
    throw new UnreadableFileError(
      `its shape must be a tuple of at most ${MAX_AXES} whole numbers`,
      `the shape is (${tuple.slice(0, 200)})`,
    );
  }
  return lengths.map((length) => parseInt(length));
}
