// What a checkpoint may name, and what it becomes here: the part of torch.load(weights_only=True)'s
// list (torch/_weights_only_unpickler.py, _get_allowed_globals) that is about dense tensors.

import { quoted } from "../base/quoted.ts";
import type { NumberKind } from "./number_kinds.ts";
import { Global, kindOfValue, setItems, Tuple } from "./pickle_values.ts";
import { Storage, TensorView } from "./torch_tensor.ts";
import { UnreadableFileError } from "./unreadable.ts";

/** A kind of number by its name: that of a storage, or a dtype. */
export class Kind extends Global {
  constructor(
    name: string,
    readonly kind: NumberKind,
    readonly isStorage: boolean,
  ) {
    super(name);
  }
}

const STORAGES: Readonly<Record<string, NumberKind>> = {
  "torch.FloatStorage": "f4",
  "torch.DoubleStorage": "f8",
  "torch.HalfStorage": "f2",
  "torch.BFloat16Storage": "bf2",
  "torch.LongStorage": "i8",
  "torch.IntStorage": "i4",
  "torch.ShortStorage": "i2",
  "torch.CharStorage": "i1",
  "torch.ByteStorage": "u1",
  "torch.BoolStorage": "b1",
  "torch.storage.UntypedStorage": "u1", // the tensor's dtype says what its bytes are
};
const DTYPES: Readonly<Record<string, NumberKind>> = {
  "torch.float32": "f4",
  "torch.float64": "f8",
  "torch.float16": "f2",
  "torch.bfloat16": "bf2",
  "torch.int64": "i8",
  "torch.int32": "i4",
  "torch.int16": "i2",
  "torch.int8": "i1",
  "torch.uint64": "u8",
  "torch.uint32": "u4",
  "torch.uint16": "u2",
  "torch.uint8": "u1",
  "torch.bool": "b1",
};

type Call = readonly [
  least: number,
  most: number,
  call: (args: readonly unknown[]) => unknown,
];

/** What is called: how many arguments it takes, from and to, and what it gives here. */
const CALLS: Readonly<Record<string, Call>> = {
  "collections.OrderedDict": [0, 1, ([pairs]) => dictOf(pairs)],
  "collections.Counter": [0, 1, ([counts]) => dictOf(counts)], // of a learning rate's schedule
  "builtins.set": [0, 1, ([items]) => setOf(items ?? [])],
  "torch.Size": [0, 1, ([sizes]) => new Tuple(listOf(sizes ?? []))],
  "torch.device": [1, 2, () => new Global("torch.device")],
  "_codecs.encode": [2, 2, ([text, encoding]) => latin1Of(text, encoding)],
  // storage, offset, shape, strides; requires_grad, hooks; a dtype; bits of complex numbers
  "torch._utils._rebuild_tensor": [4, 4, (args) => tensorOf(args)],
  "torch._utils._rebuild_tensor_v2": [6, 7, (args) => tensorOf(args, undefined, args[6])],
  "torch._utils._rebuild_tensor_v3": [7, 8, (args) => tensorOf(args, args[6], args[7])],
  "torch._utils._rebuild_parameter": [3, 3, ([tensor]) => madeTensor(tensor)],
  "torch._utils._rebuild_parameter_with_state": [4, 4, ([tensor]) => madeTensor(tensor)],
  "torch.nn.parameter.Parameter": [1, 2, ([tensor]) => madeTensor(tensor)],
  "torch._tensor._rebuild_from_type_v2": [4, 4, (args) => withAttributes(args)],
};

const GLOBALS: ReadonlyMap<string, Global> = new Map(
  [
    new Global("torch.Tensor"),
    ...Object.entries(STORAGES).map(([name, kind]) => new Kind(name, kind, true)),
    ...Object.entries(DTYPES).map(([name, kind]) => new Kind(name, kind, false)),
    ...Object.entries(CALLS).map(([name, [least, most, call]]) =>
      new Global(name, (args) => {
        if (args.length >= least && args.length <= most) return call(args);
        const rule = `${name} takes ${least === most ? least : `${least} to ${most}`} arguments`;
        throw new UnreadableFileError(rule, `it gets ${args.length}`);
      })
    ),
  ].map((global) => [global.name, global]),
);

