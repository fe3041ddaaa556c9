import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { loadNpy, saveNpy } from "../../lib/files/npy.ts";
import { UnreadableFileError } from "../../lib/files/unreadable.ts";
import { unzip } from "../../lib/files/zip.ts";
import { bytesOf, npyOf, pathOf } from "./arrays.ts";
import { SAVED } from "./saved.ts";

const X = Float64Array.from({ length: 24 }, (_, k) => k);

const KINDS = [
  ["float64", Float64Array],
  ["float32", Float32Array],
  ["float16", Float32Array],
  ["int8", Int32Array],
  ["int16", Int32Array],
  ["int32", Int32Array],
  ["int64", Float64Array],
  ["uint8", Int32Array],
  ["uint16", Int32Array],
  ["uint32", Float64Array],
  ["uint64", Float64Array],
] as const;

for (const [kind, Data] of KINDS) {
  Deno.test(`loadNpy() reads NumPy's ${kind} as ${Data.name}`, async () => {
    const x = await loadNpy(pathOf(`${kind}.npy`));
    assertEquals(x.shape, [4, 3, 2]);
    assertEquals(x.data, Data.from(X));
  });
}

Deno.test("loadNpy() reads bool as 0 and 1", async () => {
  const x = await loadNpy(pathOf("bool.npy"));
  assertEquals(x.shape, [4, 3, 2]);
  assertEquals(x.data, Int32Array.from(X, (k) => k % 3 === 0 ? 1 : 0));
});

Deno.test("loadNpy() keeps each kind's extreme values", async () => {
  const read = async (file: string) => (await loadNpy(pathOf(file))).data;
  assertEquals(await read("int_ends.npy"), Int32Array.of(-128, 127));
  assertEquals(await read("uint32_ends.npy"), Float64Array.of(0, 2 ** 32 - 1));
  assertEquals(await read("int64_ends.npy"), Float64Array.of(2 ** 53 - 1, -(2 ** 53) + 1));
  assertEquals(
    await read("float16_ends.npy"),
    Float32Array.of(0, -0, 2 ** -24, 1007 * 2 ** -24, 65504, Infinity, -Infinity, NaN),
  );
});

Deno.test("loadNpy() refuses an integer that float64 rounds, and names it", async () => {
  for (
    const [file, value] of [
      ["int64_unsafe.npy", "9007199254740993"],
      ["uint64_unsafe.npy", "18446744073709551615"],
    ] as const
  ) {
    await assertRejects(
      () => loadNpy(pathOf(file)),
      UnreadableFileError,
      `${file}: its 64-bit integers must lie within ±(2^53 - 1), or float64 rounds them ` +
        `(in Python, a.astype("float64") does so first), but the value is ${value}`,
    );
  }
});

Deno.test("loadNpy() reads Fortran order right, whatever the number of axes", async () => {
  const flat = await loadNpy(pathOf("fortran_2d.npy"));
  assertEquals(flat.toArray(), [[0, 1], [2, 3], [4, 5]]);

  const x = await loadNpy(pathOf("fortran_3d.npy"));
  assertEquals(x.shape, [4, 3, 2]);
  assertEquals(x.data, Float32Array.from(X));

  const five = await loadNpy(pathOf("fortran_5d.npy"));
  assertEquals(five.shape, [2, 3, 1, 4, 5]);
  assertEquals(five.data, Float64Array.from({ length: 120 }, (_, k) => k));

  const bool = await loadNpy(pathOf("fortran_bool.npy"));
  assertEquals(bool.data, (await loadNpy(pathOf("bool.npy"))).data);

  assertEquals((await loadNpy(pathOf("fortran_empty.npy"))).shape, [3, 0, 2]);
});

Deno.test("loadNpy() reads big-endian numbers right", async () => {
  for (const kind of ["float64", "int64", "float16", "int16"]) {
    const x = await loadNpy(pathOf(`big_endian_${kind}.npy`));
    assertEquals(x, await loadNpy(pathOf(`${kind}.npy`)), kind);
  }
  const fortran = await loadNpy(pathOf("big_endian_float32_fortran.npy"));
  assertEquals(fortran, await loadNpy(pathOf("float32.npy")));
});

