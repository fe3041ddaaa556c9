import type { Tensor } from "../tensor/tensor.ts";

/** What is written to an HDF5 file; the groups on the way are made. */
export interface WrittenHdf5 {
  /** Arrays by path, without a slash in front. */
  readonly arrays: ReadonlyMap<string, Tensor>;
  /** The attribute `name` of each of these groups. */
  readonly names: ReadonlyMap<string, string>;
}

/** The bytes of an HDF5 file, through h5wasm (loaded when first used). */
export async function writeHdf5({ arrays, names }: WrittenHdf5): Promise<Uint8Array> {
  const h5wasm = await import("h5wasm");
  const { FS } = await h5wasm.ready;
  const path = "/written.h5"; // in h5wasm's memory, and gone before anything else runs
  const file = new h5wasm.File(path, "w");
  const made = new Set<string>([""]);
  const make = (group: string) => {
    if (made.has(group)) return;
    make(group.slice(0, Math.max(0, group.lastIndexOf("/"))));
    file.create_group(group);
    made.add(group);
  };
  try {
    for (const [group, name] of names) {
      make(group);
      new h5wasm.Group(file.file_id, `/${group}`).create_attribute("name", name);
    }
    for (const [name, { data, shape }] of arrays) {
      make(name.slice(0, Math.max(0, name.lastIndexOf("/"))));
      file.create_dataset({ name, data, shape: [...shape] });
    }
  } finally {
    file.close();
  }
  const bytes = FS.readFile(path) as Uint8Array;
  FS.unlink(path);
  return bytes;
}
