// Where Keras keeps each layer's arrays within an HDF5 file.

import type { Hdf5File } from "../../files/hdf5.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import { numbered, type PathsOf, weightCount } from "../../layers/kind.ts";
import type { Layer } from "../../layers/layer.ts";
import { snakeCase } from "../../layers/layer_names.ts";
import { kindOfLayer } from "../../layers/table.ts";
import type { LayerArrays } from "../build_model.ts";
import { type Converted, taken } from "../conversion.ts";
import { leavesOf } from "./node.ts";
import { matchedGroups } from "./other_names.ts";

/** The groups of a .keras file's layers, in Keras 3 and in the first files of that kind; of cells. */
const ROOTS = ["layers", "_layer_checkpoint_dependencies", "cells"];

/** A layer among those that the file was written with. */
export interface StoredLayer {
  readonly className: string;
  readonly name: string;
  /** Its name in its own model. Default: its name. */
  readonly ownName?: string;
  /** The layers of a model that stands in its place. */
  readonly inner?: { readonly listed: readonly StoredLayer[] };
  /** How many TimeDistributed stand around its model. Default: none. */
  readonly distributed?: number;
  /** Of one of several cells of an RNN: its class. */
  readonly cellName?: string;
  /** Its options, where they are known. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** The file's layers, and those whose arrays are wanted. */
export interface StoredLayers {
  /** All layers, as the model listed them when it was saved. */
  readonly listed: readonly StoredLayer[];
  /** Whether the names are the file's own, so that they may decide. */
  readonly areNamed: boolean;
  /** Those that the arrays are for, where the file may have been written with others. */
  readonly given?: readonly { readonly name: string; readonly layer: Layer }[];
}

/**
 * The groups of a .keras file's layers: the class in snake case, then `_1`, `_2`, … in the order of
 * the list; the layer's own name, where the file tells it, decides. Those of a model within lie in
 * its group.
 *
 * @param around the group of the model, `""` of the whole
 */
function kerasGroups(
  file: Hdf5File,
  { listed, areNamed }: StoredLayers,
  around = "",
): Map<string, string> {
  const { attributes, arrays } = file;
  const paths = [...attributes.keys(), ...arrays.keys()];
  const roots = ROOTS.map((root) => `${around}${root}/`);
  const root = roots.find((root) => paths.some((path) => path.startsWith(root))) ?? roots[0]!;
  const within = (path: string) => root + path.slice(root.length).split("/", 1)[0];
  const named = new Map<string, string>();
  for (const [path, own] of attributes) {
    const name = own.get("name");
    const group = path.startsWith(root) ? within(path) : undefined;
    if (areNamed && path === `${group}/vars` && typeof name === "string") named.set(name, group!);
  }
  const present = new Set(paths.filter((path) => path.startsWith(root)).map(within));
  const groupOf = ({ className, cellName, name, ownName = name }: StoredLayer): string => {
    const stem = `${root}${snakeCase(cellName ?? className)}`;
    const same = listed.filter((other) => other.className === className);
    const k = same.findIndex((other) => other.name === name);
    // TensorFlow 2.12 counts lstm, lstm_2, lstm_3: so the groups' order counts, if all are there
    const groups = [...present].filter((path) =>
      path.startsWith(stem) && /^(_\d+)?$/.test(path.slice(stem.length))
    )
      .sort((a, b) => numberOf(a, stem) - numberOf(b, stem));
    const inOrder = groups.length === same.length ? groups[k] : undefined;
    return named.get(ownName) ?? inOrder ?? (k === 0 ? stem : `${stem}_${k}`);
  };
  return new Map(listed.flatMap((layer): [string, string][] => {
    const group = groupOf(layer);
    if (layer.inner === undefined) return [[layer.name, group]];
    const inside = isStack(layer)
      ? `${group}/cell/`
      : layer.className === "TimeDistributed"
      ? `${group}/layer/`
      : `${group}/`;
    const stored = { listed: layer.inner.listed, areNamed };
    return [...kerasGroups(file, stored, inside)];
  }));
}

/** The group of each layer, by its name. */
export function groupsOf(file: Hdf5File, stored: StoredLayers): ReadonlyMap<string, string> {
  return kerasGroups(withSlashes(file), stored);
}

/** 2 in `lstm_2`, 0 in `lstm`. */
function numberOf(path: string, stem: string): number {
  return Number(path.slice(stem.length + 1));
}

/** The paths of a layer's arrays below its group, in the order of its weights. */
export const pathsOf: PathsOf = (layer, count) =>
  kindOfLayer(layer.className)?.paths?.(layer, count, pathsOf) ?? numbered("", count);

/**
 * The arrays of a .keras or .weights.h5 file, layer by layer.
 *
 * @throws {UnreadableFileError} where one is missing, or one is left over that no layer takes.
 */
export function kerasWeights(asItIs: Hdf5File, stored: StoredLayers): LayerArrays {
  const file = withSlashes(asItIs);
  const byClass = kerasGroups(file, stored);
  const given = stored.given?.map(({ name, layer }) => ({
    name,
    layer,
    paths: pathsOf(layer, weightCount(layer)),
  }));
  const groups = given === undefined ? byClass : matchedGroups(file, byClass, given);
  const leaves = new Map(leavesOf(stored.listed).map((one) => [one.name, one]));
  const used = new Set<string>();
  return {
    of: ({ name, layer, weights }) =>
      pathsOf(unwrapped(layer, leaves.get(name)?.distributed), weights.length).map((path) => {
        const isCell = leaves.get(name)?.cellName !== undefined;
        const group = `${groups.get(name)}/`;
        const plain = `${group}${isCell ? path.replace(/^cell\//, "") : path}`;
        const hidden = `${group}_${path}`; // Keras 2 has `_query_dense`
        const whole = file.arrays.has(hidden) ? hidden : plain;
        used.add(whole);
        return arrayAt(file, whole, `${name} (${layer.className})`);
      }),
    checkLeft: () => {
      const stray = [...file.arrays.keys()].find((path) =>
        !used.has(path) && !/^(optimizer|metrics)\//.test(path) && !path.includes("seed_generator/")
      );
      if (stray === undefined) return;
      throw new UnreadableFileError("each of its arrays must belong to a layer", `one is ${stray}`);
    },
  };
}

/** A layer as its file keeps it: those around its whole model are not among its paths. */
function unwrapped(layer: Layer, times = 0): Layer {
  return times === 0 ? layer : unwrapped(layer.wrapped!, times - 1);
}

/** Keras 2 on Windows names its groups `layers\\lstm\\cell`. */
function withSlashes({ arrays, others, attributes }: Hdf5File): Hdf5File {
  const renamed = <T>(entries: ReadonlyMap<string, T>): Map<string, T> =>
    new Map([...entries].map(([path, value]) => [path.replaceAll("\\", "/"), value]));
  return { arrays: renamed(arrays), others: renamed(others), attributes: renamed(attributes) };
}

/** Whether it is an RNN of several cells, whose arrays lie together. */
export function isStack({ inner }: StoredLayer): boolean {
  return inner?.listed.some(({ cellName }) => cellName !== undefined) === true;
}

/** An array, where the layer's must be. */
export function arrayAt(file: Hdf5File, path: string, layer: string): Converted {
  const found = file.arrays.get(path);
  if (found !== undefined) return taken(path, found);
  const kind = file.others.get(path);
  const groups = new Set([...file.arrays.keys()].map((path) => path.split("/", 2).join("/")));
  const there = [...groups].filter((group) => !group.startsWith("optimizer"));
  const state = kind === undefined
    ? `${path} is not there (there are ${there.slice(0, 8).join(", ") || "none"})`
    : `${path} is of kind ${kind}`;
  throw new UnreadableFileError(`the arrays of ${layer} must be there`, state);
}
