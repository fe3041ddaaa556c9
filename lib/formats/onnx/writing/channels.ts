// ONNX has the channels after the batch, Keras last.

import type { OnnxGraphWriter } from "./graph_writer.ts";

/** `[batch, …, channels]` becomes `[batch, channels, …]`. */
export function channelsFirst(graph: OnnxGraphWriter, x: string, rank: number): string {
  if (rank === 2) return x;
  const space = Array.from({ length: rank - 2 }, (_, k) => k + 1);
  return graph.add("Transpose", [x], { perm: [0, rank - 1, ...space] });
}

/** `[batch, channels, …]` becomes `[batch, …, channels]`. */
export function channelsLast(graph: OnnxGraphWriter, x: string, rank: number): string {
  if (rank === 2) return x;
  const space = Array.from({ length: rank - 2 }, (_, k) => k + 2);
  return graph.add("Transpose", [x], { perm: [0, ...space, 1] });
}
