// The arrays of Keras 1: one for each gate, named after their layer: `lstm_1_W_i`.

import { UnreadableFileError } from "../../files/unreadable.ts";
import type { NamedLayer } from "../build_model.ts";
import { concatenated, type Converted, reshaped } from "../conversion.ts";
import { type KerasNode, leavesOf } from "./node.ts";
import { isRecord } from "../../files/json.ts";

/** The gates of an LSTM and of a GRU, in Keras 2's order. */
const GATES = [["i", "f", "c", "o"], ["z", "r", "h"]];

/** A layer of the configuration. */
interface Listed extends Pick<KerasNode, "name" | "ownName" | "config"> {
  readonly inner?: { readonly listed: readonly Listed[] };
}

/**
 * The arrays of each layer, those of models within by their names.
 *
 * @param stored the arrays by the groups of the file, in its order
 */
export function keras1Leaves(
  stored: ReadonlyMap<string, Converted[]>,
  listed: readonly Listed[],
): Map<string, Converted[]> {
  const leaves = leavesOf(listed);
  const owners = new Map<string, string>();
  for (const { name, ownName, config } of leaves) {
    const inner = isRecord(config.layer) && isRecord(config.layer.config)
      ? config.layer.config.name
      : undefined;
    for (const stem of [ownName, inner, `forward_${inner}`, `backward_${inner}`]) {
      owners.set(String(stem), name);
    }
  }
  const ofLayer = new Map(listed.map(({ name, inner }) => [name, inner === undefined]));
  const found = new Map<string, Converted[]>();
  for (const [group, arrays] of stored) {
    for (const array of arrays) {
      const owner = ofLayer.get(group) ? group : owners.get(roleOf(array.from).stem);
      if (owner === undefined) {
        const rule = "the name of an array must tell which layer it belongs to";
        throw new UnreadableFileError(rule, `one is ${array.from}`);
      }
      found.set(owner, [...found.get(owner) ?? [], array]);
    }
  }
  return found;
}

/** A layer's arrays as Keras 2 has them: the gates in one, a kernel without its axis of length 1. */
export function fromKeras1Arrays(
  { name, weights: specs, layer }: NamedLayer,
  arrays: readonly Converted[],
): readonly Converted[] {
  const joined: Converted[] = [];
  const rest = [...arrays];
  while (rest.length > 0) {
    const { stem, gate } = roleOf(rest[0]!.from);
    const order = GATES.find((gates) => gates.includes(gate));
    if (order === undefined) {
      joined.push(rest.shift()!);
      continue;
    }
    const own = rest.splice(0, 3 * order.length);
    for (const kind of ["W", "U", "b"]) {
      const parts = order.map((letter) =>
        own.find(({ from }) => {
          const role = roleOf(from);
          return role.stem === stem && role.kind === kind && role.gate === letter;
        })
      );
      if (!parts.every((part) => part !== undefined)) {
        const rule = `its arrays must be W, U and b of the gates ${order.join(" ")}`;
        const found = own.map(({ from }) => from).join(", ").slice(0, 400);
        throw new UnreadableFileError(rule, `the names are ${found}`, {
          source: `${name} (${layer.className})`,
        });
      }
      joined.push(concatenated(parts, `gates ${order.join(" ")} joined`));
    }
  }
  return joined.map((array, k) => {
    const { shape } = array.tensor;
    const isKernel = specs[k]?.shape.length === 3 && shape.length === 4 && shape[1] === 1;
    return isKernel ? reshaped(array, [shape[0]!, shape[2]!, shape[3]!]) : array;
  });
}

/** `lstm_1`, `W` and `i` in `lstm_1_W_i`, without what TensorFlow adds to the end. */
function roleOf(path: string): { stem: string; kind: string; gate: string } {
  const own = path.split("/").at(-1)!.replace(/:\d+$/, "");
  const [, stem = own, kind = "", gate = ""] =
    /^(.*)_(W|U|b|gamma|beta|running_mean|running_std|alphas)(?:_([ifcozrh]))?(?:_\d+)?$/.exec(
      own,
    ) ?? [];
  return { stem, kind, gate };
}

/** Whether Theano wrote it: TensorFlow's names end in `:0`. */
export function isTheanos(stored: ReadonlyMap<string, readonly Converted[]>): boolean {
  return [...stored.values()].flat().every(({ from }) => !/:\d+$/.test(from));
}
