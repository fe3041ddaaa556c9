import { quoted } from "../base/quoted.ts";
import { Tensor } from "../tensor/tensor.ts";
import { joined } from "./joined.ts";
import { areCounts, isRecord, parseJson } from "./json.ts";
import { byteLengthOf, decodeNumbers, type NumberKind } from "./number_kinds.ts";
import type { OpenFile } from "./open.ts";
import { UnreadableFileError, within } from "./unreadable.ts";
import { MAX_UNPACKED_BYTES } from "./zip.ts";

// The format: tensorflow/tfjs, tfjs-core/src/io/types.ts (ModelJSON, WeightsManifestConfig)

/** What TF.js's model.json holds, with its shards. */
export interface TfjsFile {
  /** The model's configuration, as Keras's `to_json` or TF.js writes it. */
  readonly topology: unknown;
  /** The arrays by name, in the manifest's order. */
  readonly arrays: ReadonlyMap<string, Tensor>;
  /** `generatedBy` and `convertedBy`, where they are there. */
  readonly writers: readonly string[];
}

const MAX_SHARDS = 10_000; // of a group; TF.js makes them of 4 MiB
const KINDS: Readonly<Record<string, NumberKind>> = {
  float32: "f4",
  float16: "f2",
  int32: "i4",
  uint8: "u1",
  uint16: "u2",
  bool: "b1",
};

/**
 * A model.json, and the shards of its weights beside it.
 *
 * @throws {UnreadableFileError} where it is none, or its shards are not there, too short or too
 * long, or outside of its folder.
 */
export async function readTfjs(
  { bytes, beside }: Pick<OpenFile, "bytes" | "beside">,
): Promise<TfjsFile> {
  const file = parseJson(bytes);
  if (isRecord(file) && typeof file.class_name === "string" && file.config !== undefined) {
    const rule =
      `the text of Keras's to_json() has no weights: model.save("model.keras") writes both`;
    const state = `the file is the configuration of a ${file.class_name} model alone`;
    throw new UnreadableFileError(rule, state.slice(0, 100));
  }
  if (!isRecord(file) || !isRecord(file.modelTopology) || !Array.isArray(file.weightsManifest)) {
    const rule = "TF.js's model.json has a modelTopology and a weightsManifest";
    const keys = isRecord(file) ? Object.keys(file).slice(0, 8).join(", ") : "none";
    throw new UnreadableFileError(rule, `the keys are ${keys}`);
  }
  const arrays = new Map<string, Tensor>();
  let total = 0;
  for (const group of file.weightsManifest) {
    const { paths, weights } = isRecord(group) ? group : {};
    if (!Array.isArray(paths) || !Array.isArray(weights)) {
      const state = `the group is ${JSON.stringify(group)?.slice(0, 200)}`;
      throw new UnreadableFileError("each group has paths and weights", state);
    }
    const specs = weights.map((weight) => specOf(weight, arrays));
    const needed = specs.reduce((sum, { size }) => sum + size, 0);
    total += needed;
    if (!(total <= MAX_UNPACKED_BYTES)) {
      const rule = `its arrays may take at most ${MAX_UNPACKED_BYTES} bytes`;
      throw new UnreadableFileError(rule, `the sum is ${total}`);
    }
    const data = await readShards(beside, paths, needed);
    let at = 0;
    for (const { key, kind, shape, size, scale, min } of specs) {
      if (arrays.has(key)) {
        const state = `the name ${JSON.stringify(key)} occurs twice`;
        throw new UnreadableFileError("each array needs its own name", state);
      }
      const stored = within(key, () => decodeNumbers(data.subarray(at, at + size), kind));
      const numbers = scale === undefined
        ? stored
        : Float32Array.from(stored, (step) => step * scale + min);
      arrays.set(key, new Tensor(numbers, shape));
      at += size;
    }
  }
  const writers = [file.generatedBy, file.convertedBy].filter((by) => typeof by === "string");
  return { topology: file.modelTopology, arrays, writers };
}

async function readShards(
  beside: OpenFile["beside"],
  paths: readonly unknown[],
  needed: number,
): Promise<Uint8Array> {
  const shards: Uint8Array[] = [];
  let present = 0;
  for (const path of paths) {
    if (typeof path !== "string") {
      const state = `the path is ${JSON.stringify(path)}`;
      throw new UnreadableFileError("its shards must be named by texts", state);
    }
    const shard = await beside(path);
    if (shard.length === 0) {
      const state = `the shard ${quoted(path)} is empty`;
      throw new UnreadableFileError("its shards must hold arrays", state);
    }
    shards.push(shard);
    present += shard.length;
    if (shards.length > MAX_SHARDS) {
      const state = `the count is ${paths.length}`;
      throw new UnreadableFileError(`a group has at most ${MAX_SHARDS} shards`, state);
    }
    if (present > needed) break; // a shard may be named a thousand times
  }
  if (present !== needed) {
    const state = `the shards, ${shards.length} of ${paths.length} read, have ${present}`;
    throw new UnreadableFileError(`its arrays take ${needed} bytes`, state);
  }
  return joined(shards);
}

function specOf(weight: unknown, known: ReadonlyMap<string, Tensor>) {
  const { name: key, shape, dtype, quantization } = isRecord(weight) ? weight : {};
  const isWhole = typeof key === "string" && typeof dtype === "string" && areCounts(shape);
  if (!isWhole || known.has(key)) {
    const rule = "each array of the manifest has its own name, a shape and a dtype";
    const state = `the entry is ${JSON.stringify(weight)?.slice(0, 200)}`;
    throw new UnreadableFileError(rule, state);
  }
  const { dtype: stored = dtype, scale, min } = isRecord(quantization) ? quantization : {};
  const kind = Object.hasOwn(KINDS, stored as string) ? KINDS[stored as string] : undefined;
  const isScaled = kind === "u1" || kind === "u2";
  const fits = quantization === undefined || dtype === "float32" &&
      (isScaled ? Number.isFinite(scale) && Number.isFinite(min) : kind === "f2");
  if (kind === undefined || !fits) {
    const rule =
      `its numbers must be one of ${Object.keys(KINDS).join(", ")}, float32 quantized to ` +
      `float16, or to uint8 or uint16 with a scale and a min`;
    const shown = JSON.stringify(quantization ?? dtype)?.slice(0, 100);
    throw new UnreadableFileError(rule, `it is ${shown}`, { source: key });
  }
  const size = within(key, () => byteLengthOf(shape, kind));
  const steps = quantization !== undefined && isScaled
    ? { scale: scale as number, min: min as number }
    : { scale: undefined, min: 0 };
  return { key, kind, shape, size, ...steps };
}
