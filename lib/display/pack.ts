// A large figure as HTML carries it: the numbers of its cells and lines as bytes, which the page unpacks.

import { zlibSync } from "fflate";
import { toBase64 } from "./base64.ts";
import { type JsonFigure, withNumbers } from "./figure_numbers.ts";
import { roundTo } from "./number.ts";

/** The bits of a packed number: 16 are a 65,534th of its list's range, 8 a 254th. */
export type PackedBits = 8 | 16;

/**
 * The figure without its numbers, and the page's function that puts them back, `async (figure) =>
 * figure`. A number is a whole number of steps from the smallest of its list; the last step is a gap.
 */
export function packed(
  figure: JsonFigure,
  bits: PackedBits,
): { figure: JsonFigure; numbers: string } {
  const gap = 2 ** bits - 1;
  const codes: number[] = [];
  const known = new Map<string, object>(); // what is shown first is a frame's too, a line a row
  const pack = (value: unknown): unknown => {
    if (!isList(value)) return value;
    const key = JSON.stringify(value);
    const before = known.get(key);
    if (before !== undefined) return before;
    const isMatrix = Array.isArray(value[0]);
    const list = value.flat() as (number | null)[];
    const [low, high] = rangeOf(list);
    const step = (high - low) / (gap - 1);
    const from = codes.length;
    for (const number of list) {
      codes.push(number === null ? gap : step === 0 ? 0 : Math.round((number - low) / step));
    }
    const place = {
      from,
      shape: isMatrix ? [value.length, list.length / value.length] : [list.length],
      low,
      step: roundTo(step, 7),
    };
    known.set(key, place);
    if (isMatrix) {
      const columns = list.length / value.length;
      const row = { ...place, shape: [columns] }; // a line may be a row again
      value.forEach((cells, k) =>
        known.set(JSON.stringify(cells), { ...row, from: from + k * columns })
      );
    }
    return place;
  };
  const without = withNumbers(figure, pack);
  const bytes = bits === 8
    ? Uint8Array.from(codes)
    : new Uint8Array(Uint16Array.from(codes).buffer);
  const base64 = toBase64(zlibSync(bytes, { level: 9 }));
  return { figure: without, numbers: `(${UNPACK})("${base64}", ${bits})` };
}

/** A list of numbers and gaps, or rows of one length of them. */
function isList(value: unknown): value is unknown[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  const isNumber = (x: unknown) => x === null || typeof x === "number";
  const [first] = value;
  return Array.isArray(first)
    ? first.length > 0 &&
      value.every((row) => Array.isArray(row) && row.length === first.length && row.every(isNumber))
    : value.every(isNumber);
}

function rangeOf(list: readonly (number | null)[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const number of list) {
    if (number === null) continue;
    low = Math.min(low, number);
    high = Math.max(high, number);
  }
  return low <= high ? [low, high] : [0, 0];
}

/** In the page: the numbers, to the four digits that a chart's have. */
const UNPACK = `(base64, bits) => async (figure) => {
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  const codes = bits === 8 ? new Uint8Array(buffer) : new Uint16Array(buffer);
  const gap = 2 ** bits - 1;
  const unpack = ({ from, shape, low, step }) => {
    const columns = shape.at(-1);
    const row = (start) => Array.from(codes.subarray(start, start + columns), (code) =>
      code === gap ? null : Number((low + step * code).toPrecision(4)));
    if (shape.length === 1) return row(from);
    return Array.from({ length: shape[0] }, (_, k) => row(from + k * columns));
  };
  for (const traces of [figure.data, ...(figure.frames ?? []).map(({ data = [] }) => data)]) {
    for (const trace of traces) {
      for (const key of ["z", "y"]) {
        if (trace[key]?.shape) trace[key] = unpack(trace[key]);
      }
    }
  }
  return figure;
}`;
