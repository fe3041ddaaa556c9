// What runs in the worker, beside h5wasm. The function is sent as its own source text, so it must
// not use anything from outside of itself.

import type { Hdf5Object } from "./hdf5_header.ts";

/** A file's objects, as plain values that cross to another thread. */
export interface Hdf5Walk {
  /** The arrays of numbers. */
  readonly arrays: readonly {
    readonly path: string;
    readonly shape: readonly number[];
    /** `i`, `u` or `f`, and the bytes of a number: what {@linkcode NumberKind} spells. */
    readonly kind: string;
    /** The numbers, the smallest byte first whatever the file's order is. */
    readonly buffer: ArrayBuffer;
  }[];
  /** The paths of what is no array of numbers, and its kind. */
  readonly others: readonly (readonly [path: string, kind: string])[];
  /** Every object, with where its header lies. */
  readonly objects: readonly Hdf5Object[];
  /** The attributes of groups and arrays: texts, and lists of texts. */
  readonly texts: readonly (readonly [path: string, name: string, text: string | string[]])[];
}

/** What a file may ask for. */
export interface Hdf5Limits {
  /** Bytes of all arrays and attributes together. */
  readonly bytes: number;
  /** Letters of all texts together. */
  readonly letters: number;
  /** What HDF5 itself may take, beside the file and its arrays. */
  readonly memory: number;
  /** Groups and arrays. */
  readonly objects: number;
  /** Groups in one another. */
  readonly depth: number;
}

/** The part of h5wasm's module that is used; the bindings take paths and give numbers or throw. */
interface Bindings {
  readonly FS: {
    readonly writeFile: (path: string, bytes: Uint8Array, options: object) => void;
    readonly unlink: (path: string) => void;
  };
  readonly HEAPU8: Uint8Array;
  readonly H5G_GROUP: number;
  readonly H5G_DATASET: number;
  readonly _malloc: (bytes: number) => number;
  readonly _free: (pointer: number) => void;
  readonly activate_throwing_error_handler: () => number;
  readonly get_names: (file: bigint, path: string, recursive: boolean) => string[];
  readonly get_type: (file: bigint, path: string) => number;
  readonly get_attribute_names: (file: bigint, path: string) => string[];
  readonly get_dataset_metadata: (file: bigint, path: string) => Metadata;
  readonly get_dataset_filters: (file: bigint, path: string) => { id: number; name: string }[];
  readonly get_dataset_data: (
    file: bigint,
    path: string,
    count: null,
    offset: null,
    strides: null,
    pointer: bigint,
  ) => number;
  readonly get_attribute_data: (
    file: bigint,
    path: string,
    name: string,
    pointer: bigint,
  ) => number;
  readonly reclaim_vlen_memory: (
    file: bigint,
    path: string,
    name: string,
    pointer: bigint,
  ) => number;
  readonly create_object_reference: (file: bigint, path: string) => number[];
}

interface Metadata {
  readonly type: number;
  readonly size: number;
  readonly total_size: number;
  readonly shape: readonly number[] | null;
  readonly chunks: readonly number[] | null;
  readonly signed: boolean;
  readonly vlen?: boolean;
  readonly virtual_sources?: readonly unknown[];
}

/** What is used of h5wasm itself. */
export interface H5wasm {
  readonly ready: Promise<Bindings>;
  readonly File: new (path: string, mode: "r") => { file_id: bigint; close: () => unknown };
  readonly Attribute: new (
    file: bigint,
    path: string,
    name: string,
  ) => { readonly metadata: Metadata };
}

/**
 * Reads all of a file: sizes are compared with the bytes present and with the limits before memory
 * is asked for, and every link must be a hard one within the file.
 *
 * @param allow says how large HDF5's memory may become
 */
