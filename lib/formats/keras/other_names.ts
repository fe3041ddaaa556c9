// The groups of a .weights.h5 whose layers had other classes: those of one's own, mostly. A group is told
// by where its arrays lie and by their shapes.

import type { Hdf5File } from "../../files/hdf5.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import { weightCount } from "../../layers/kind.ts";
import type { Layer, OpenShape } from "../../layers/layer.ts";
import { snakeCase } from "../../layers/layer_names.ts";
import { LAYER_KINDS } from "../../layers/table.ts";
import { sameShape } from "../../tensor/shape.ts";
import { placeOf } from "./layers.ts";

/** A layer with arrays, and where they lie below its group. */
interface Wanted {
  readonly name: string;
  readonly layer: Layer;
  readonly paths: readonly string[];
}

interface Group {
  readonly path: string;
  /** `lstm` of `lstm_1`, whose number counts the layers of one class. */
  readonly stem: string;
  readonly number: number;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/** More groups than these are not tried in all orders. */
const MAX_GROUPS = 40;

/**
 * The groups as they stand where each layer's is there; else each layer with the one that fits it.
 *
 * @param groups by the layers' names: where each would lie by its class
 * @throws {UnreadableFileError} where several ways of giving the groups to the layers fit, or none.
 */
export function matchedGroups(
  { arrays }: Hdf5File,
  groups: ReadonlyMap<string, string>,
  layers: readonly Wanted[],
): ReadonlyMap<string, string> {
  const wanted = layers.filter(({ layer }) => weightCount(layer) > 0);
  const isThere = ({ name, paths }: Wanted) =>
    paths.every((path) => arrays.has(`${groups.get(name)}/${path}`));
  if (wanted.every(isThere)) return groups;
  const found = groupsIn(arrays);
  const ways = found.length > MAX_GROUPS ? [] : [
    ...assignments(wanted, found, [
      ...new Set(LAYER_KINDS.map(({ className }) => snakeCase(className))),
    ]).take(2),
  ];
  if (ways.length === 1) {
    return new Map([
      ...groups,
      ...wanted.map(({ name }, k): [string, string] => [name, ways[0]![k]!.path]),
    ]);
  }
  const rule = "the groups of its arrays must tell whose they are, by their names or their shapes";
  const shown = found.map(({ path }) => path).slice(0, 20).join(", ") || "none";
  const names = wanted.map(({ name, layer }) => placeOf({ name, className: layer.className }));
  const state = `there are ${shown}, and the layers are ${names.slice(0, 20).join(", ")}: ` +
    (ways.length === 0 ? "they do not fit" : "more than one way fits");
  throw new UnreadableFileError(rule, state);
}

/** Groups side by side, with the arrays below them. */
function groupsIn(arrays: Hdf5File["arrays"]): Group[] {
  const found = new Map<string, Map<string, readonly number[]>>();
  for (const [path, { shape }] of arrays) {
    const [, group, rest] =
      /^((?:layers|_layer_checkpoint_dependencies)\/[^/]+)\/(.*)$/.exec(path) ?? [];
    if (group === undefined || rest!.includes("seed_generator/")) continue;
    const own = found.get(group) ?? new Map();
    found.set(group, own.set(rest!, shape));
  }
  return [...found].map(([path, shapes]) => {
    const [, stem, number = "0"] = /^.*\/(.*?)(?:_(\d+))?$/.exec(path)!;
    return { path, stem: stem!, number: Number(number), shapes };
  });
}

/** All ways of giving each layer a group; groups of one class go to the layers in their order. */
function* assignments(
  [first, ...others]: readonly Wanted[],
  left: readonly Group[],
  classes: readonly string[],
): Generator<Group[]> {
  if (first === undefined) {
    if (left.length === 0) yield [];
    return;
  }
  for (const group of left) {
    const isNext = left.every(({ stem, number }) => stem !== group.stem || number >= group.number);
    const isOther = classes.includes(group.stem) && group.stem !== snakeCase(first.layer.className);
    if (!isNext || isOther || !fits(first, group)) continue;
    const rest = left.filter((one) => one !== group);
    for (const way of assignments(others, rest, classes)) yield [group, ...way];
  }
}

/** Whether a layer has arrays at these places, for some width of its input, of these shapes. */
function fits({ layer, paths }: Wanted, { shapes }: Group): boolean {
  const own = paths.map((path) => shapes.get(path));
  if (own.length !== shapes.size || !own.every((shape) => shape !== undefined)) return false;
  const widths = new Set(own.flat());
  const inputs = (
    width: number,
  ): OpenShape[] => [[null, width], [width], [2, 2, width], [2, 2, 2, width]];
  return [...widths].some((width) =>
    inputs(width).some((input) => {
      const specs = specsOf(layer, input);
      return specs?.length === own.length &&
        specs.every(({ shape }, k) => sameShape(shape, own[k]!));
    })
  );
}

function specsOf(layer: Layer, input: OpenShape) {
  const [count] = layer.inputCount ?? [1];
  try {
    return layer.weights(...new Array(count).fill(input));
  } catch {
    return undefined; // of so many axes it takes none
  }
}
