// The measurements as a Markdown table, for the README.

import type { PeerName } from "./peers.ts";
import { flops, type Shape } from "./shapes.ts";

/** Microseconds a run, by peer, then by shape: the samples of each round. */
export type Samples = Map<string, Map<string, number[][]>>;

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function unitOf(shape: Shape): [string, number] {
  return shape.name.endsWith("S0") ? ["µs", 1] : ["ms", 1000];
}

function number(value: number): string {
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}

/** How many times as long as `own` it took: each round's medians, and the median of the rounds. */
function ratio(rounds: readonly number[][], own: readonly number[][]): number {
  return median(rounds.map((samples, k) => median(samples) / median(own[k]!)));
}

/**
 * A row for each peer: minimum / median, and how many times as long as the first one's it takes; rows
 * for the share of one core's limit, which is measured for 128 bits and twice that for 256.
 */
export function markdownTable(
  samples: Samples,
  peers: readonly PeerName[],
  peak: number,
  shapes: readonly Shape[],
): string {
  const [[, own]] = [...samples] as [[string, Map<string, number[][]>]];
  const header = ["", ...shapes.map((shape) => `${shape.name} ${unitOf(shape)[0]}`)];
  const timed = [...samples].filter(([, byShape]) => shapes.some(({ name }) => byShape.has(name)));
  const rows = timed.map(([name, byShape]) => [
    name,
    ...shapes.map((shape) => {
      const rounds = byShape.get(shape.name);
      if (rounds === undefined) return "";
      const values = rounds.flat();
      const [, unit] = unitOf(shape);
      const times = `${number(Math.min(...values) / unit)} / ${number(median(values) / unit)}`;
      if (byShape === own) return times;
      return `${times} (${number(ratio(rounds, own.get(shape.name)!))}×)`;
    }),
  ]);
  const limits = peers.filter(({ bits }) => bits !== undefined).map(({ name, bits = 128 }) => {
    const most = peak * bits / 128;
    const shares = shapes.map((shape) => {
      const values = samples.get(name)?.get(shape.name)?.flat();
      if (values === undefined) return "";
      const share = (time: number) => `${(flops(shape) / (time * 10 * most)).toFixed(0)} %`;
      return `${share(Math.min(...values))} / ${share(median(values))}`;
    });
    return [`of what one core can, ${bits} bits (${most.toFixed(1)} GFLOP/s)`, ...shares];
  });
  const lines = [header, header.map((_, k) => k === 0 ? "---" : "---:"), ...rows, ...limits];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
