// The table of formats. Another one is a file that exports it, and a line here.

import { kindOfFile, refuseKind } from "../files/file_kinds.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
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
 * @param key which of several sets of weights is asked for, where one is
 * @throws {UnreadableFileError} where it is of none; of some, with what to do instead; where it has
 * no keys.
 */
export function formatOf(bytes: Uint8Array, key?: string): Format {
  const kind = kindOfFile(bytes);
  const found = FORMATS.find((format) => format.kind === kind && (format.fits?.(bytes) ?? true));
  const names = FORMATS.map(({ name }) => name).join(", ");
  if (found === undefined) refuseKind(bytes, `a model's file is one of ${names}`);
  if (key === undefined || found.hasKeys) return found;
  const rule = "a key chooses among the state dicts of a PyTorch checkpoint";
  throw new UnreadableFileError(rule, `the file is a ${found.name}`);
}
