import { quoted } from "../base/quoted.ts";
import { Tensor } from "../tensor/tensor.ts";
import { areCounts, isRecord, parseJson } from "./json.ts";
import { byteLengthOf, decodeNumbers, type NumberKind } from "./number_kinds.ts";
import { describeStart } from "./file_kinds.ts";
import { UnreadableFileError, within } from "./unreadable.ts";

// The format: https://github.com/huggingface/safetensors, README.md and safetensors/src/tensor.rs

/** What a .safetensors file holds. */
export interface SafetensorsFile {
  /** The arrays by name, in the order of their bytes. */
  readonly arrays: ReadonlyMap<string, Tensor>;
  /** The texts under `__metadata__`: who wrote it, mostly. */
  readonly metadata: Readonly<Record<string, string>>;
}

const MAX_AXES = 64; // as NumPy
const MAX_HEADER = 100_000_000; // bytes; tensor.rs, MAX_HEADER_SIZE
const KINDS: Readonly<Record<string, NumberKind>> = {
  BOOL: "b1",
  U8: "u1",
  I8: "i1",
  U16: "u2",
  I16: "i2",
  U32: "u4",
  I32: "i4",
  U64: "u8",
  I64: "i8",
  F16: "f2",
  BF16: "bf2",
  F32: "f4",
  F64: "f8",
};

/**
 * The arrays of a .safetensors file. As the format's own reader does, it refuses a file whose arrays
 * overlap, leave a gap or do not reach to its end.
 *
 * @throws {UnreadableFileError} where it is none or damaged.
 */
export function readSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, data } = split(bytes);
  const entries = Object.entries(header).filter(([key]) => key !== "__metadata__")
    .map(([key, value]) => within(quoted(key), () => entryOf(key, value)))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { key, begin, end } of entries) {
    if (begin !== at) {
      const state = `${quoted(key)} begins at ${begin}, the one before ends at ${at}`;
      throw new UnreadableFileError("its arrays must lie one after the other", state);
    }
    at = end;
  }
  if (at !== data.length) {
    const state = `the file has ${data.length} bytes after its header, so it is ${
      data.length < at ? "cut short" : "followed by something else"
    }`;
    throw new UnreadableFileError(`its arrays take ${at} bytes`, state);
  }
  const arrays = entries.map(({ key, kind, shape, begin, end }) => {
    const numbers = within(quoted(key), () => decodeNumbers(data.subarray(begin, end), kind));
    return [key, new Tensor(numbers, shape)] as const;
  });
  return { arrays: new Map(arrays), metadata: metadataOf(header) };
}

function split(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 8 ? 0n : view.getBigUint64(0, true);
  if (length < 2n || length > MAX_HEADER || bytes.length > 8 && bytes[8] !== 0x7b) {
    const rule = `a .safetensors file begins with the length of its header, at most ${MAX_HEADER}`;
    const found = bytes[8] === 0x7b ? `the length is ${length}` : describeStart(bytes);
    throw new UnreadableFileError(rule, found);
  }
  const end = 8 + Number(length);
  if (end > bytes.length) {
    const state = `the file ends after ${bytes.length}, so it is cut short`;
    throw new UnreadableFileError(`its header takes ${end} bytes`, state);
  }
  const header = within("its header", () => parseJson(bytes.subarray(8, end)));
  if (!isRecord(header)) {
    throw new UnreadableFileError("its header must be an object", "the header is a list");
  }
  return { header, data: bytes.subarray(end) };
}

function entryOf(key: string, value: unknown) {
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : {};
  if (
    typeof dtype !== "string" || !areCounts(shape) || !areCounts(offsets) || offsets.length !== 2
  ) {
    const rule = "each array has a dtype, a shape and data_offsets of two whole numbers";
    throw new UnreadableFileError(rule, `the entry is ${JSON.stringify(value)?.slice(0, 200)}`);
  }
  if (shape.length > MAX_AXES) {
    const state = `the array has ${shape.length}`;
    throw new UnreadableFileError(`an array has at most ${MAX_AXES} axes`, state);
  }
  const kind = Object.hasOwn(KINDS, dtype) ? KINDS[dtype] : undefined;
  if (kind === undefined) {
    const rule = `its numbers must be one of ${Object.keys(KINDS).join(", ")}`;
    throw new UnreadableFileError(rule, `the dtype is ${quoted(dtype)}`);
  }
  const [begin, end] = offsets as [number, number];
  const needed = byteLengthOf(shape, kind);
  if (end - begin !== needed) {
    const state = `the offsets are ${begin} and ${end}`;
    throw new UnreadableFileError(`${dtype} [${shape}] takes ${needed} bytes`, state);
  }
  return { key, kind, shape, begin, end };
}

function metadataOf(header: Record<string, unknown>): Record<string, string> {
  const metadata = header["__metadata__"] ?? {};
  if (isRecord(metadata) && Object.values(metadata).every((text) => typeof text === "string")) {
    return metadata as Record<string, string>;
  }
  const state = `the value is ${JSON.stringify(metadata).slice(0, 200)}`;
  throw new UnreadableFileError("its __metadata__ must be texts by name", state);
}
