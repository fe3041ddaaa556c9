// The doors of .npz files: what reads and writes them is loaded when it is asked for.

import { kindOf } from "../base/kind.ts";
import { refuseOptions } from "../base/options.ts";
import { asTensor, copyOf, type Tensor, type TensorLike } from "../tensor/tensor.ts";
import type { Source } from "./source.ts";

/**
 * Reads the NumPy arrays of a `.npz` file, as `np.savez("weights.npz", *model.get_weights())` and
 * `np.savez_compressed` write it. The number kinds are those of {@linkcode loadNpy}.
 *
 * @param source a path, a URL or the bytes
 * @returns the arrays by name in the file's order: `arr_0`, `arr_1`, …, or the names given in Python
 * @throws {UnreadableFileError} where the file cannot be read, is no zip archive, is damaged (the
 * CRC-32 of every array is compared), would unpack to more than 2 GiB, or holds something else than
 * arrays of numbers.
 * @throws {TypeError} where the source is of no kind that is read.
 *
 * @example
 * ```ts
 * import { loadNpz, saveNpz, tensor } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const file = await Deno.makeTempFile({ suffix: ".npz" });
 * await saveNpz(file, [tensor([[1, 2], [3, 4]]), tensor([5, 6])]);
 *
 * const [kernel, bias] = (await loadNpz(file)).values();
 * assertEquals(kernel?.shape, [2, 2]);
 * assertEquals(bias?.toArray(), [5, 6]);
 * await Deno.remove(file);
 * ```
 */
export async function loadNpz(source: Source): Promise<Map<string, Tensor>> {
  refuseOptions("read a .npz", arguments, 1);
  return await (await import("./npz_format.ts")).readNpz(source);
}

/**
 * Writes tensors to a `.npz` file that `np.load` reads: uncompressed, in their own number kinds. The
 * same tensors give the same bytes.
 *
 * @param target a path or a file URL; what is there is replaced
 * @param tensors a list, named `arr_0`, `arr_1`, … as `np.savez` does, or tensors by name
 * @throws {TypeError} where the target is neither a path nor a file URL, or what is given is neither
 * a list nor a Map of tensors.
 * @throws {RangeError} where the tensors take more than 2 GiB, or a name leads out of the archive.
 * @throws {Error} where the file cannot be written; `cause` says why.
 *
 * @example
 * ```ts
 * import { loadNpz, saveNpz, tensor } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const file = await Deno.makeTempFile({ suffix: ".npz" });
 * await saveNpz(file, new Map([["kernel", tensor([[1, 2]])], ["bias", tensor([3])]]));
 * assertEquals([...(await loadNpz(file)).keys()], ["kernel", "bias"]); // np.load(file)["kernel"]
 * await Deno.remove(file);
 * ```
 */
export async function saveNpz(
  target: string | URL,
  tensors: readonly TensorLike[] | ReadonlyMap<string, TensorLike>,
): Promise<void> {
  refuseOptions("write a .npz", arguments, 2);
  const kept = namedTensors(tensors);
  await (await import("./npz_format.ts")).writeNpz(target, kept);
}

/** Each tensor as it is now, by its name. */
function namedTensors(
  tensors: readonly TensorLike[] | ReadonlyMap<string, TensorLike>,
): [name: string, Tensor][] {
  if (!(tensors instanceof Map) && !Array.isArray(tensors)) {
    throw new TypeError(
      `Cannot write a .npz: the tensors must come in a list or a Map, but ` +
        `${kindOf(tensors)} was given`,
    );
  }
  const named: Iterable<[string | number, TensorLike]> = tensors.entries();
  return Array.from(named, ([key, values]) => {
    const name = typeof key === "number" ? `arr_${key}` : key;
    return [name, copyOf(asTensor(values))];
  });
}
