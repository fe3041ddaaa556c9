import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadNpy } from "../../lib/files/npy.ts";
import { UnreadableFileError } from "../../lib/files/unreadable.ts";
import { bytesOf, npyOf, outcome, pathOf } from "./arrays.ts";

function refuses(bytes: Uint8Array, message: string): Promise<Error> {
  return assertRejects(() => loadNpy(bytes), UnreadableFileError, message);
}

Deno.test("loadNpy() refuses a file cut at any byte, of its header and of its numbers", async () => {
  for (const file of ["float64.npy", "bool.npy", "fortran_3d.npy", "scalar.npy", "version_2.npy"]) {
    const whole = bytesOf(file);
    for (let length = 0; length < whole.length; length++) {
      const error = await outcome(() => loadNpy(whole.subarray(0, length)));
      assertEquals(
        error instanceof UnreadableFileError,
        true,
        `${file} cut at ${length}: ${error}`,
      );
    }
  }
});

Deno.test("loadNpy() refuses a file cut at any sixteenth, and says so", async () => {
  const whole = bytesOf("fortran_5d.npy");
  for (let part = 0; part < 16; part++) {
    const cut = whole.subarray(0, Math.floor(whole.length * part / 16));
    await refuses(cut, part === 0 ? "the file is empty" : "so it is cut short");
  }
});

Deno.test("loadNpy() refuses a file that is short or long by whole numbers", async () => {
  const whole = bytesOf("float64.npy"); // 128 bytes of header, 24 · 8 of numbers
  await refuses(
    whole.subarray(0, -8),
    "Cannot read the given bytes: the shape (4, 3, 2) of <f8 takes 192 bytes after the header, " +
      "but the file has 184 there, so it is cut short",
  );
  const long = new Uint8Array(whole.length + 8);
  long.set(whole);
  await refuses(long, "the file has 200 there, so something follows the array");
  await refuses(bytesOf("two_arrays.npy"), "so something follows the array");
});

Deno.test("loadNpy() names the kind of a file that is no .npy", async () => {
  const begins = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const rule = "Cannot read the given bytes: a .npy file begins with \\x93NUMPY, but the ";
  await refuses(begins(""), rule + "file is empty");
  await refuses(begins("<!DOCTYPE html><html>"), rule + `file starts with "<!DOCTYPE html><"`);
  await refuses(begins("\x93NUMPX\x01\x00\x76\x00"), rule + `file starts with "·NUMPX··v·"`);
  await refuses(
    bytesOf("small.npz"),
    rule + "file is a zip archive, as .npz is (loadNpz reads it)",
  );
  await refuses(begins("\x89HDF\r\n\x1a\n"), rule + "file is HDF5");
  await refuses(begins("\x80\x04\x95"), rule + "file is a Python pickle");
});

Deno.test("loadNpy() refuses versions, lengths and headers that NumPy does not write", async () => {
  const version = (major: number, minor: number) =>
    bytesOf("float64.npy").fill(major, 6, 7).fill(minor, 7, 8);
  await refuses(version(0, 0), "the version is 0.0");
  await refuses(version(4, 0), "the version is 4.0");
  await refuses(version(1, 1), "the version is 1.1");

  await refuses(bytesOf("version_2.npy").fill(255, 8, 12), "the length is 4294967295");
  await refuses(npyOf(" ".repeat(10_001), 0), "its header has at most 10000 bytes");

  for (
    const text of [
      "",
      "{}",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), ",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }0",
      "{'descr': '<f8', 'fortran_order': False}",
      "{'descr': '<f8', 'shape': (3,), }",
      "{'fortran_order': False, 'shape': (3,), }",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'shape': (3,)}",
      "{'descr': '<f8', 'descr': '<f8', 'shape': (3,)}",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'more': 1}",
      "{'descr': '<f8', 'fortran_order': 0, 'shape': (3,)}",
      "{'descr': '<f8' 'fortran_order': False, 'shape': (3,)}",
      "{'descr': '<f8', 'fortran_order': False, 'shape': [3]}",
      "{'descr': '<f8\", 'fortran_order': False, 'shape': (3,)}",
    ]
  ) {
    await refuses(
      npyOf(text, 24),
      "its header must be a dictionary of descr, fortran_order and shape",
    );
  }
});

Deno.test("loadNpy() refuses shapes that are no tuple of whole numbers", async () => {
  for (
    const shape of [
      "3",
      "03,",
      "-3,",
      "3.0,",
      "0x3,",
      "1e1,",
      "3,,",
      ",",
      "3 1,",
      "a,",
      "9".repeat(30) + ",0",
    ]
  ) {
    await refuses(
      npyOf(`{'descr': '<f8', 'fortran_order': False, 'shape': (${shape}), }`, 24),
      `its shape must be a tuple of at most 64 whole numbers, but the shape is (${shape})`,
    );
  }
  const axes = "1, ".repeat(65);
  await refuses(
    npyOf(`{'descr': '<f8', 'fortran_order': False, 'shape': (${axes}), }`, 8),
    "at most 64",
  );
});

Deno.test("loadNpy() refuses a shape whose product overflows before it allocates anything", async () => {
  for (
    const shape of [
      "4294967296, 4294967296",
      "9007199254740991, 9007199254740991, 0",
      "1073741824, 8388608", // 2^53 numbers; 2^56 bytes
    ]
  ) {
    await refuses(
      npyOf(`{'descr': '<f8', 'fortran_order': False, 'shape': (${shape}), }`, 24),
      `its numbers must be countable, but the shape is [${shape.replaceAll(" ", "")}]`,
    );
  }
  await refuses(
    npyOf("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }", 24),
    "takes 8796093022208 bytes after the header, but the file has 24 there",
  );
});

Deno.test("loadNpy() refuses byte orders that say nothing", async () => {
  for (const dtype of ["=f8", "f8", "|f8", "|i4", "", "<", "<f", "<f7", "<b2", "<f8 "]) {
    await refuses(
      npyOf(`{'descr': '${dtype}', 'fortran_order': False, 'shape': (3,), }`, 24),
      `the dtype is "${dtype}"`,
    );
  }
});

Deno.test("loadNpy() gives one clear error, or numbers, for any bit flipped in a header", async () => {
  const whole = bytesOf("float64.npy");
  for (let bit = 0; bit < 128 * 8; bit++) {
    const flipped = whole.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const result = await outcome(() => loadNpy(flipped));
    if (result instanceof Error) {
      assert(result instanceof UnreadableFileError, `bit ${bit}: ${result}`);
    } else {
      assertEquals([result.shape, result.data.length], [[4, 3, 2], 24], `bit ${bit}`);
    }
  }
});

Deno.test("loadNpy() names the file in its error, and is caught as UnreadableFileError", async () => {
  const path = pathOf("object.npy");
  const error = await assertRejects(() => loadNpy(path), UnreadableFileError);
  assertEquals(error.name, "UnreadableFileError");
  assertEquals(error.source, path);
  assertEquals(error.message.startsWith(`Cannot read ${path}: `), true);
});
