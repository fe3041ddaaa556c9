import { assertEquals, assertRejects } from "@std/assert";
import { toFileUrl } from "@std/path";
import { loadNpy, saveNpy } from "../../lib/files/npy.ts";
import { loadNpz, saveNpz } from "../../lib/files/npz.ts";
import { UnreadableFileError } from "../../lib/files/unreadable.ts";
import { zip } from "../../lib/files/zip.ts";
import { Tensor, type TensorLike } from "../../lib/tensor/tensor.ts";
import { bytesOf, pathOf } from "./arrays.ts";
import { SAVED } from "./saved.ts";

async function withFile(use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".npz" });
  try {
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("loadNpz() reads np.savez and np.savez_compressed, named arr_0, arr_1", async () => {
  for (const file of ["small.npz", "small_compressed.npz"]) {
    const arrays = await loadNpz(pathOf(file));
    assertEquals([...arrays.keys()], ["arr_0", "arr_1"]);
    assertEquals(arrays.get("arr_0"), new Tensor(Float32Array.of(0, 1, 2, 3), [2, 2]));
    assertEquals(arrays.get("arr_1"), new Tensor(Float64Array.of(0.5, -1.5), [2]));
  }
});

Deno.test("loadNpz() keeps the file's order and the names given in Python", async () => {
  const arrays = await loadNpz(pathOf("named.npz"));
  assertEquals([...arrays.keys()], ["z", "lstm/kernel:0", "Gewichtsänderung"]);
  assertEquals(arrays.get("z")?.shape, [4, 3, 2]);
});

Deno.test("loadNpz() reads an archive without arrays, and one of a thousandth of its size", async () => {
  assertEquals((await loadNpz(pathOf("none.npz"))).size, 0);
  const zeros = (await loadNpz(pathOf("zeros.npz"))).get("arr_0");
  assertEquals(zeros?.data, new Float64Array(100_000));
});

Deno.test("loadNpz() names the array that it refuses", async () => {
  const error = await assertRejects(() => loadNpz(pathOf("object.npz")), UnreadableFileError);
  assertEquals(error.source, `arr_0.npy in ${pathOf("object.npz")}`);
  assertEquals(error.message.endsWith(`the dtype is "|O"`), true);
});

Deno.test("loadNpz() refuses entries that are no arrays, by name", async () => {
  const archive = await zip(
    new Map([["arr_0.npy", bytesOf("one.npy")], ["notes.txt", new Uint8Array(3)]]),
  );
  await assertRejects(
    () => loadNpz(archive),
    UnreadableFileError,
    `each entry of a .npz must be an array and its name end in .npy, but the entry is "notes.txt"`,
  );
  const wrong = await zip(new Map([["arr_0.npy", new TextEncoder().encode("no array")]]));
  await assertRejects(
    () => loadNpz(wrong),
    UnreadableFileError,
    `Cannot read arr_0.npy in the given bytes: a .npy file begins with \\x93NUMPY, ` +
      `but the file starts with "no array"`,
  );
});

Deno.test("saveNpz() writes what NumPy reads back: the bytes that generate.py has it read", async () => {
  await withFile(async (path) => {
    await saveNpz(path, SAVED);
    assertEquals(await Deno.readFile(path), bytesOf("saved.npz"));
  });
});

Deno.test("saveNpz() then loadNpz() gives the same tensors, names and order", async () => {
  await withFile(async (path) => {
    await saveNpz(toFileUrl(path), SAVED);
    assertEquals([...await loadNpz(path)], [...SAVED]);
  });
});

Deno.test("saveNpz() names a list as np.savez does, and takes nested numbers and views", async () => {
  await withFile(async (path) => {
    const part = new Tensor(Float32Array.of(1, 2, 3, 4), [2, 2]).at(1); // shares its numbers
    await saveNpz(path, [[[1, 2], [3, 4]], part, 5]);
    const arrays = await loadNpz(path);
    assertEquals([...arrays.keys()], ["arr_0", "arr_1", "arr_2"]);
    assertEquals([...arrays.values()].map((x) => x.toArray()), [[[1, 2], [3, 4]], [3, 4], 5]);
  });
});

Deno.test("saveNpz() keeps NaN, the infinities and -0", async () => {
  await withFile(async (path) => {
    const values = Float32Array.of(NaN, Infinity, -Infinity, -0);
    await saveNpz(path, [values]);
    assertEquals((await loadNpz(path)).get("arr_0")?.data, values);
  });
});

Deno.test("saveNpz() writes nothing where a tensor, a name or the target will not do", async () => {
  await withFile(async (path) => {
    const before = await Deno.readFile(path);
    const save = (tensors: unknown) => saveNpz(path, tensors as readonly TensorLike[]);
    await assertRejects(
      () => save(new Tensor(Float32Array.of(1), [1])),
      TypeError,
      "Cannot write a .npz: the tensors must come in a list or a Map, but a Tensor [1] was given",
    );
    await assertRejects(
      () => save({ a: [1] }),
      TypeError,
      "in a list or a Map, but an object { a } was given",
    );
    await assertRejects(() => save([[1], "two"]), TypeError);
    await assertRejects(
      () => save(new Map([["../outside", [1]]])),
      RangeError,
      `names must lie within it, but the name is "../outside.npy"`,
    );
    assertEquals(await Deno.readFile(path), before);
  });
  await assertRejects(
    () => saveNpz("https://host/x.npz", []),
    TypeError,
    "Cannot write a file: it must go to a path or a file URL, but that is https://host/x.npz",
  );
  const error = await assertRejects(
    () => saveNpz("no/such/folder.npz", []),
    Error,
    "Cannot write no/such",
  );
  assertEquals(error.cause instanceof Deno.errors.NotFound, true);
});

Deno.test("saveNpy() and saveNpz() write the numbers that were there when they were called", async () => {
  const tensor = new Tensor(Float64Array.of(1, 2), [2]);
  const [npy, npz] = [await Deno.makeTempFile(), await Deno.makeTempFile()];
  const saving = [saveNpy(npy, tensor), saveNpz(npz, [tensor])];
  tensor.data.fill(0);
  await Promise.all(saving);
  assertEquals((await loadNpy(npy)).toArray(), [1, 2]);
  assertEquals((await loadNpz(npz)).get("arr_0")!.toArray(), [1, 2]);
  await Promise.all([npy, npz].map((file) => Deno.remove(file)));
});
