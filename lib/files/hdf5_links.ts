// How many links a group holds, by its own bookkeeping: h5wasm's list ends silently where a part of
// it is damaged. HDF5 File Format Specification, sections III.A.1, III.B, III.D, IV.A.2.

import type { HeaderMessage } from "./hdf5_header.ts";

const LINK_INFO = 0x0002;
const LINK = 0x0006;
const SYMBOL_TABLE = 0x0011;
const NONE = 2n ** 64n - 1n; // an address of nothing
const TREE = 0x45455254; // "TREE"
const HEAP = 0x50414548; // "HEAP"
const LAST_FREE = 1; // H5HL_FREE_NULL
const LEAF = 0x444f4e53; // "SNOD"
const MAX_NODES = 20_000;
const MAX_DEPTH = 32;

/**
 * The links of a group; undefined where they lie beside its header, where checksums guard them.
 *
 * @throws {Error} where a part is not what it should be.
 */
export function countLinks(
  bytes: Uint8Array,
  messages: readonly HeaderMessage[],
): number | undefined {
  const table = messages.find(({ type }) => type === SYMBOL_TABLE);
  if (table !== undefined) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [root, heap] = [0, 8].map((at) => Number(table.body.getBigUint64(at, true)));
    return countSymbols(view, root!, checkHeap(view, heap!));
  }
  const info = messages.find(({ type }) => type === LINK_INFO)?.body;
  const heap = info?.getBigUint64(info.getUint8(1) & 1 ? 10 : 2, true) ?? NONE;
  return heap === NONE ? messages.filter(({ type }) => type === LINK).length : undefined;
}

/** The size of the names' heap, whose list of free parts must lie within it, and end. */
function checkHeap(view: DataView, at: number): number {
  if (view.getUint32(at, true) !== HEAP) throw new Error(`no heap of names at ${at}`);
  const [size, first, data] = [8, 16, 24].map((k) => Number(view.getBigUint64(at + k, true)));
  let free = first!;
  for (let parts = 0; free !== LAST_FREE; parts++) {
    const next = data! + free;
    const length = Number(view.getBigUint64(next + 8, true));
    if (!(free + Math.max(length, 16) <= size!) || parts > MAX_NODES) {
      throw new Error(`its names' heap is damaged at ${at}`);
    }
    free = Number(view.getBigUint64(next, true));
  }
  return size!;
}

/** The symbols in a tree's leaves, level by level; nodes of one level name their neighbours. */
function countSymbols(view: DataView, root: number, heapSize: number): number {
  const kindOf = (at: number) => view.getUint32(at, true);
  const entriesOf = (at: number) => view.getUint16(at + 6, true);
  let level = [root];
  for (let depth = 0; level.some((at) => kindOf(at) === TREE); depth++) {
    const addresses = [NONE, ...level.map(BigInt), NONE];
    const areInLine = level.every((at, k) =>
      kindOf(at) === TREE && view.getBigUint64(at + 8, true) === addresses[k] &&
      view.getBigUint64(at + 16, true) === addresses[k + 2]
    );
    if (!areInLine) throw new Error(`its links are not in line at ${level[0]}`);
    level = level.flatMap((at) =>
      // after 24 bytes: a key, a child, a key, a child, …
      Array.from({ length: entriesOf(at) }, (_, k) => {
        return Number(view.getBigUint64(at + 24 + 16 * k + 8, true));
      })
    );
    if (level.length > MAX_NODES || depth > MAX_DEPTH) throw new Error("its links go on for ever");
  }
  if (!level.every((at) => kindOf(at) === LEAF)) throw new Error("its links are no links");
  const symbols = level.flatMap((at) => { // after 8 bytes, of 40 each; the name's place comes first
    return Array.from({ length: entriesOf(at) }, (_, k) => at + 8 + 40 * k);
  });
  if (symbols.some((at) => view.getBigUint64(at, true) >= heapSize)) {
    throw new Error(`its names lie outside of their heap at ${level[0]}`);
  }
  return symbols.length;
}
