// Windows over places, `[batch, places, channels]`: what each sees as a row of a matrix, so that a
// convolution is a dense layer on it; and the way back.

import type { Numbers } from "./gated_layer.ts";

/** What each window of a sample sees: places by number, −1 outside. */
export interface WindowPlaces {
  /** `[windows, taps]` */
  readonly places: Int32Array;
  readonly taps: number;
  /** How many places a sample has. */
  readonly length: number;
}

/** Sizes of what windows lie over. */
export interface WindowedSizes {
  readonly batch: number;
  readonly channels: number;
}

/** Below so many numbers a loop is faster than a call. */
const SHORT = 32;

/** `[batch, windows, taps·channels]`, zeros outside. */
export function gatherWindows(
  x: Numbers,
  windows: WindowPlaces,
  { batch, channels }: WindowedSizes,
): Float32Array<ArrayBuffer> {
  const from = inFloat32(x);
  const rows = new Float32Array(batch * windows.places.length * channels);
  eachRun(windows, batch, (place, at, count) => {
    const [start, to, length] = [place * channels, at * channels, count * channels];
    if (length > SHORT) rows.set(from.subarray(start, start + length), to);
    else for (let k = 0; k < length; k++) rows[to + k] = from[start + k]!;
  });
  return rows;
}

/** The gradient with respect to x, from that with respect to the gathered windows. */
export function scatterWindows(
  byRows: Numbers,
  windows: WindowPlaces,
  { batch, channels }: WindowedSizes,
): Float32Array<ArrayBuffer> {
  const from = inFloat32(byRows);
  const dx = new Float32Array(batch * windows.length * channels);
  eachRun(windows, batch, (place, at, count) => {
    const [to, start, length] = [place * channels, at * channels, count * channels];
    for (let k = 0; k < length; k++) dx[to + k]! += from[start + k]!;
  });
  return dx;
}

/** Places that follow each other in what a window sees, of all samples. */
function eachRun(
  { places, length }: WindowPlaces,
  batch: number,
  visit: (place: number, at: number, count: number) => void,
): void {
  const runs: number[] = [];
  for (let k = 0; k < places.length; k++) {
    const place = places[k]!;
    if (place < 0) continue;
    const last = runs.length - 3;
    const follows = last >= 0 && runs[last]! + runs[last + 2]! === place &&
      runs[last + 1]! + runs[last + 2]! === k;
    if (follows) runs[last + 2]!++;
    else runs.push(place, k, 1);
  }
  for (let n = 0; n < batch; n++) {
    for (let r = 0; r < runs.length; r += 3) {
      visit(n * length + runs[r]!, n * places.length + runs[r + 1]!, runs[r + 2]!);
    }
  }
}

function inFloat32(numbers: Numbers): Float32Array {
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
}
