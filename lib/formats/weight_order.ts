// A layer's arrays by their names. The order in a file is not the layer's: Keras's .h5 lists a
// Bidirectional's trainable half first, and a TF.js manifest may stand in any order.

import { UnreadableFileError } from "../files/unreadable.ts";
import type { NamedLayer } from "./build_model.ts";
import type { Converted } from "./conversion.ts";

/**
 * The arrays in the order of the layer's weights.
 *
 * @param arrays as the file lists them; names end in `kernel`, `recurrent_kernel`, `bias` or
 * `embeddings`, and a part of those of Bidirectional begins with `forward_` or `backward_`
 * @throws {UnreadableFileError} where a name says something else, or not which half it belongs to.
 */
export function orderedByName(
  { name: own, layer, weights }: NamedLayer,
  arrays: readonly Converted[],
): readonly Converted[] {
  const wanted = weights.map(({ name }) => name);
  if (wanted.length !== arrays.length) return arrays; // said when the shapes are compared
  const roles = arrays.map(({ from }) => roleOf(from));
  const direction = (group: string) => {
    const part = group.split("/").findLast((part) => /^(forward|backward)_/.test(part));
    return part === undefined ? undefined : part.startsWith("forward_");
  };
  const groups = [...new Set(roles.map(({ group }) => group))];
  const isForward = (group: string) =>
    // a backward layer of one's own may have any name
    direction(group) ?? (groups.length === 2
      ? direction(groups.find((other) => other !== group)!) === false
      : undefined);
  const isPair = layer.cells?.length === 2;
  const named = new Map(roles.map(({ group, kind }, k) => {
    const half = isForward(group) ? "forward_layer" : "backward_layer";
    return [isPair ? `${half}/${kind}` : kind, arrays[k]!];
  }));
  /** `query/kernel`: by the end of the path. */
  const byEnd = (name: string) => {
    const ends = roles.flatMap(({ group, kind }, k) =>
      `/${group}/${kind}`.endsWith(`/${name}`) ? [arrays[k]!] : []
    );
    return ends.length === 1 ? ends[0] : undefined;
  };
  const tellsHalves = !isPair ||
    groups.length === 2 && groups.some((group) => direction(group) !== undefined);
  const ordered = wanted.map((name) =>
    !isPair && name.includes("/") ? byEnd(name) : named.get(name)
  );
  if (tellsHalves && ordered.every((array) => array !== undefined)) return ordered;
  const found = arrays.map(({ from }) => from).join(", ").slice(0, 400);
  const rule = `the names of its arrays must tell which is ${wanted.join(", ")}`;
  throw new UnreadableFileError(rule, `the names are ${found}`, {
    source: `${own} (${layer.className})`,
  });
}

/**
 * `bidirectional/forward_lstm/lstm_cell` and `kernel`, without what TensorFlow adds to the end, and
 * Keras 2.3 to the second of a name: `b'rnn/kernel:0'_2`.
 */
function roleOf(path: string): { group: string; kind: string } {
  const parts = path.replace(/'_\d+$/, "").replace(/:\d+$/, "").split("/");
  return { kind: parts.pop()!.replace(/_\d+$/, ""), group: parts.join("/") };
}
