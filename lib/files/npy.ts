// The doors of .npy files: what reads and writes them is loaded when it is asked for.

import { refuseOptions } from "../base/options.ts";
import { asTensor, copyOf, type Tensor, type TensorLike } from "../tensor/tensor.ts";
import type { Source } from "./source.ts";

/**
 * Reads a NumPy array from a `.npy` file, as `np.save("x.npy", x)` writes it.
 *
 * float64, float32 and int32 keep their kind. float16 becomes float32; bool, int8, int16, uint8 and
 * uint16 become int32; uint32, int64 and uint64 become float64. Fortran order and big-endian numbers
 * are read right.
 *
 * @param source a path, a URL or the bytes
 * @returns the array in its own shape, `[]` for a single number
 * @throws {UnreadableFileError} where the file cannot be read, is damaged, cut short or followed by
 * something else, holds no numbers (Python objects, text, complex numbers), or holds an integer
 * beyond ±(2⁵³ − 1), which float64 would round.
 * @throws {TypeError} where the source is of no kind that is read.
 *
 * @example
 * ```ts
 * import { loadNpy } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const x = await loadNpy("notebooks/data/x.npy"); // in Python: np.save("x.npy", x)
 * assertEquals(x.shape, [4, 3, 2]);
 * assertEquals(x.at(0).toArray(), [[0, 1], [2, 3], [4, 5]]);
 * ```
 */
export async function loadNpy(source: Source): Promise<Tensor> {
  refuseOptions("read a .npy", arguments, 1);
  return await (await import("./npy_format.ts")).readNpy(source);
}

/**
 * Writes a tensor to a `.npy` file that `np.load` reads, in its own number kind. The same tensor gives
 * the same bytes.
 *
 * @param target a path or a file URL; what is there is replaced
 * @throws {TypeError} where the target is neither a path nor a file URL, or there is no tensor.
 * @throws {Error} where the file cannot be written; `cause` says why.
 *
 * @example
 * ```ts
 * import { loadNpy, saveNpy } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const file = await Deno.makeTempFile({ suffix: ".npy" });
 * await saveNpy(file, [[1, 2], [3, 4]]); // in Python: np.load(file)
 * assertEquals((await loadNpy(file)).toArray(), [[1, 2], [3, 4]]);
 * await Deno.remove(file);
 * ```
 */
export async function saveNpy(target: string | URL, tensor: TensorLike): Promise<void> {
  refuseOptions("write a .npy", arguments, 2);
  const kept = copyOf(asTensor(tensor));
  await (await import("./npy_format.ts")).writeNpy(target, kept);
}
