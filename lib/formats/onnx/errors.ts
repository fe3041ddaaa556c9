import { quoted } from "../../base/quoted.ts";
import type { OnnxNode } from "../../files/onnx_schema.ts";

/** A node is not read as it stands; the message says why. */
export class UnreadNode extends Error {}

/** What messages call a node. */
export function shownNode({ type = "", name, outputs }: OnnxNode): string {
  const article = /^[AEIO]|^LSTM|^RNN/.test(type) ? "an" : "a";
  return `the node is ${quoted(name || (outputs?.[0] ?? ""))}, ${article} ${type}`;
}

/** An axis counted from the front. */
export function axisOf(axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(at) && at >= 0 && at < rank) return at;
  throw new UnreadNode(`axis ${axis} is none of ${rank}`);
}
