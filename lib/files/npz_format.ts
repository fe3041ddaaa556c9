// Archives of NumPy's arrays; loaded when one is read or written.

import { quoted } from "../base/quoted.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { decodeNpy, encodeNpy } from "./npy_format.ts";
import { openFile } from "./open.ts";
import { type Source, writeFile } from "./source.ts";
import { UnreadableFileError, within } from "./unreadable.ts";
import { unzip, zip } from "./zip.ts";

/** What `loadNpz` does. */
export async function readNpz(source: Source): Promise<Map<string, Tensor>> {
  return await openFile(source, ({ bytes }) => decodeNpz(bytes));
}

/** What `saveNpz` does. */
export async function writeNpz(
  target: string | URL,
  tensors: readonly (readonly [name: string, Tensor])[],
): Promise<void> {
  const files = tensors.map(([name, tensor]) => [`${name}.npy`, encodeNpy(tensor)] as const);
  await writeFile(target, await zip(new Map(files)));
}

/** The arrays in the bytes of a .npz file. */
export async function decodeNpz(
  bytes: Uint8Array,
): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  for (const [entry, content] of await unzip(bytes)) {
    if (!entry.endsWith(".npy")) {
      throw new UnreadableFileError(
        "each entry of a .npz must be an array and its name end in .npy",
        `the entry is ${quoted(entry)} (the archive holds something else besides, or is no .npz)`,
      );
    }
    tensors.set(entry.slice(0, -".npy".length), within(entry, () => decodeNpy(content)));
  }
  return tensors;
}
