// PyTorch's own files: torch.save writes a pickle of the objects, and beside it the numbers, as a zip
// archive (1.6 and newer) or one after the other (torch/serialization.py, _load and _legacy_load).

import { quoted } from "../base/quoted.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { itemSizeOf } from "./number_kinds.ts";
import { type PickleRules, readPickle } from "./pickle.ts";
import { kindOfValue, Tuple } from "./pickle_values.ts";
import { findGlobal, Kind } from "./torch_globals.ts";
import { Storage, TensorView } from "./torch_tensor.ts";
import { UnreadableFileError, within } from "./unreadable.ts";
import { MAX_UNPACKED_BYTES, unzip } from "./zip.ts";

/** The arrays by name, in the order of the state_dict; copied when they are asked for. */
export interface StateDict {
  (): ReadonlyMap<string, Tensor>;
  /** What they are called. */
  readonly names: readonly string[];
}

const MAGIC = 0x1950a86a20f9469cfc6cn; // torch/serialization.py, MAGIC_NUMBER
const PROTOCOL = 1001; // PROTOCOL_VERSION
const MAX_DEPTH = 100;

/**
 * The state dicts of a file by torch.save, by where they lie: `""` where the file is one, else their
 * keys, `ema.model`. A dict with tensors counts as one, unless a dict in it does; those of optimizers
 * are left out, and so is what is no tensor.
 *
 * @param bytes the file
 * @throws {UnreadableFileError} where it is damaged, or holds what torch.load(weights_only=True) would
 * not read.
 */
export async function readTorch(bytes: Uint8Array): Promise<ReadonlyMap<string, StateDict>> {
  const isZip = bytes[0] === 0x50; // "PK"
  const dicts = stateDicts(isZip ? await readArchive(bytes) : readLegacy(bytes));
  return new Map([...dicts].map(([key, dict]) => {
    const names = tensorsOf(dict).map(([name]) => name);
    return [key, Object.assign(() => arraysOf(dict), { names })];
  }));
}

/** `<folder>/data.pkl`, `<folder>/data/<key>` for the numbers, `<folder>/byteorder`. */
async function readArchive(bytes: Uint8Array): Promise<unknown> {
  const entries = await unzip(bytes);
  const place = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (place === undefined) {
    const state = `the entries are ${[...entries.keys()].slice(0, 8).map(quoted).join(", ")}`;
    throw new UnreadableFileError("a checkpoint's archive has a data.pkl in its folder", state);
  }
  const folder = place.slice(0, -"data.pkl".length);
  const order = new TextDecoder().decode(entries.get(`${folder}byteorder`)) || "little";
  if (order !== "little" && order !== "big") {
    const state = `the record is ${quoted(order)}`;
    throw new UnreadableFileError("its byteorder must be little or big", state);
  }
  const outside = (id: unknown): Storage => {
    const storage = storageOf(id, 5);
    const entry = entries.get(`${folder}data/${storage.key}`);
    if (entry === undefined) {
      const state = `data/${storage.key} is not there`;
      throw new UnreadableFileError("the numbers of each storage must lie in the archive", state);
    }
    storage.fill(entry, order === "big");
    return storage;
  };
  return within(place, () => {
    const pickle = entries.get(place)!;
    return readPickle(pickle, 0, { find: (name) => findGlobal(name, pickle), outside }).value;
  });
}

/** Pickles one after the other: a number, a version, the writer, the objects, the keys of the storages. */
function readLegacy(bytes: Uint8Array): unknown {
  const storages = new Map<string, Storage>();
  const outside = (id: unknown): Storage => {
    const storage = storageOf(id, 6);
    const before = storages.get(storage.key);
    storages.set(storage.key, before ?? storage);
    if (before !== undefined && (before.kind !== storage.kind || before.count !== storage.count)) {
      const state = `storage ${quoted(storage.key)} is ${before} and ${storage}`;
      throw new UnreadableFileError("a storage must be told of alike", state);
    }
    return before ?? storage;
  };
  let at = 0;
  const next = (rules: Partial<PickleRules> = {}) => {
    const { value, end } = readPickle(bytes, at, {
      find: (name) => findGlobal(name, bytes),
      ...rules,
    });
    at = end;
    return value;
  };
  const [magic, protocol] = [next(), next()];
  if (magic !== MAGIC || protocol !== PROTOCOL) {
    const state = `the protocol is ${kindOfValue(protocol)}`;
    throw new UnreadableFileError(`a file by torch.save is of protocol ${PROTOCOL}`, state);
  }
  next(); // how its writer's machine lays out numbers; those of the file are little-endian
  const value = next({ outside });
  const keys = next();
  const isWhole = Array.isArray(keys) && new Set(keys).size === storages.size;
  if (!isWhole || keys.length !== storages.size) {
    const state = `there stands ${kindOfValue(keys)}`;
    throw new UnreadableFileError(
      `the file must list its ${storages.size} storages, each once`,
      state,
    );
  }
  for (const key of keys) at = fillFrom(bytes, at, storages.get(key), key);
  if (at === bytes.length) return value;
  const state = `the file has ${bytes.length}, so it is followed by something else`;
  throw new UnreadableFileError(`what it tells of takes ${at} bytes`, state);
}

