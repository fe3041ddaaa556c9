import { quoted } from "../base/quoted.ts";
import { describeStart } from "./file_kinds.ts";
import { UnreadableFileError } from "./unreadable.ts";

// The format: PKWARE's APPNOTE.TXT, section 4.3. Positions within a record are its section's.

/** One entry, as the directory at the archive's end tells of it. */
export interface ZipEntry {
  readonly name: string;
  readonly method: "stored" | "deflated";
  /** CRC-32 of the unpacked bytes. */
  readonly crc: number;
  /** Number of the unpacked bytes. */
  readonly size: number;
  /** The bytes as they lie in the archive (not a copy). */
  readonly packed: Uint8Array;
  /** Where it begins in the archive, its own header included. */
  readonly begin: number;
}

const LOCAL_HEADER = 0x04034b50; // 4.3.7: 30 bytes, then name and extra field
const DIRECTORY_HEADER = 0x02014b50; // 4.3.12: 46 bytes, then name, extra field and comment
const END_RECORD = 0x06054b50; // 4.3.16: 22 bytes, then comment
const ZIP64_LOCATOR = 0x07064b50; // 4.3.15: 20 bytes, right before the end record
const ZIP64_END_RECORD = 0x06064b50; // 4.3.14: 56 bytes, right before the locator
const MAX_COMMENT = 0xffff;
const MAX_VERSION = 63; // 4.4.3.2: 6.3, the newest of the parts that tools write
const IN_ZIP64 = 0xffffffff; // 4.4.8: the true number lies in a zip64 extra field

/**
 * The entries of a zip archive in the directory's order, folders left out. Where the directory and
 * an entry's own header disagree on its name, or anything lies outside the archive, it is refused.
 *
 * @throws {UnreadableFileError} where the archive is none, is damaged, encrypted, or of a kind that
 * is not read.
 */
export function readZipDirectory(bytes: Uint8Array): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { start, end, count } = findDirectory(view, bytes);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let at = start;
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || view.getUint32(at, true) !== DIRECTORY_HEADER) damaged(at);
    const next = at + 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
    const entry = readEntry(view, bytes, at, start);
    if (names.has(entry.name)) {
      const found = `the name ${quoted(entry.name)} occurs twice`;
      throw new UnreadableFileError("each entry of the archive needs its own name", found);
    }
    names.add(entry.name);
    const isFolder = entry.name.endsWith("/");
    if (isFolder && (entry.size > 0 || entry.packed.length > 0)) {
      const found = `the folder ${quoted(entry.name)} has ${entry.size} bytes`;
      throw new UnreadableFileError("a folder of the archive has no content", found);
    }
    if (!isFolder) entries.push(entry);
    at = next;
  }
  if (at !== end) damaged(at);
  refuseOverlaps(entries, bytes);
  return entries;
}

/** Entries that share bytes unpack to far more than the archive has; Python refuses them too. */
function refuseOverlaps(entries: readonly ZipEntry[], bytes: Uint8Array): void {
  let free = 0;
  for (const { name: entryName, begin, packed } of entries.toSorted((a, b) => a.begin - b.begin)) {
    if (begin < free) {
      const state = `the entry ${quoted(entryName)} begins within another`;
      throw new UnreadableFileError("the entries of the archive must not overlap", state);
    }
    free = packed.byteOffset - bytes.byteOffset + packed.length;
  }
}

/** Where the directory lies, as the record at the archive's very end says. */
function findDirectory(
  view: DataView,
  bytes: Uint8Array,
): { start: number; end: number; count: number } {
  let end = bytes.length - 22;
  const earliest = Math.max(0, end - MAX_COMMENT);
  const isEndRecord = (at: number) =>
    view.getUint32(at, true) === END_RECORD &&
    view.getUint16(at + 20, true) === bytes.length - at - 22;
  while (end >= earliest && !isEndRecord(end)) end--;
  if (end < earliest) {
    const begun = bytes.length >= 4 && view.getUint32(0, true) === LOCAL_HEADER;
    throw new UnreadableFileError(
      "it must be a whole zip archive",
      begun ? "the file lacks the end of one, so it is cut short or damaged" : describeStart(bytes),
    );
  }
  const disks = [view.getUint16(end + 4, true), view.getUint16(end + 6, true)];
  const countHere = view.getUint16(end + 8, true);
  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  const start = view.getUint32(end + 16, true);
  const isZip64 = end >= 20 && view.getUint32(end - 20, true) === ZIP64_LOCATOR;
  const behind = isZip64 ? endRecord64(view, end - 20, { count, size, start }) : end;
  if (disks.some((disk) => disk !== 0) || countHere !== count || start + size !== behind) {
    damaged(end);
  }
  return { start, end: behind, count };
}

