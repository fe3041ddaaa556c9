// A line's look, which says which one it is: the same index looks the same in every chart.

import { LINE_COLORS } from "./chart_template.ts";

const DASHES = ["solid", "dash", "dot", "dashdot"];

/** Six colours, and other dashes where they run out: what unit 3 is in one chart it is in all. */
export function lineStyle(index: number): { readonly color: string; readonly dash: string } {
  return { color: lineColor(index), dash: DASHES[blockOf(index) % DASHES.length]! };
}

/** The colour alone, where dashes say something else. */
export function lineColor(index: number): string {
  return LINE_COLORS[index % LINE_COLORS.length]!;
}

/** Which time the colours have gone round. */
export function blockOf(index: number): number {
  return Math.floor(index / LINE_COLORS.length);
}
