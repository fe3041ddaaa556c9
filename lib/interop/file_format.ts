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
export function formatOf(bytes: Uint8Array, name: string): FileFormat {
  const start = String.fromCharCode(...bytes.subarray(0, 9));
  if (start.startsWith("PK")) return zipFormat(bytes, name);
  if (start.startsWith("\x89HDF")) return "hdf5";
  if (/^......\0\0\{/s.test(start)) return "safetensors"; // the length of its header comes first
  if (/^(\xef\xbb\xbf)?\s*\{/.test(start)) return "tfjs";
  if (start.startsWith("\x80")) refusePickle(bytes, name);
  if (start.startsWith("\x08\x01\x12")) {
    const rule = "TensorFlow's SavedModel is not read: in Python, " +
      `tf.keras.models.load_model(folder).save("model.h5") saves it so that it is`;
    throw new UnreadableFileError(name, rule, "file is its saved_model.pb");
  }
  if (start.startsWith("\x08")) return "onnx"; // ModelProto's first field, ir_version, a varint
  const rule = "a model is a .keras, .h5, .onnx, .safetensors or model.json file, weights a .npz";
  throw new UnreadableFileError(name, rule, describeStart(bytes));
}

function zipFormat(bytes: Uint8Array, name: string): FileFormat {
  const end = String.fromCharCode(...bytes.subarray(-4096)); // where the archive lists its names
  if (/\/(data|constants)\.pkl/.test(end)) { // before zip64, which torch uses
    refuseTorch(name, end.includes("/constants.pkl") ? "a TorchScript module" : CHECKPOINT);
  }
  const names = readZipDirectory(bytes, name).map((entry) => entry.name);
  return names.length > 0 && names.every((entry) => entry.endsWith(".npy")) ? "npz" : "keras";
}

const CHECKPOINT = "a PyTorch checkpoint, as torch.save writes it";
const LEGACY = "\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"; // torch/serialization.py, MAGIC_NUMBER, pickled

function refusePickle(bytes: Uint8Array, name: string): never {
  if (String.fromCharCode(...bytes.subarray(2, 14)) === LEGACY) refuseTorch(name, CHECKPOINT);
  const rule = "Python pickles run code and are not read: in Python, " +
    "np.savez(file, *model.get_weights()) saves a Keras model's arrays alone";
  throw new UnreadableFileError(name, rule, "file is a pickle");
}

function refuseTorch(name: string, kind: string): never {
  const rule = "PyTorch's own files are pickles, which run code, and are not read: in Python, " +
    `safetensors.torch.save_file(module.state_dict(), "model.safetensors") saves the arrays alone ` +
    "(so does np.savez(file, **{k: v.numpy() for k, v in module.state_dict().items()}))";
  throw new UnreadableFileError(name, rule, `file is ${kind}`);
}
