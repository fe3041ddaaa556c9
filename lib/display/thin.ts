// As much of a figure as an output can carry: fewer cells and points where there are very many, said
// below the title.

import type { Plain, PlainFigure } from "./plain_figure.ts";

/** Of all heatmaps together: packed, a cell takes two bytes. */
const MOST_CELLS = 30_000;
/** All lines of a chart together; in a picture a point takes ten bytes. */
const MOST_POINTS = 6_000;
/** Values of a thinned heatmap differ by a hundredth of the largest: colours can show no more. */
const DIGITS = 2;

/**
 * Thins what is too large: cells of a heatmap become means of blocks, and of a line's points, the
 * lowest and the highest of each stretch stay. Which, a note below the title says.
 *
 * @param part of what an output carries, for a picture that takes less
 */
export function thinned(figure: PlainFigure, part = 1): PlainFigure {
  const traces = [figure.data, ...figure.frames.map(tracesOf)].flat();
  const [mostCells, mostPoints] = [MOST_CELLS * part, MOST_POINTS * part];
  const cells = sum(traces.map(cellsOf));
  const points = sum(traces.map(pointsOf));
  if (cells <= mostCells && points <= mostPoints) return figure;
  const notes = new Set<string>();
  const thin = (trace: Plain): Plain => {
    if (cells > mostCells && cellsOf(trace) > 0) {
      return thinHeatmap(trace, mostCells * cellsOf(trace) / cells, notes);
    }
    return points > mostPoints && pointsOf(trace) > 0
      ? thinLine(trace, Math.floor(mostPoints * pointsOf(trace) / points), notes)
      : trace;
  };
  const data = figure.data.map(thin);
  return {
    data,
    frames: figure.frames.map((frame) => ({ ...frame, data: tracesOf(frame).map(thin) })),
    layout: notes.size === 0 ? figure.layout : withNote(figure.layout, [...notes].join("; ")),
  };
}

function thinHeatmap(trace: Plain, most: number, notes: Set<string>): Plain {
  const z = trace.z as unknown[][];
  const [rows, columns] = [z.length, z[0]?.length ?? 0];
  let [height, width] = [1, 1]; // of a block
  while (Math.ceil(rows / height) * Math.ceil(columns / width) > most) {
    if (columns / width >= rows / height) width++;
    else height++;
  }
  if (height * width === 1) return trace;
  notes.add(`each cell is the mean of ${height} × ${width} values`);
  const means = blocks(rows, height).map((top) =>
    blocks(columns, width).map((left) =>
      meanOf(z.slice(top, top + height).flatMap((row) => row.slice(left, left + width)))
    )
  );
  const largest = means.flat().reduce<number>((a, b) => Math.max(a, Math.abs(b ?? 0)), 0);
  const decimals = Math.min(20, Math.max(0, DIGITS - Math.ceil(Math.log10(largest || 1))));
  const { text: _text, texttemplate: _template, customdata: _custom, ...plain } = trace;
  return {
    ...plain,
    z: means.map((row) => row.map((mean) => mean === null ? null : Number(mean.toFixed(decimals)))),
    ...(Array.isArray(trace.x) ? { x: joinLabels(trace.x, width) } : {}),
    ...(Array.isArray(trace.y) ? { y: joinLabels(trace.y, height) } : {}),
    xgap: 0,
    ygap: 0,
  };
}

/** A block with a gap in it is a gap: NaN must not vanish in a mean. */
function meanOf(values: readonly unknown[]): number | null {
  const numbers = values.filter((value) => typeof value === "number" && Number.isFinite(value));
  if (numbers.length < values.length) return null;
  return sum(numbers as number[]) / numbers.length;
}

function joinLabels(labels: readonly unknown[], size: number): unknown[] {
  return blocks(labels.length, size).map((start) => {
    const [first, last] = [labels[start], labels[Math.min(start + size, labels.length) - 1]];
    if (typeof first === "number" && typeof last === "number") return (first + last) / 2;
    return first === last ? first : `${first} … ${last}`;
  });
}

function thinLine(trace: Plain, most: number, notes: Set<string>): Plain {
  const y = trace.y as unknown[];
  const size = Math.ceil(y.length / Math.max(1, most / 2));
  if (size <= 2) return trace;
  notes.add(`of each ${size} points of a line, the lowest and the highest`);
  const kept = blocks(y.length, size).flatMap((start) => {
    const stretch = y.slice(start, start + size).map((value) =>
      typeof value === "number" ? value : NaN
    );
    if (stretch.some(Number.isNaN)) return [start + stretch.findIndex(Number.isNaN)];
    const low = stretch.indexOf(stretch.reduce((a, b) => Math.min(a, b)));
    const high = stretch.indexOf(stretch.reduce((a, b) => Math.max(a, b)));
    return [...new Set([low, high])].sort((a, b) => a - b).map((index) => start + index);
  });
  const x = trace.x as unknown[] | undefined;
  return {
    ...trace,
    y: kept.map((index) => y[index]),
    x: kept.map((index) => Array.isArray(x) ? x[index] : index),
  };
}

function withNote(layout: Plain, note: string): Plain {
  const title = layout.title as Plain | undefined;
  const margin = layout.margin as Plain | undefined;
  const subtitle = title?.subtitle as Plain | undefined;
  const text = [subtitle?.text, note].filter(Boolean).join("; ");
  return {
    ...layout,
    title: { ...title, text: title?.text ?? " ", subtitle: { ...subtitle, text } },
    margin: { t: 76, ...margin },
  };
}

function cellsOf({ type, z }: Plain): number {
  if (type !== "heatmap" || !Array.isArray(z) || !Array.isArray(z[0])) return 0;
  return z.length * z[0].length;
}

function pointsOf({ type = "scatter", y }: Plain): number {
  return type === "scatter" && Array.isArray(y) ? y.length : 0;
}

function tracesOf(frame: Plain): Plain[] {
  return Array.isArray(frame.data) ? frame.data : [];
}

function blocks(length: number, size: number): number[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, index) => index * size);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
