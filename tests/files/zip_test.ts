import { assert, assertEquals, assertRejects } from "@std/assert";
import { deflateSync } from "fflate";
import { crc32 } from "node:zlib";
import { loadNpz } from "../../lib/files/npz.ts";
import { UnreadableFileError } from "../../lib/files/unreadable.ts";
import { unzip, zip } from "../../lib/files/zip.ts";
import { bytesOf, outcome } from "./arrays.ts";

const text = (letters: string) => new TextEncoder().encode(letters);
const LOCAL = [0x50, 0x4b, 3, 4];
const DIRECTORY = [0x50, 0x4b, 1, 2];
const END = [0x50, 0x4b, 5, 6];

/** Where the nth record of a kind begins. */
function find(archive: Uint8Array, signature: number[], nth = 0): number {
  let at = -1;
  for (let found = 0; found <= nth; found++) {
    do at++; while (!signature.every((byte, k) => archive[at + k] === byte));
  }
  return at;
}

/** A copy of the archive with these bytes at some place of a record. */
function patched(
  archive: Uint8Array,
  signature: number[],
  offset: number,
  bytes: number[],
  nth = 0,
) {
  const copy = archive.slice();
  copy.set(bytes, find(archive, signature, nth) + offset);
  return copy;
}

function refuses(archive: Uint8Array, message: string): Promise<Error> {
  return assertRejects(() => unzip(archive), UnreadableFileError, message);
}

const TWO = await zip(new Map([["a.npy", text("forget")], ["b.npy", text("output")]]));

Deno.test("zip() then unzip() gives the same entries in the same order", async () => {
  const entries = new Map([["z", text("1")], ["a/b", new Uint8Array(0)], ["ä", text("3")]]);
  assertEquals([...await unzip(await zip(entries))], [...entries]);
});

Deno.test("zip() writes the same bytes whatever the time and its zone", async () => {
  assertEquals([...TWO.subarray(10, 14)], [0, 0, 33, 0]); // 1980-01-01 00:00, as MS-DOS counts
  assertEquals(await zip(new Map([["a.npy", text("forget")], ["b.npy", text("output")]])), TWO);
});

Deno.test("loadNpz() gives the right numbers or UnreadableFileError for every single bit flipped", async () => {
  for (const file of ["small.npz", "small_compressed.npz"]) {
    const whole = bytesOf(file);
    const right = [...await loadNpz(whole)];
    let refused = 0;
    for (let bit = 0; bit < whole.length * 8; bit++) {
      whole[bit >> 3]! ^= 1 << (bit & 7);
      const result = await outcome(() => loadNpz(whole));
      whole[bit >> 3]! ^= 1 << (bit & 7);
      if (result instanceof Error) {
        assert(result instanceof UnreadableFileError, `${file}, bit ${bit}: ${result}`);
        refused += 1;
      } else assertEquals([...result], right, `${file}, bit ${bit}`);
    }
    assert(refused > whole.length * 4, `${file}: only ${refused} refused`);
  }
});

Deno.test("loadNpz() refuses an archive cut at any byte", async () => {
  for (const file of ["small.npz", "small_compressed.npz"]) {
    const whole = bytesOf(file);
    for (let length = 0; length < whole.length; length++) {
      const result = await outcome(() => loadNpz(whole.subarray(0, length)));
      assert(result instanceof UnreadableFileError, `${file} cut at ${length}: ${result}`);
    }
  }
});

Deno.test("loadNpz() says what a file is that is no zip archive", async () => {
  const refusal = (bytes: Uint8Array, message: string) =>
    assertRejects(() => loadNpz(bytes), UnreadableFileError, message);
  const rule = "Cannot read the given bytes: it must be a whole zip archive, but the file ";
  await refusal(new Uint8Array(0), rule + "is empty");
  await refusal(text("<!DOCTYPE html>"), rule + `starts with "<!DOCTYPE html>"`);
  await refusal(bytesOf("float64.npy"), rule + "is a .npy array (loadNpy reads it)");
  await refusal(
    bytesOf("small.npz").subarray(0, 500),
    rule + "lacks the end of one, so it is cut short",
  );
});

Deno.test("unzip() compares the CRC-32 of stored and of deflated entries", async () => {
  for (const file of ["small.npz", "small_compressed.npz"]) {
    const whole = bytesOf(file);
    for (const record of [0, 1]) {
      const at = find(whole, DIRECTORY, record) + 16;
      whole[at]! ^= 1;
      await assertRejects(
        () => unzip(whole),
        UnreadableFileError,
        `Cannot read arr_${record}.npy: its CRC-32 and length must be those`,
      );
      whole[at]! ^= 1;
    }
  }
});