/** The names that are known. */
export const KNOWN_GLOBALS: readonly string[] = [...GLOBALS.keys()];

const SAVE = `torch.save(model.state_dict(), "model.pth")`;

/**
 * What stands for a name in a pickle.
 *
 * @param pickle the file, which tells whether the name is a module's class
 * @throws {UnreadableFileError} where nothing does.
 */
export function findGlobal(name: string, pickle: Uint8Array): Global {
  const found = GLOBALS.get(name);
  if (found !== undefined) return found;
  const text = new TextDecoder("latin1").decode(pickle.subarray(0, 2 ** 20));
  if (text.includes("X\v\0\0\0_parameters") && text.includes("X\b\0\0\0_modules")) {
    const rule = "a module of PyTorch is a program, and none is run: " +
      `in Python, where its class is there, ${SAVE} saves its weights`;
    const state = `the file holds a whole module, of class ${quoted(name)}`;
    throw new UnreadableFileError(rule, state);
  }
  const rule = `a checkpoint may name only what tensors need, and nothing is run: ${SAVE} ` +
    "in Python saves no more (as torch.load(file, weights_only=True) reads it)";
  throw new UnreadableFileError(rule, `the file names ${quoted(name)}`);
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Tuple) return value.items;
  throw new UnreadableFileError("it takes a list", `it gets ${kindOfValue(value)}`);
}

function dictOf(pairs: unknown = []): Map<unknown, unknown> {
  const dict = new Map<unknown, unknown>();
  const items = pairs instanceof Map ? [...pairs] : listOf(pairs).map(listOf);
  for (const item of items) {
    if (item.length !== 2) {
      throw new UnreadableFileError("it takes pairs", `one has ${item.length}`);
    }
    setItems(dict, item);
  }
  return dict;
}

/** Python 3's bytes, as protocol 2 writes them. */
function latin1Of(text: unknown, encoding: unknown): Uint8Array {
  // deno-lint-ignore no-control-regex
  if (typeof text === "string" && /^[\x00-\xff]*$/.test(text) && encoding === "latin1") {
    return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  }
  const state = `it gets ${kindOfValue(text)} and ${kindOfValue(encoding)}`;
  throw new UnreadableFileError("it takes a text and latin1", state);
}

function setOf(value: unknown): Set<unknown> {
  const dict = new Map<unknown, unknown>();
  for (const item of listOf(value)) setItems(dict, [item, true]);
  return new Set(dict.keys());
}

function madeTensor(value: unknown): TensorView {
  if (value instanceof TensorView) return value;
  throw new UnreadableFileError("it takes a tensor", `it gets ${kindOfValue(value)}`);
}

function tensorOf(
  [storage, offset, shape, strides, isTrained = false]: readonly unknown[],
  dtype?: unknown,
  bits?: unknown,
): TensorView {
  if (!(storage instanceof Storage) || dtype !== undefined && !(dtype instanceof Kind)) {
    const state = `it gets ${kindOfValue(storage)} and ${kindOfValue(dtype)}`;
    throw new UnreadableFileError("it takes a storage, and a dtype perhaps", state);
  }
  if (typeof isTrained !== "boolean") {
    throw new UnreadableFileError("requires_grad is a bool", `it is ${kindOfValue(isTrained)}`);
  }
  if (bits instanceof Map && bits.size > 0) { // torch._C._get_tensor_metadata
    const state = `one has ${[...bits.keys()].slice(0, 4).join(", ")}`;
    throw new UnreadableFileError(
      "its tensors must be neither conjugate nor negative views",
      state,
    );
  }
  const [sizes, steps] = [listOf(shape), listOf(strides)] as [number[], number[]];
  return new TensorView(storage, offset as number, sizes, steps, dtype?.kind);
}

/** A tensor with attributes of its own, which are passed over. */
function withAttributes([rebuild, type, args]: readonly unknown[]): TensorView {
  const isPlain = type instanceof Global &&
    (type.name === "torch.Tensor" || type.name === "torch.nn.parameter.Parameter");
  if (isPlain && rebuild instanceof Global && rebuild.call && args instanceof Tuple) {
    return madeTensor(rebuild.call(args.items));
  }
  const state = `one is ${kindOfValue(type)} by ${kindOfValue(rebuild)}`;
  throw new UnreadableFileError("tensors must be plain ones", state);
}
