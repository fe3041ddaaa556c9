// The many numbers of a figure: cells of heatmaps and points of lines.

import type { Plain } from "./plain_figure.ts";

/** A figure as JSON has it. */
export interface JsonFigure {
  readonly data: readonly Plain[];
  readonly frames?: readonly Plain[];
}

/** The matrices `z` and lines `y` of a figure and its frames, each in another form. */
export function withNumbers(figure: JsonFigure, change: (list: unknown) => unknown): JsonFigure {
  const changed = (trace: Plain): Plain => ({
    ...trace,
    ...("z" in trace && { z: change(trace.z) }),
    ...(trace.type === "scatter" && "y" in trace && { y: change(trace.y) }),
  });
  return {
    ...figure,
    data: figure.data.map(changed),
    ...(figure.frames && {
      frames: figure.frames.map((frame) =>
        Array.isArray(frame.data) ? { ...frame, data: frame.data.map(changed) } : frame
      ),
    }),
  };
}

/** The figure for a page that computes its numbers. */
export function withoutNumbers(figure: JsonFigure): JsonFigure {
  return withNumbers(figure, () => undefined);
}
