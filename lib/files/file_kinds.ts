// What the bytes of a file say that it is: names lie.

import { UnreadableFileError } from "./unreadable.ts";

/** A kind of file, as it is told by its bytes. */
export interface FileKind {
  /** What it is called, after "the file is". */
  readonly what: string;
  /** How it begins, a letter a byte. */
  readonly begins: string | RegExp;
  /** What stands in its last 4,096 bytes, where that tells more. */
  readonly ends?: RegExp;
  /** Why it is not read, and what to do instead. */
  readonly instead?: string;
}

/** The kinds that carry numbers, and those that are often taken for one of them. */
const KINDS = {
  torchscript: {
    what: "a TorchScript module",
    begins: "PK",
    ends: /\/constants\.pkl/, // within the list of names, before zip64, which torch uses
    instead: "TorchScript is a program, and none is run: in Python, " +
      `torch.save(torch.jit.load("model.pt").state_dict(), "model.pth") saves its weights`,
  },
  torch: {
    what: "a PyTorch checkpoint, as torch.save writes it",
    // a zip archive whose first entry is <folder>/data.pkl (older than 1.6: torch/serialization.py,
    // MAGIC_NUMBER, pickled by protocol 2)
    begins: /^(PK.{28}[^/]+\/data\.pkl|\x80.\x8a.l\xfc\x9cF\xf9 j\xa8P.\.)/s,
  },
  zip: { what: "a zip archive, as .npz is (loadNpz reads it)", begins: "PK" },
  hdf5: { what: "HDF5", begins: "\x89HDF" },
  npy: { what: "a .npy array (loadNpy reads it)", begins: "\x93NUMPY" },
  // the length of its header comes first
  safetensors: { what: "a .safetensors file", begins: /^.{6}\0\0\{/s },
  json: { what: "JSON", begins: /^(\xef\xbb\xbf)?\s*\{/ },
  pickle: {
    what: "a Python pickle, it seems (save arrays with np.savez instead)",
    begins: "\x80",
    instead: "Python pickles run code and are not read: in Python, " +
      "np.savez(file, *model.get_weights()) saves a Keras model's arrays alone",
  },
  lfs: {
    what: "a Git LFS pointer",
    begins: "version https://git-lfs",
    instead: "a Git LFS pointer stands for a file that is elsewhere: `git lfs pull` fetches it",
  },
  tflite: {
    what: "a TFLite model",
    begins: /^.{4}TFL3/s,
    instead: "a TFLite model is not read: the Keras model that it was converted from is",
  },
  savedModel: {
    what: "a SavedModel's saved_model.pb",
    // saved_model_schema_version 1, meta_graphs; ONNX's ir_version is far higher
    begins: "\x08\x01\x12",
    instead: "a TensorFlow SavedModel is not read: in Python, Keras 2 opens its folder and " +
      `model.save("model.keras") writes it anew`,
  },
  jsonText: {
    what: "a text within JSON",
    begins: `"{`,
    instead: "the text of to_json() has no weights, and was written as JSON once more: " +
      `model.save("model.keras") writes both`,
  },
  onnx: { what: "a message of protobuf, it seems", begins: "\x08" }, // ModelProto's ir_version
} satisfies Record<string, FileKind>;

/** What the kinds are called in code. */
export type FileKindName = keyof typeof KINDS;

/** A letter a byte; a typed array is an array to `apply`, and faster there than spread. */
const letters = (bytes: Uint8Array): string =>
  String.fromCharCode.apply(null, bytes as unknown as number[]);

/** The kind of a file; undefined where its bytes are those of none. */
export function kindOfFile(bytes: Uint8Array): FileKindName | undefined {
  const start = letters(bytes.subarray(0, 512));
  const kinds: [string, FileKind][] = Object.entries(KINDS);
  const found = kinds.find(([, { begins, ends }]) =>
    (typeof begins === "string" ? start.startsWith(begins) : begins.test(start)) &&
    (ends === undefined || ends.test(letters(bytes.subarray(-4096))))
  );
  return found?.[0] as FileKindName | undefined;
}

/** What a file of another kind seems to be, for the end of a message. */
export function describeStart(bytes: Uint8Array): string {
  if (bytes.length === 0) return "the file is empty";
  const kind = kindOfFile(bytes);
  if (kind !== undefined) return `the file is ${KINDS[kind].what}`;
  return `the file starts with "${letters(bytes.subarray(0, 16)).replace(/[^\x20-\x7e]/g, "·")}"`;
}

/**
 * Throws where a file is of a kind that is never read, and says what to do instead; else, that none
 * of what is read begins so.
 */
export function refuseKind(bytes: Uint8Array, rule: string): never {
  const kind = kindOfFile(bytes);
  const { instead = rule }: Partial<FileKind> = kind === undefined ? {} : KINDS[kind];
  throw new UnreadableFileError(instead, describeStart(bytes));
}