export async function walkHdf5(
  h5wasm: H5wasm,
  bytes: Uint8Array,
  limits: Hdf5Limits,
  allow: (bytes: number) => void,
): Promise<Hdf5Walk> {
  const module = await h5wasm.ready;
  const ownMemory = limits.memory + 2 * bytes.length;
  allow(ownMemory);
  module.activate_throwing_error_handler(); // without it, a failed read leaves what memory held
  const refuse = (rule: string, state: string): never => {
    throw Object.assign(new Error(state), { rule });
  };
  const NUMBERS = ["i", "f"]; // HDF5's classes 0 and 1; text is 3
  const KINDS = ["", "", "time", "text", "bits", "opaque", "compound", "reference", "enum", "list"];
  const MAX_RATIO = 1032; // no deflated chunk unpacks to more (RFC 1951, section 3.2.5)
  const objects: Hdf5Object[] = [];
  const arrays: Hdf5Walk["arrays"][number][] = [];
  const others: [string, string][] = [];
  const texts: [string, string, string | string[]][] = [];
  let taken = 0;
  let letters = 0;

  // A name of its own for each file: HDF5 takes equal names for the same file, were one left open.
  const path = `/${crypto.randomUUID()}.h5`;
  module.FS.writeFile(path, bytes, { canOwn: true });
  const file = new h5wasm.File(path, "r");
  const id = file.file_id;

  const take = (place: string, { size, total_size: count, shape }: Metadata, most: number) => {
    const needed = size * count;
    if (!(needed <= most)) {
      const found = `the shape is [${shape}] of ${size} bytes each, the file has ${bytes.length}`;
      refuse(`${place} must fit in the file`, found);
    }
    taken += needed;
    if (!(taken <= limits.bytes)) {
      refuse(`its arrays may take at most ${limits.bytes} bytes`, `sum at ${place} is ${taken}`);
    }
    return needed;
  };

  const addressOf = (object: string) => {
    const reference = module.create_object_reference(id, object); // 8 bytes, the smallest first
    return reference.reduceRight((sum, byte) => sum * 256 + byte, 0);
  };

  /** The texts of an attribute by their bytes: h5wasm puts other letters where they are no UTF-8. */
  const textsOf = (object: string, name: string, { size, total_size: count, vlen }: Metadata) => {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const pointer = module._malloc(size * count);
    module.get_attribute_data(id, object, name, BigInt(pointer));
    const { buffer } = module.HEAPU8;
    const starts = Array.from({ length: count }, (_, k) => {
      return vlen ? new DataView(buffer).getUint32(pointer + 4 * k, true) : pointer + size * k;
    });
    try {
      return starts.map((start) => {
        if (start === 0) return ""; // an empty one of no fixed length
        const end = vlen ? buffer.byteLength : start + size;
        const zero = module.HEAPU8.subarray(start, end).indexOf(0);
        return decoder.decode(module.HEAPU8.slice(start, zero < 0 ? end : start + zero));
      });
    } catch {
      return refuse(
        "its texts must be ASCII or UTF-8",
        `the text of the attribute ${name} of ${object} is neither`,
      );
    } finally {
      if (vlen) module.reclaim_vlen_memory(id, object, name, BigInt(pointer));
      module._free(pointer);
    }
  };

  const readTexts = (object: string) => {
    const names = module.get_attribute_names(id, object);
    for (const name of names) {
      const attribute = new h5wasm.Attribute(id, object, name);
      const { type, shape, total_size: count } = attribute.metadata;
      if (type !== 3 || shape === null || count === 0) continue;
      take(`the attribute ${name} of ${object}`, attribute.metadata, bytes.length);
      const all = textsOf(object, name, attribute.metadata);
      const text = shape.length === 0 ? all[0]! : all;
      letters += [text].flat().reduce((sum, one) => sum + one.length, 0); // one may be there often
      if (letters > limits.letters) {
        refuse(`its texts may have at most ${limits.letters} letters`, `the sum is ${letters}`);
      }
      texts.push([object, name, text]);
    }
    return names.length;
  };

  const wanted: { path: string; shape: readonly number[]; kind: string; needed: number }[] = [];

  /** Notes an array of numbers; its size is compared, and nothing is read yet. */
  const noteArray = (path: string): boolean => {
    const metadata = module.get_dataset_metadata(id, path);
    const { type, size, shape, chunks, signed, virtual_sources: parts } = metadata;
    if ((parts?.length ?? 0) > 0) refuse("its arrays must lie within it", `${path} is virtual`);
    const letter = NUMBERS[type];
    if (letter === undefined || shape === null || size > 8) {
      others.push([path, shape === null ? "empty" : KINDS[type] ?? `class ${type}`]);
      return false;
    }
    const packed = chunks !== null && module.get_dataset_filters(id, path).length > 0;
    const needed = take(path, metadata, bytes.length * (packed ? MAX_RATIO : 1));
    wanted.push({
      path,
      shape,
      kind: `${letter === "i" && !signed ? "u" : letter}${size}`,
      needed,
    });
    return true;
  };

  const readArray = ({ path, shape, kind, needed }: typeof wanted[number]) => {
    allow(ownMemory + 4 * needed); // the numbers, and a chunk of them as it is being unpacked
    const pointer = module._malloc(Math.max(needed, 1));
    if (pointer === 0) refuse("there must be memory for its arrays", `${path} has ${needed}`);
    module.HEAPU8.fill(0, pointer, pointer + needed); // HDF5 leaves what was never written as it is
    module.get_dataset_data(id, path, null, null, null, BigInt(pointer));
    const { buffer } = module.HEAPU8.slice(pointer, pointer + needed) as Uint8Array<ArrayBuffer>;
    module._free(pointer);
    arrays.push({ path, shape: [...shape], kind, buffer });
  };

  const readGroup = (group: string, above: readonly number[]) => {
    const whole = group === "" ? "/" : group;
    const address = addressOf(whole);
    if (above.includes(address)) refuse("no group may hold itself", `the group is ${group}`);
    if (above.length >= limits.depth) {
      refuse(`groups may lie ${limits.depth} deep`, `the group is ${group}`);
    }
    const names = module.get_names(id, whole, false);
    const found = { path: whole, address, attributes: readTexts(whole), links: names.length };
    objects.push({ ...found, isArray: false });
    for (const name of names) {
      const path = `${group}/${name}`;
      if (objects.length >= limits.objects) {
        refuse(`it may hold at most ${limits.objects} groups and arrays`, "the file holds more");
      }
      const type = module.get_type(id, path);
      if (type === module.H5G_GROUP) readGroup(path, [...above, address]);
      else if (type === module.H5G_DATASET) {
        const found = { path, address: addressOf(path), attributes: readTexts(path) };
        objects.push({ ...found, isArray: noteArray(path) });
      } else refuse("its links must lead to groups and arrays within it", `the link is ${path}`);
    }
  };

  readGroup("", []);
  wanted.forEach(readArray);
  file.close();
  module.FS.unlink(path);
  return { arrays, others, objects, texts };
}
