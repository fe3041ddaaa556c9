import { assert, assertEquals, assertRejects } from "@std/assert";
import { readHdf5 } from "../../lib/files/hdf5.ts";
import { writeHdf5 } from "../../lib/files/hdf5_write.ts";
import { UnreadableFileError } from "../../lib/files/unreadable.ts";
import { Tensor, tensor } from "../../lib/tensor/tensor.ts";

const bytesOf = (name: string) =>
  Deno.readFileSync(new URL(`../fixtures/formats/hostile/${name}.h5`, import.meta.url));

Deno.test("readHdf5() reads the kinds of number that h5py writes, big-endian and deflated too", async () => {
  const { arrays, others, attributes } = await readHdf5(bytesOf("kinds"));
  const six = [[0, 1, 2], [3, 4, 5]];
  for (const kind of ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]) {
    assertEquals(arrays.get(`k${kind}`)?.toArray(), six, kind);
  }
  for (const kind of ["f4", "f8", "i2", "i8"]) {
    assertEquals(arrays.get(`kbig_${kind}`)?.toArray(), six, `big-endian ${kind}`);
  }
  assert(arrays.get("kf4")?.data instanceof Float32Array);
  assert(arrays.get("ki8")?.data instanceof Float64Array);
  assertEquals(arrays.get("deflated")?.data, Float32Array.from({ length: 1000 }, (_, k) => k));
  assertEquals(arrays.get("scalar")?.toArray(), 2.5);
  assertEquals([...others], [
    ["compound", "compound"],
    ["flag", "enum"],
    ["packed", "empty"],
    ["text", "text"],
  ]);
  assertEquals(
    attributes.get(""),
    new Map<string, string | string[]>([
      ["fixed", ["ab", "c"]],
      ["name", "Gewichtsänderung"],
      ["names", ["a", "ä", "c"]],
    ]),
  );
});

Deno.test("readHdf5() reads the newest layout, with attributes beside the header", async () => {
  const { arrays, attributes } = await readHdf5(bytesOf("latest"));
  assertEquals(arrays.size, 20);
  assertEquals(arrays.get("many/a7")?.toArray(), [[7, 8, 9], [10, 11, 12]]);
  assertEquals(attributes.get("many")?.get("t19"), "text 19");
});

const REFUSED = [
  ["cycle", "no group may hold itself"],
  ["own_cycle", "no group may hold itself"],
  ["soft_link", "its links must lead to groups and arrays within it, but the link is /link"],
  ["external_link", "its links must lead to groups and arrays within it, but the link is /link"],
  ["external_data", ""],
  ["virtual", "its arrays must lie within it, but /numbers is virtual"],
  ["bomb", "/numbers must fit in the file, but the shape is [1048576,1048576]"],
  ["many_bombs", "its arrays may take at most 2147483648 bytes"],
  ["claims_more", "/numbers must fit in the file, but the shape is [1073741824]"],
  ["deep", "groups may lie 32 deep"],
  ["own_float", "plain integers or IEEE 754's float16, float32 and float64"],
  ["not_utf8", "its texts must be ASCII or UTF-8, but the text of the attribute fixed of /"],
  ["not_utf8_lone", "its texts must be ASCII or UTF-8, but the text of the attribute version of /"],
  [
    "not_utf8_overlong",
    "its texts must be ASCII or UTF-8, but the text of the attribute version of /",
  ],
  [
    "not_utf8_surrogate",
    "its texts must be ASCII or UTF-8, but the text of the attribute version of /",
  ],
] as const;

for (const [name, message] of REFUSED) {
  Deno.test(`readHdf5() refuses ${name}.h5, which h5py wrote`, async () => {
    const error = await assertRejects(() => readHdf5(bytesOf(name)), UnreadableFileError);
    assert(error.message.includes(message), error.message);
  });
}

Deno.test("readHdf5() reads numbers of 16 bits in float32", async () => {
  const [array] = (await readHdf5(bytesOf("half"))).arrays.values();
  assert(array!.data instanceof Float32Array);
  assertEquals([...array!.data], [0, 1, 2, 3, 4, 5]);
});

Deno.test("readHdf5() gives zeros where an array was never written, as h5py, never another file's numbers", async () => {
  const other = new Map([["other", new Tensor(new Float32Array(60_000).fill(1234.5), [60_000])]]);
  for (let time = 0; time < 3; time++) {
    await readHdf5(await writeHdf5({ arrays: other, names: new Map() }));
    const { arrays } = await readHdf5(bytesOf("never_filled"));
    assertEquals(arrays.get("numbers")?.data, new Float32Array(4096));
  }
});

Deno.test("readHdf5() reads UTF-8 that h5py marked as ASCII", async () => {
  const { attributes } = await readHdf5(bytesOf("texts_as_ascii"));
  assertEquals(attributes.get("")?.get("names"), ["Größe", "出力"]);
});

Deno.test("readHdf5() says what a file is that is no HDF5", async () => {
  const read = (bytes: number[]) => readHdf5(Uint8Array.from(bytes));
  await assertRejects(() => read([]), UnreadableFileError, "the file is empty");
  await assertRejects(() => read([0x89, 0x48]), UnreadableFileError, "the file is cut short");
  await assertRejects(() => read([0x50, 0x4b, 3, 4]), UnreadableFileError, "a zip archive");
  const error = await assertRejects(
    () => readHdf5(bytesOf("kinds").subarray(0, 900)),
    UnreadableFileError,
    "reading it failed: truncated file",
  );
  assert(String(error.cause).includes("HDF5-DIAG"));
});

Deno.test("readHdf5() leaves the bytes alone and reads one file after the other", async () => {
  const bytes = bytesOf("kinds");
  const before = bytes.slice();
  const all = await Promise.all(Array.from({ length: 5 }, () => readHdf5(bytes)));
  for (const file of all) assertEquals(file, all[0]);
  assertEquals(bytes, before);
});

Deno.test("writeHdf5() then readHdf5() gives the same arrays and names", async () => {
  const arrays = new Map<string, Tensor>([
    ["layers/lstm/cell/vars/0", tensor([[1, 2], [3, 4]])],
    ["layers/lstm/cell/vars/1", new Tensor(Float32Array.of(0.5, NaN), [2, 1])],
    ["optimizer/vars/0", new Tensor(Int32Array.of(7), [])],
  ]);
  const names = new Map([["layers/lstm/vars", "reader"]]);
  const file = await readHdf5(await writeHdf5({ arrays, names }));
  assertEquals(file.arrays, arrays);
  assertEquals(file.attributes.get("layers/lstm/vars")?.get("name"), "reader");
});
