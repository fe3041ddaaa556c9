// The table of formats. Another one is a file that exports it, and a line here.

import { kindOfFile, refuseKind } from "../files/file_kinds.ts";
import type { Format } from "./format.ts";
import { KERAS, KERAS_H5 } from "./keras/keras.ts";
import { NPZ } from "./npz.ts";
import { ONNX } from "./onnx/onnx.ts";
import { SAFETENSORS } from "./pytorch/safetensors.ts";
import { TFJS } from "./tfjs.ts";
import { TORCH } from "./pytorch/torch.ts";

/** The formats that are read; of those of one kind, the first that fits. */
export const FORMATS: readonly Format[] = [NPZ, KERAS, KERAS_H5, SAFETENSORS, TORCH, TFJS, ONNX];

/**
 * The format of a file, by its bytes: names lie.
 *
 * @throws {UnreadableFileError} where it is of none; of some, with what to do instead.
 */
export function formatOf(bytes: Uint8Array): Format {
  const kind = kindOfFile(bytes);
  const found = FORMATS.find((format) => format.kind === kind && (format.fits?.(bytes) ?? true));
  const names = FORMATS.map(({ name }) => name).join(", ");
  return found ?? refuseKind(bytes, `a model's file is one of ${names}`);
}
