// The names that join an ONNX graph's nodes: who takes what.

import { quoted } from "../../base/quoted.ts";
import type { OnnxNode } from "../../files/onnx_schema.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import type { Connection } from "../../layers/connection.ts";

/** The nodes that lead to the outputs; the others may be anything. */
export function neededNodes(nodes: readonly OnnxNode[], outputs: readonly string[]): Set<OnnxNode> {
  const makers = new Map(nodes.flatMap((node) => (node.outputs ?? []).map((key) => [key, node])));
  const needed = new Set<OnnxNode>();
  const open = [...outputs];
  while (open.length > 0) {
    const maker = makers.get(open.pop()!);
    if (maker === undefined || needed.has(maker)) continue;
    needed.add(maker);
    open.push(...maker.inputs ?? []);
  }
  return needed;
}

/** Operators that take lengths alone, and no numbers. */
export const OF_LENGTHS: readonly string[] = ["Shape", "Size"];

/** How often each name is taken: at all, or for its numbers. */
export function usesOf(
  nodes: Iterable<OnnxNode>,
  outputs: readonly string[],
  { numbers }: { readonly numbers: boolean },
): Map<string, number> {
  const uses = new Map<string, number>();
  const taking = [...nodes].filter(({ type = "" }) => !numbers || !OF_LENGTHS.includes(type));
  const names = taking.flatMap(({ inputs = [] }) => inputs).concat(outputs);
  for (const name of names) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}

/** Throws where two nodes, or a node and an array or an input, have a result of one name. */
export function checkNames(nodes: readonly OnnxNode[], given: ReadonlySet<string>): void {
  const seen = new Set(given);
  for (const key of nodes.flatMap(({ outputs = [] }) => outputs)) {
    if (seen.has(key)) {
      const state = `the name ${quoted(key)} occurs twice`;
      throw new UnreadableFileError("each result of a node needs its own name", state);
    }
    if (key !== "") seen.add(key);
  }
}

/** The inputs that outputs depend on. */
export function reachedInputs(outputs: readonly Connection[]): Set<Connection> {
  const [inputs, seen] = [new Set<Connection>(), new Set<object>()];
  const open = [...outputs];
  while (open.length > 0) {
    const one = open.pop()!;
    if (one.call === undefined) inputs.add(one);
    else if (!seen.has(one.call)) {
      seen.add(one.call);
      open.push(...one.call.inputs);
    }
  }
  return inputs;
}
