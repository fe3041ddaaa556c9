// Keras's .h5 as it was before .weights.h5: attributes name each layer's arrays.

import type { Hdf5File } from "../../files/hdf5.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import type { Converted } from "../conversion.ts";
import { arrayAt, isStack, type StoredLayer } from "./weights.ts";

/**
 * Each layer's arrays out of a legacy .h5 file, as its attributes name them.
 *
 * @param group `model_weights/`, or nothing in a file of weights alone
 * @returns the arrays of each layer that has any, by the layer's name, in the file's order
 */
export function legacyWeights(
  file: Hdf5File,
  group: string,
): Map<string, Converted[]> {
  const layers = namesAt(file, group.replace(/\/$/, ""), "layer_names");
  const used = new Set<string>();
  const stored = new Map(
    layers.map((layer) => {
      const place = `${group}${layer}`;
      const paths = namesAt(file, place, "weight_names").map((path) => `${place}/${path}`);
      paths.forEach((path) => used.add(path));
      return [layer, paths.map((path) => arrayAt(file, path, layer))] as const;
    }).filter(([, arrays]) => arrays.length > 0),
  );
  const stray = [...file.arrays.keys()].find((path) =>
    path.startsWith(group) && !used.has(path) && !path.startsWith("optimizer_weights/")
  );
  if (stray === undefined) return stored;
  const rule = "each of its arrays must belong to a layer";
  throw new UnreadableFileError(rule, `one is ${stray}, which no weight_names has`);
}

/**
 * The arrays of a model within a model, layer by layer: a name among each array's path tells whose it
 * is, as the trainable ones of all its layers stand before the others.
 */
export function legacyLeaves(
  stored: ReadonlyMap<string, Converted[]>,
  listed: readonly StoredLayer[],
): Map<string, Converted[]> {
  const models = new Map(
    listed.filter(({ inner }) => inner !== undefined)
      .map((node) => [node.name, node]),
  );
  return new Map([...stored].flatMap(([name, arrays]): [string, Converted[]][] => {
    const model = models.get(name);
    if (model === undefined) return [[name, arrays]];
    const owners = ownersOf([model]);
    const found = new Map<StoredLayer, Converted[]>();
    for (const array of arrays) {
      const parts = array.from.split("/").slice(1);
      const [owner, ...others] = owners.length === 1
        ? owners
        : owners.filter(({ name, ownName = name }) => parts.includes(ownName));
      if (owner === undefined || others.length > 0) {
        const rule = "the name of an array must tell which layer it belongs to";
        throw new UnreadableFileError(rule, `one is ${array.from}`);
      }
      found.set(owner, [...found.get(owner) ?? [], array]);
    }
    return [...found].flatMap(([owner, own]) => arraysOfOwner(owner, own));
  }));
}

/** A layer's arrays; of an RNN of several cells, those of each. */
export function arraysOfOwner(
  owner: StoredLayer,
  arrays: readonly Converted[],
): [string, Converted[]][] {
  return isStack(owner) ? ofCells(owner, arrays) : [[owner.name, [...arrays]]];
}

/** The layers whose arrays lie together. */
export function ownersOf<T extends StoredLayer & { inner?: { listed: readonly T[] } }>(
  listed: readonly T[],
): T[] {
  return listed.flatMap((node) =>
    node.inner === undefined || isStack(node) ? [node] : ownersOf(node.inner.listed)
  );
}

/** The arrays of an RNN of several cells: one cell's after the other's, whatever their names. */
function ofCells(
  { inner }: StoredLayer,
  arrays: readonly Converted[],
): [string, Converted[]][] {
  const rest = [...arrays];
  const cells = inner!.listed.filter(({ cellName }) => cellName !== undefined);
  return cells.map(({ name, config }, k) => [
    name,
    rest.splice(0, k === cells.length - 1 ? rest.length : config?.use_bias === false ? 2 : 3),
  ]);
}

/** A list of names in an attribute, or in several where it was too long: weight_names0, … */
export function namesAt(file: Hdf5File, path: string, key: string): string[] {
  const attributes = file.attributes.get(path);
  const whole = attributes?.get(key);
  if (whole !== undefined) return [whole].flat();
  const parts: string[] = [];
  for (let k = 0; attributes?.has(`${key}${k}`); k++) {
    parts.push(...[attributes.get(`${key}${k}`)!].flat());
  }
  // an empty list has no kind of element, and is not among the texts
  if (parts.length > 0 || attributes !== undefined || key === "weight_names") return parts;
  const state = `the attributes of ${path || "the root"} are none`;
  throw new UnreadableFileError(`Keras's .h5 files name their layers in ${key}`, state);
}
