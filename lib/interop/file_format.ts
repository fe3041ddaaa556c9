import { describeStart, UnreadableFileError } from "../files/unreadable.ts";
import { readZipDirectory } from "../files/zip_directory.ts";

/** The kinds of file that carry a model or its weights. */
export type FileFormat = "keras" | "hdf5" | "npz" | "safetensors" | "tfjs" | "onnx";

/**
 * What a file is, by its first bytes: names lie.
 *
 * @throws {UnreadableFileError} where it is nothing that carries weights; Python pickles, as
 * `torch.save` writes them, with what to write instead.
 */
export function formatOf(bytes: Uint8Array): FileFormat {
  const start = String.fromCharCode(...bytes.subarray(0, 9));
  if (start.startsWith("PK")) return zipFormat(bytes);
  if (start.startsWith("\x89HDF")) return "hdf5";
  if (/^......\0\0\{/s.test(start)) return "safetensors"; // the length of its header comes first
  if (/^(\xef\xbb\xbf)?\s*\{/.test(start)) return "tfjs";
  if (start.startsWith("\x80")) refusePickle(bytes);
  refuseOthers(bytes);
  if (start.startsWith("\x08")) return "onnx"; // ModelProto's first field, ir_version, a varint
  const rule = "a model is a .keras, .h5, .onnx, .safetensors or model.json file, weights a .npz";
  throw new UnreadableFileError(rule, describeStart(bytes));
}

function zipFormat(bytes: Uint8Array): FileFormat {
  const end = String.fromCharCode(...bytes.subarray(-4096)); // where the archive lists its names
  if (/\/(data|constants)\.pkl/.test(end)) { // before zip64, which torch uses
    refuseTorch(end.includes("/constants.pkl") ? "a TorchScript module" : CHECKPOINT);
  }
  const names = readZipDirectory(bytes).map((entry) => entry.name);
  return names.length > 0 && names.every((entry) => entry.endsWith(".npy")) ? "npz" : "keras";
}

/** Files that are often taken for a model's, by how they begin; each with what to do instead. */
const OTHERS: readonly (readonly [at: number, begins: string, rule: string, state: string])[] = [
  [
    0,
    "version https://git-lfs",
    "a Git LFS pointer stands for a file that is elsewhere: `git lfs pull` fetches it",
    "the file is a Git LFS pointer",
  ],
  [
    4,
    "TFL3",
    "a TFLite model is not read: the Keras model that it was converted from is",
    "the file is a TFLite model",
  ],
  [
    0,
    "\x08\x01\x12", // saved_model_schema_version 1, meta_graphs; ONNX's ir_version is far higher
    "a TensorFlow SavedModel is not read: in Python, Keras 2 opens its folder and " +
    `model.save("model.keras") writes it anew`,
    "the file is a SavedModel's saved_model.pb",
  ],
  [
    0,
    `"{`,
    "the text of to_json() has no weights, and was written as JSON once more: " +
    `model.save("model.keras") writes both`,
    "the file is a text within JSON",
  ],
];

function refuseOthers(bytes: Uint8Array): void {
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  const found = OTHERS.find(([at, begins]) => start.startsWith(begins, at));
  if (found !== undefined) throw new UnreadableFileError(found[2], found[3]);
}

const CHECKPOINT = "a PyTorch checkpoint, as torch.save writes it";
const LEGACY = "\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"; // torch/serialization.py, MAGIC_NUMBER, pickled

function refusePickle(bytes: Uint8Array): never {
  if (String.fromCharCode(...bytes.subarray(2, 14)) === LEGACY) refuseTorch(CHECKPOINT);
  const rule = "Python pickles run code and are not read: in Python, " +
    "np.savez(file, *model.get_weights()) saves a Keras model's arrays alone";
  throw new UnreadableFileError(rule, "the file is a pickle");
}

function refuseTorch(kind: string): never {
  const rule = "PyTorch's own files are pickles, which run code, and are not read: in Python, " +
    `safetensors.torch.save_file(module.state_dict(), "model.safetensors") saves the arrays alone ` +
    "(so does np.savez(file, **{k: v.numpy() for k, v in module.state_dict().items()}))";
  throw new UnreadableFileError(rule, `the file is ${kind}`);
}