/** How many numbers a storage has, in 8 bytes, and the numbers. */
function fillFrom(
  bytes: Uint8Array,
  at: number,
  storage: Storage | undefined,
  key: unknown,
): number {
  const begin = at + 8;
  const end = begin + (storage?.byteLength ?? 0);
  if (storage === undefined || end > bytes.length) {
    const state = storage === undefined ? "the file tells of none" : "the file ends before it does";
    throw new UnreadableFileError(`storage ${kindOfValue(key)} must be there`, state);
  }
  const count = new DataView(bytes.buffer, bytes.byteOffset + at).getBigUint64(0, true);
  if (count !== BigInt(storage.count)) {
    const state = `the numbers of storage ${quoted(storage.key)} are ${count}`;
    throw new UnreadableFileError(`${storage} must be as long as it says`, state);
  }
  storage.fill(bytes.subarray(begin, end), false);
  return end;
}

/** `("storage", torch.FloatStorage, "0", "cpu", 24)`, and `None` behind it in the older format. */
function storageOf(id: unknown, length: number): Storage {
  const items = id instanceof Tuple ? id.items : [];
  const [what, kind, key, device, count, view] = items;
  if (
    what === "storage" && kind instanceof Kind && kind.isStorage && typeof key === "string" &&
    typeof device === "string" &&
    Number.isSafeInteger(count) && (count as number) >= 0 && items.length === length &&
    (view === undefined || view === null)
  ) return new Storage(key, kind.kind, count as number);
  const rule =
    "what lies outside of the pickle must be a storage: its kind, key, device and length";
  throw new UnreadableFileError(rule, `it is (${items.map(kindOfValue).join(", ")})`);
}

/** Where the state dicts lie in what a file holds. */
function stateDicts(root: unknown): ReadonlyMap<string, ReadonlyMap<unknown, unknown>> {
  const found = new Map<string, ReadonlyMap<unknown, unknown>>();
  const [seen, dicts] = [new Set<unknown>(), new Set<unknown>()];
  const add = (value: ReadonlyMap<unknown, unknown>, path: readonly (string | number)[]) => {
    const key = path.join(".");
    if (found.has(key)) {
      const state = `${quoted(key)} stands for two`;
      throw new UnreadableFileError("the keys of a checkpoint must tell its parts apart", state);
    }
    found.set(key, value);
    dicts.add(value);
  };
  const visit = (value: unknown, path: readonly (string | number)[]): void => {
    if (path.length > MAX_DEPTH) {
      const state = "it goes deeper";
      throw new UnreadableFileError(`a checkpoint may be ${MAX_DEPTH} levels deep`, state);
    }
    const isDict = value instanceof Map;
    if (isDict && dicts.has(value)) return add(value, path); // a second time
    if (seen.has(value) || isDict && value.has("param_groups")) return; // an optimizer's
    const entries = isDict ? value : value instanceof Tuple ? value.items : value;
    if (!(isDict || Array.isArray(entries))) return;
    seen.add(value);
    const before = found.size;
    for (const [key, part] of (entries as Map<unknown, unknown> | unknown[]).entries()) {
      if (typeof key === "string" || typeof key === "number") visit(part, [...path, key]);
    }
    const isOne = isDict && found.size === before && tensorsOf(value).length > 0;
    if (isOne) add(value, path);
  };
  visit(root, []);
  if (found.size > 0) return found;
  const rule = "a checkpoint must hold a state_dict: tensors by their names " +
    `(torch.save(model.state_dict(), "model.pth") in Python)`;
  throw new UnreadableFileError(rule, `the file holds ${kindOfValue(root)}`);
}

function tensorsOf(dict: ReadonlyMap<unknown, unknown>): [string, TensorView][] {
  return [...dict].filter((entry): entry is [string, TensorView] => {
    return typeof entry[0] === "string" && entry[1] instanceof TensorView;
  });
}

function arraysOf(dict: ReadonlyMap<unknown, unknown>): ReadonlyMap<string, Tensor> {
  const tensors = tensorsOf(dict);
  const sizes = tensors.map(([, { kind, length }]) => length * itemSizeOf(kind));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > MAX_UNPACKED_BYTES) {
    const rule = `the tensors of a state_dict may take at most ${MAX_UNPACKED_BYTES} bytes`;
    throw new UnreadableFileError(rule, `they take ${total}`);
  }
  return new Map(tensors.map(([name, view]) => [name, within(quoted(name), () => view.copy())]));
}