Deno.test("loadNpy() reads single numbers and arrays without any", async () => {
  const scalar = await loadNpy(pathOf("scalar.npy"));
  assertEquals([scalar.shape, scalar.item()], [[], 2.5]);
  assertEquals((await loadNpy(pathOf("scalar_int64.npy"))).toArray(), 7);
  assertEquals((await loadNpy(pathOf("one.npy"))).toArray(), [2.5]);
  assertEquals((await loadNpy(pathOf("empty.npy"))).shape, [0]);
  const empty = await loadNpy(pathOf("empty_3d.npy"));
  assertEquals(empty.shape, [2, 0, 3]);
  assertInstanceOf(empty.data, Float32Array);
});

Deno.test("loadNpy() reads versions 2.0 and 3.0", async () => {
  for (const file of ["version_2.npy", "version_3.npy"]) {
    assertEquals(await loadNpy(pathOf(file)), await loadNpy(pathOf("float32.npy")));
  }
});

Deno.test("loadNpy() reads headers that other programs space, quote and order otherwise", async () => {
  for (
    const text of [
      `{"shape":(2,3),"descr":"<f4","fortran_order":False}`, // 61 bytes: the numbers are unaligned
      `{'fortran_order': False, 'shape': (2L, 3L), 'descr': '<f4'}\n`,
      `  {'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 2 , 3 , ) , }  `,
    ]
  ) {
    assertEquals((await loadNpy(npyOf(text, 24))).shape, [2, 3], text);
  }
});

Deno.test("loadNpy() takes bytes anywhere in a buffer, leaves them alone and keeps none", async () => {
  const file = bytesOf("big_endian_float64.npy");
  const buffer = new Uint8Array(file.length + 10);
  buffer.set(file, 3);
  const before = buffer.slice();
  const x = await loadNpy(buffer.subarray(3, 3 + file.length));
  assertEquals(x.data, X);
  assertEquals(buffer, before);
  buffer.fill(0);
  assertEquals(x.data, X);
  assertEquals(x, await loadNpy(file.buffer)); // an ArrayBuffer
});

const REFUSED = [
  ["object", "Python objects are pickled; np.savez(f, *model.get_weights())", `"|O"`],
  ["complex64", "np.save(f, a.real) and np.save(f, a.imag)", `"<c8"`],
  ["complex128", "np.save(f, a.real) and np.save(f, a.imag)", `"<c16"`],
  ["text", "text is not read", `"<U6"`],
  ["byte_text", "text is not read", `"|S6"`],
  ["date", `np.save(f, a.astype("int64"))`, `"<M8[D]"`],
  ["long_double", `np.save(f, a.astype("float32"))`, `"<f16"`],
  ["bfloat16", `np.save(f, a.astype("float32"))`, `"<V2"`],
] as const;

for (const [file, advice, dtype] of REFUSED) {
  Deno.test(`loadNpy() refuses an array of kind ${file} and says what to do`, async () => {
    const error = await assertRejects(
      () => loadNpy(pathOf(`${file}.npy`)),
      UnreadableFileError,
      `${file}.npy: its elements must be numbers of at most 64 bits (${advice}`,
    );
    assertEquals(error.message.endsWith(`, but the dtype is ${dtype}`), true, error.message);
  });
}

Deno.test("loadNpy() refuses structured arrays and says how to save a field", async () => {
  for (const file of ["structured.npy", "nested.npy"]) {
    await assertRejects(
      () => loadNpy(pathOf(file)),
      UnreadableFileError,
      `${file}: its elements must be plain numbers (np.save(f, a["field"]) saves one field), ` +
        "but the array is structured",
    );
  }
});

Deno.test("saveNpy() writes what NumPy reads back: the arrays of saved.npz, which generate.py has it read", async () => {
  const known = new Map(await unzip(bytesOf("saved.npz")));
  const path = await Deno.makeTempFile({ suffix: ".npy" });
  for (const [name, tensor] of SAVED) {
    await saveNpy(path, tensor);
    assertEquals(await Deno.readFile(path), new Uint8Array(known.get(`${name}.npy`)!), name);
    assertEquals(await loadNpy(path), tensor, name);
  }
  await saveNpy(path, [[1, 2], [3, 4]]);
  assertEquals((await loadNpy(path)).toArray(), [[1, 2], [3, 4]]);
  await assertRejects(() => saveNpy(path, "1" as never), TypeError, "must be a number");
  await assertRejects(() => saveNpy("https://host/x.npy", [1]), TypeError, "a path or a file URL");
  await Deno.remove(path);
});