/** Where the record of zip64 lies, which PyTorch always writes; it must say what the end record says. */
function endRecord64(
  view: DataView,
  locator: number,
  { count, size, start }: Record<"count" | "size" | "start", number>,
): number {
  const at = locator - 56;
  if (at < 0 || view.getUint32(at, true) !== ZIP64_END_RECORD) refuseZip64();
  const told = [4, 24, 32, 40, 48].map((place) => view.getBigUint64(at + place, true));
  const same = [44, count, count, size, start].every((number, k) => BigInt(number) === told[k]);
  const leads = view.getBigUint64(locator + 8, true) === BigInt(at);
  const disks = [at + 16, at + 20, locator + 4].map((place) => view.getUint32(place, true));
  if (!same || !leads || disks.some((disk) => disk !== 0)) refuseZip64();
  return at;
}

/** The entry that the directory's record at `at` tells of, checked against its own header. */
function readEntry(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  directory: number,
): ZipEntry {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const crc = view.getUint32(at + 16, true);
  const packedSize = view.getUint32(at + 20, true);
  const size = view.getUint32(at + 24, true);
  const nameLength = view.getUint16(at + 28, true);
  const local = view.getUint32(at + 42, true);
  const entryName = decodeName(bytes.subarray(at + 46, at + 46 + nameLength));

  const version = view.getUint8(at + 6);
  if (version > MAX_VERSION || flags & 1 << 5) { // 4.4.4: patches
    const found = `the entry ${quoted(entryName)} needs version ${version}, flags ${flags}`;
    throw new UnreadableFileError("its entries must be plain ones", found);
  }
  if (flags & (1 | 1 << 6 | 1 << 13)) { // 4.4.4: encrypted, strongly so, or its directory too
    const found = `the entry ${quoted(entryName)} is encrypted`;
    throw new UnreadableFileError("its entries must not be encrypted", found);
  }
  if (packedSize === IN_ZIP64 || size === IN_ZIP64 || local === IN_ZIP64) refuseZip64();
  if (method !== 0 && method !== 8) {
    throw new UnreadableFileError(
      "its entries must be stored or deflated (np.savez and np.savez_compressed do that)",
      `the entry ${quoted(entryName)} has compression method ${method}`,
    );
  }
  if (local + 30 > directory || view.getUint32(local, true) !== LOCAL_HEADER) damaged(local);
  const localNameLength = view.getUint16(local + 26, true);
  const begin = local + 30 + localNameLength + view.getUint16(local + 28, true);
  const ownName = bytes.subarray(local + 30, local + 30 + localNameLength);
  if (begin + packedSize > directory || decodeName(ownName) !== entryName) {
    damaged(local);
  }
  return {
    begin: local,
    name: entryName,
    method: method === 0 ? "stored" : "deflated",
    crc,
    size,
    packed: bytes.subarray(begin, begin + packedSize),
  };
}

/** UTF-8, flagged as such or not (4.4.4, bit 11): ASCII and what today's tools write. */
function decodeName(bytes: Uint8Array): string {
  let decoded: string;
  try {
    decoded = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    const found = `the name is ${quoted(new TextDecoder().decode(bytes))}`;
    throw new UnreadableFileError("the names of its entries must be UTF-8", found, { cause });
  }
  if (leadsOutside(decoded)) {
    const found = `the name is ${quoted(decoded)}`;
    throw new UnreadableFileError("the names of its entries must lie within it", found);
  }
  return decoded;
}

/** Whether a name would lead out of the folder that an archive is unpacked in. */
export function leadsOutside(entryName: string): boolean {
  return entryName === "" || /^([\\/]|[a-z]:[\\/])/i.test(entryName) ||
    entryName.split(/[\\/]/).includes("..");
}

function refuseZip64(): never {
  throw new UnreadableFileError(
    "archives with the sizes of zip64 (above 4 GB) are not read",
    "the archive is one",
  );
}

function damaged(at: number): never {
  throw new UnreadableFileError(
    "the parts of the zip archive must fit together",
    `the archive is damaged at byte ${at}`,
  );
}
