import { type Hdf5File, readHdf5 } from "./hdf5.ts";
import { startReader } from "./hdf5_worker.ts";
import { writeHdf5, type WrittenHdf5 } from "./hdf5_write.ts";
import { isRecord, parseJson } from "./json.ts";
import { UnreadableFileError, within } from "./unreadable.ts";
import { unzip, zip } from "./zip.ts";

// The format: keras/src/saving/saving_lib.py (Keras 3.15.1)

/** What a .keras file holds. */
export interface KerasArchive {
  /** `metadata.json`: `keras_version`, `date_saved`. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** `config.json`: the layers, and how the model was compiled. */
  readonly config: Readonly<Record<string, unknown>>;
  /** `model.weights.h5`. */
  readonly weights: Hdf5File;
}

const CONFIG = "config.json";
const METADATA = "metadata.json";
const WEIGHTS = "model.weights.h5";

/**
 * A .keras file: a zip archive of two JSON texts and an HDF5 file.
 *
 * @throws {UnreadableFileError} where it is none or damaged, or its weights lie in several files.
 */
export async function readKerasArchive(bytes: Uint8Array): Promise<KerasArchive> {
  startReader();
  const entries = await unzip(bytes);
  const entry = (wanted: string): Uint8Array => {
    const found = entries.get(wanted);
    if (found !== undefined) return found;
    const state = `the entries are ${[...entries.keys()].slice(0, 8).join(", ") || "none"}`;
    throw new UnreadableFileError(`a .keras file holds ${wanted}`, state);
  };
  const record = (wanted: string) =>
    within(wanted, () => {
      const value = parseJson(entry(wanted));
      if (isRecord(value)) return value;
      throw new UnreadableFileError("it must be an object", "the value is none");
    });
  const [config, metadata, weights] = [record(CONFIG), record(METADATA), entry(WEIGHTS)];
  return { config, metadata, weights: await within(WEIGHTS, () => readHdf5(weights)) };
}

/** The bytes of a .keras file that Keras opens. */
export async function writeKerasArchive(
  metadata: object,
  config: object,
  weights: WrittenHdf5,
): Promise<Uint8Array> {
  const text = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  return await zip(
    new Map([
      [METADATA, text(metadata)],
      [CONFIG, text(config)],
      [WEIGHTS, await writeHdf5(weights)],
    ]),
  );
}
