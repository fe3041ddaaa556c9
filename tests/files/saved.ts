// What the committed arrays/saved.npz holds. Where saveNpz() is to write other bytes from now on:
//   deno run --allow-all tests/files/saved.ts && python tests/files/generate.py
// The latter has NumPy read the file back.

import { saveNpz } from "../../lib/files/npz.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

/** One tensor of each kind, a scalar, an empty one, a name beyond ASCII. */
export const SAVED: ReadonlyMap<string, Tensor> = new Map([
  ["kernel", new Tensor(Float64Array.from({ length: 24 }, (_, k) => k), [4, 3, 2])],
  ["bias", new Tensor(Float32Array.of(0.5, -1.5), [2])],
  ["count", new Tensor(Int32Array.of(7), [])],
  ["none", new Tensor(new Float64Array(0), [2, 0])],
  ["lstm/Gewichtsänderung", new Tensor(Int32Array.from({ length: 24 }, (_, k) => k), [4, 3, 2])],
]);

if (import.meta.main) await saveNpz(new URL(import.meta.resolve("./arrays/saved.npz")), SAVED);
