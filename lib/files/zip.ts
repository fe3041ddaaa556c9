import { crc32 } from "../base/crc32.ts";
import { builtIn } from "../base/deno.ts";
import { quoted } from "../base/quoted.ts";
import { asFileError, UnreadableFileError, within } from "./unreadable.ts";
import { leadsOutside, readZipDirectory, type ZipEntry } from "./zip_directory.ts";

/** What an archive may unpack to in all, 2 GiB: more than any LSTM, less than what ends a kernel. */
export const MAX_UNPACKED_BYTES: number = 2 ** 31;

// A pair of a length code and a distance code, one bit each, stands for 258 bytes at most (RFC 1951,
// section 3.2.5): no deflated entry unpacks to more than 1032 times its size.
const MAX_RATIO = 1032;

/**
 * The entries of a zip archive by name, in the archive's order, folders left out. Nothing is
 * unpacked before the sizes of all entries were found plausible; each entry's CRC-32 is compared.
 *
 * @param bytes the archive
 * @param limit how many bytes it may unpack to in all
 * @returns the entries' bytes; where an entry is stored, they share memory with the archive
 * @throws {UnreadableFileError} where the archive is none, is damaged, encrypted, too large, names
 * an entry twice, or is of a kind that is not read.
 */
export async function unzip(
  bytes: Uint8Array,
  limit: number = MAX_UNPACKED_BYTES,
): Promise<Map<string, Uint8Array>> {
  const entries = readZipDirectory(bytes);
  checkSizes(entries, limit);
  const { inflateSync } = await import("fflate"); // loaded when first used: it takes 30 ms
  // 4 ms for 50 MB, where the table in TypeScript takes 450; a browser has that one alone.
  const native = builtIn<typeof import("node:zlib")>("node:zlib")?.crc32;
  const unpacking = { inflate: inflateSync, crc32: native ?? crc32 };
  return new Map(entries.map((entry) => [
    entry.name,
    within(entry.name, () => unpack(entry, unpacking)),
  ]));
}

/**
 * A zip archive of these entries, stored as they are. The same entries give the same bytes: the time
 * is always 1980-01-01, as NumPy writes it.
 *
 * @throws {RangeError} where an entry's name leads out of the archive, or the archive would be
 * larger than {@linkcode unzip} reads.
 */
export async function zip(entries: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  let total = 0;
  for (const [name, bytes] of entries) {
    total += bytes.length;
    if (leadsOutside(name)) {
      throw new RangeError(
        `Cannot write a zip archive: names must lie within it, but the name is ${quoted(name)}`,
      );
    }
  }
  if (total > MAX_UNPACKED_BYTES) {
    throw new RangeError(
      `Cannot write a zip archive: it holds at most ${MAX_UNPACKED_BYTES} bytes, ` +
        `but the entries have ${total}`,
    );
  }
  const { zipSync } = await import("fflate");
  return zipSync(Object.fromEntries(entries), { level: 0, mtime: new Date(1980, 0, 1) });
}

function checkSizes(entries: readonly ZipEntry[], limit: number): void {
  for (const { name: entryName, method, size, packed } of entries) {
    if (method === "stored" ? size !== packed.length : size > packed.length * MAX_RATIO) {
      throw new UnreadableFileError(
        `${quoted(entryName)} has ${packed.length} bytes there, ${method}`,
        `the directory promises ${size}, so the archive is damaged`,
      );
    }
  }
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  if (total > limit) {
    const found = `the archive would take ${total}`;
    throw new UnreadableFileError(`it may unpack to at most ${limit} bytes`, found);
  }
}

interface Unpacking {
  readonly inflate: (packed: Uint8Array, options: { out: Uint8Array }) => Uint8Array;
  readonly crc32: (bytes: Uint8Array) => number;
}

function unpack(entry: ZipEntry, { inflate, crc32 }: Unpacking): Uint8Array {
  const bytes = entry.method === "stored"
    ? entry.packed
    // fflate writes into what it is given and no further; the one byte more shows an overlong entry
    : asFileError("it must be possible to inflate it", () => {
      return inflate(entry.packed, { out: new Uint8Array(entry.size + 1) });
    });
  if (bytes.length !== entry.size || crc32(bytes) !== entry.crc) {
    throw new UnreadableFileError(
      "its CRC-32 and length must be those that the archive names",
      "the entry has others, so the archive is damaged",
    );
  }
  return bytes;
}