/** An archive of one deflated entry that claims to unpack to `size` bytes. */
async function claiming(size: number, packed: Uint8Array, crc = 0): Promise<Uint8Array> {
  const archive = await zip(new Map([["bomb.npy", packed]]));
  new DataView(archive.buffer).setUint32(find(archive, DIRECTORY) + 16, crc, true);
  new DataView(archive.buffer).setUint32(find(archive, DIRECTORY) + 24, size, true);
  return patched(archive, DIRECTORY, 10, [8, 0]);
}

Deno.test("unzip() allocates nothing for a size that deflate cannot reach", async () => {
  await refuses(
    await claiming(4e9, text("short")),
    `: "bomb.npy" has 5 bytes there, deflated, but the directory promises 4000000000`,
  );
  await refuses(
    patched(TWO, DIRECTORY, 24, [7]),
    `: "a.npy" has 6 bytes there, stored, but the directory promises 7`,
  );
});

Deno.test("unzip() stops at its limit, before it unpacks anything", async () => {
  const bomb = await claiming(2 ** 31 + 1, new Uint8Array(2.2e6)); // a ratio that deflate reaches
  await refuses(
    bomb,
    ": it may unpack to at most 2147483648 bytes, but the archive would take 2147483649",
  );
  await assertRejects(
    () => unzip(TWO, 11), // each entry has 6
    UnreadableFileError,
    ": it may unpack to at most 11 bytes, but the archive would take 12",
  );
});

Deno.test("unzip() refuses an entry that unpacks to more or less than it claims", async () => {
  const hundred = new Uint8Array(100).fill(7);
  const packed = deflateSync(hundred);
  for (const size of [0, 1, 99, 101]) {
    const crc = crc32(new Uint8Array(size).fill(7));
    await refuses(await claiming(size, packed, crc), "Cannot read bomb.npy: ");
    await refuses(
      await claiming(size, packed, crc32(hundred)),
      "Cannot read bomb.npy: ",
    );
  }
  assertEquals(
    (await unzip(await claiming(100, packed, crc32(hundred)))).get("bomb.npy"),
    hundred,
  );
  await refuses(
    await claiming(0, new Uint8Array(0)),
    "Cannot read bomb.npy: its CRC-32",
  );
  await refuses(
    await claiming(9, text("no deflate")),
    ": it must be possible to inflate it, but reading it failed:",
  );
});

Deno.test("unzip() refuses a name twice", async () => {
  const twice = patched(patched(TWO, DIRECTORY, 46, [0x61], 1), LOCAL, 30, [0x61], 1);
  await refuses(
    twice,
    `each entry of the archive needs its own name, but the name "a.npy" occurs twice`,
  );
});

Deno.test("unzip() refuses an entry whose own header has another name", async () => {
  await refuses(patched(TWO, DIRECTORY, 46, [0x63], 1), "the archive is damaged at byte");
});

Deno.test("unzip() refuses entries that share bytes: one within another, as bombs have them", async () => {
  const inner = await zip(new Map([["b.npy", text("output")]]));
  const outer = await zip(new Map([["a.npy", inner]])); // stored as it is
  const [begin, innerBegin] = [find(outer, DIRECTORY, 1), find(outer, LOCAL, 1)];
  const own = inner.slice(find(inner, DIRECTORY), find(inner, END));
  new DataView(own.buffer).setUint32(42, innerBegin, true);
  const end = outer.slice(-22);
  const view = new DataView(end.buffer);
  view.setUint16(8, 2, true);
  view.setUint16(10, 2, true);
  view.setUint32(12, view.getUint32(12, true) + own.length, true);
  const both = Uint8Array.from([
    ...outer.slice(0, begin),
    ...outer.slice(begin, -22),
    ...own,
    ...end,
  ]);
  await refuses(both, `must not overlap, but the entry "b.npy" begins within another`);
});

Deno.test("unzip() refuses versions that Python's zipfile refuses", async () => {
  await refuses(patched(TWO, DIRECTORY, 6, [64]), "needs version 64");
  await refuses(patched(TWO, DIRECTORY, 8, [1 << 5]), "flags 32");
});

Deno.test("unzip() refuses names that lead out of the archive", async () => {
  for (
    const name of ["../../x.npy", "..\\x.npy", "/etc/x.npy", "C:\\x.npy", "a/../x.npy", "\\x.npy"]
  ) {
    const archive = await zip(new Map([["_".repeat(name.length), text("1")]]));
    const bytes = [...text(name)];
    await refuses(
      patched(patched(archive, DIRECTORY, 46, bytes), LOCAL, 30, bytes),
      `the names of its entries must lie within it, but the name is ${JSON.stringify(name)}`,
    );
  }
});

