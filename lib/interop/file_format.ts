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
  if (start.startsWith("\x80")) refusePickle(name);
  if (start.startsWith("\x08")) return "onnx"; // ModelProto's first field, ir_version, a varint
  const rule = "a model is a .keras, .h5, .onnx, .safetensors or model.json file, weights a .npz";
  throw new UnreadableFileError(name, rule, describeStart(bytes));
}

function zipFormat(bytes: Uint8Array, name: string): FileFormat {
  const first = String.fromCharCode(...bytes.subarray(30, 130)); // a name, after 30 bytes of header
  if (/^[^\0]{0,64}data\.pkl/.test(first)) refusePickle(name); // before zip64, which torch uses
  const names = readZipDirectory(bytes, name).map((entry) => entry.name);
  return names.length > 0 && names.every((entry) => entry.endsWith(".npy")) ? "npz" : "keras";
}

function refusePickle(name: string): never {
  throw new UnreadableFileError(
    name,
    "Python pickles run code and are not read: in Python, " +
      `safetensors.torch.save_file(lstm.state_dict(), "lstm.safetensors") saves the arrays alone`,
    "file is a pickle, as torch.save writes it",
  );
}