Deno.test("unzip() refuses names that are not UTF-8", async () => {
  await refuses(patched(TWO, DIRECTORY, 46, [0xff]), `must be UTF-8, but the name is "\ufffd.npy"`);
});

Deno.test("unzip() refuses encryption, other compressions, zip64 and several disks, each by its name", async () => {
  await refuses(patched(TWO, DIRECTORY, 8, [1]), `entry "a.npy" is encrypted`);
  await refuses(patched(TWO, DIRECTORY, 10, [12]), `entry "a.npy" has compression method 12`);
  for (const offset of [20, 24, 42]) {
    await refuses(
      patched(TWO, DIRECTORY, offset, [255, 255, 255, 255]),
      "the sizes of zip64 (above 4 GB)",
    );
  }
  const end = find(TWO, END);
  const locator = new Uint8Array(TWO.length + 20);
  locator.set(TWO.subarray(0, end));
  locator.set([0x50, 0x4b, 6, 7], end);
  locator.set(TWO.subarray(end), end + 20);
  await refuses(locator, "the sizes of zip64 (above 4 GB)");
  await refuses(patched(TWO, END, 4, [1]), "the archive is damaged at byte");
});

Deno.test("unzip() refuses a directory that does not fit its end record", async () => {
  for (const [offset, value] of [[8, 1], [10, 3], [12, 1], [16, 1]] as const) {
    await refuses(patched(TWO, END, offset, [value]), "the archive is damaged at byte");
  }
  const one = patched(patched(TWO, END, 8, [1]), END, 10, [1]); // one entry of two
  await refuses(one, "the archive is damaged at byte");
  const three = patched(patched(TWO, END, 8, [3]), END, 10, [3]);
  await refuses(three, "the archive is damaged at byte");
});

Deno.test("unzip() refuses records that are none, or reach beyond the archive", async () => {
  const message = ": the parts of the zip archive must fit together, but the archive is damaged";
  await refuses(patched(TWO, DIRECTORY, 3, [9], 1), message);
  await refuses(patched(TWO, LOCAL, 3, [9], 1), message);
  await refuses(patched(TWO, DIRECTORY, 42, [0, 0, 0, 1], 1), message);
  await refuses(patched(TWO, DIRECTORY, 32, [9], 1), message);
  await refuses(patched(TWO, DIRECTORY, 20, [200, 0, 0, 0, 200], 1), message);

  const end = find(TWO, END); // a third record of the directory, of 4 bytes where 46 are needed
  const short = new Uint8Array(TWO.length + 4);
  short.set(TWO.subarray(0, end));
  short.set(DIRECTORY, end);
  short.set(TWO.subarray(end), end + 4);
  const view = new DataView(short.buffer);
  for (const at of [8, 10]) view.setUint16(end + 4 + at, 3, true);
  view.setUint32(end + 4 + 12, TWO[end + 12]! + 4, true);
  await refuses(short, message);
});

Deno.test("zip() refuses a name that is empty or leads out of the archive", async () => {
  for (const name of ["", "../x", "/x"]) {
    await assertRejects(
      () => zip(new Map([[name, text("1")]])),
      RangeError,
      `Cannot write a zip archive: names must lie within it, but the name is "${name}"`,
    );
  }
});

Deno.test("unzip() reads an archive with a comment, and leaves folders out, unless one has content", async () => {
  const comment = text("made by hand PK");
  const longer = new Uint8Array(TWO.length + comment.length);
  longer.set(patched(TWO, END, 20, [comment.length]));
  longer.set(comment, TWO.length);
  assertEquals((await unzip(longer)).size, 2);

  const folder = await zip(new Map([["folder/", new Uint8Array(0)], ["folder/a", text("1")]]));
  assertEquals([...(await unzip(folder)).keys()], ["folder/a"]);
  const full = await zip(new Map([["folder/", text("array")], ["folder/a", text("1")]]));
  await refuses(full, `a folder of the archive has no content, but the folder "folder/" has 5`);
});

Deno.test("an archive that lies within a larger buffer is read as by itself", async () => {
  const entries = new Map([["a", Uint8Array.of(1, 2, 3)], ["b", Uint8Array.of(4)]]);
  const archive = await zip(entries);
  const larger = new Uint8Array(archive.length + 1000).fill(80);
  larger.set(archive, 500);
  const found = await unzip(larger.subarray(500, 500 + archive.length));
  assertEquals([...found].map(([name, bytes]) => [name, [...bytes]]), [["a", [1, 2, 3]], ["b", [
    4,
  ]]]);
});
