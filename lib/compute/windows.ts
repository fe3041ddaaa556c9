// Windows over places, `[batch, places, channels]`: what each sees as a row of a matrix, for a
// convolution, or as one number for each channel, for a pooling; and the way back.

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

/** The largest number of each channel in each window, `[batch, windows, channels]`. */
export function largestOfWindows(
  x: Numbers,
  windows: WindowPlaces,
  { batch, channels }: WindowedSizes,
): Float32Array<ArrayBuffer> {
  const from = inFloat32(x);
  const { length } = windows.places;
  const y = new Float32Array(batch * length / windows.taps * channels).fill(-Infinity);
  eachPlace(windows, batch, (place, window) => {
    const [start, to] = [place * channels, window * channels];
    for (let c = 0; c < channels; c++) y[to + c] = Math.max(y[to + c]!, from[start + c]!); // NaN stays
  });
  return y;
}

/** Its gradient with respect to x: to the first of equals. */
export function gradientOfLargest(
  byOutput: Numbers,
  x: Numbers,
  y: Float32Array,
  windows: WindowPlaces,
  { batch, channels }: WindowedSizes,
): Float32Array<ArrayBuffer> {
  const [from, given] = [inFloat32(x), inFloat32(byOutput)];
  const dx = new Float32Array(batch * windows.length * channels);
  const found = new Uint8Array(y.length);
  eachPlace(windows, batch, (place, window) => {
    const [at, to] = [place * channels, window * channels];
    for (let c = 0; c < channels; c++) {
      if (found[to + c] === 1 || from[at + c] !== y[to + c]) continue;
      found[to + c] = 1;
      dx[at + c]! += given[to + c]!;
    }
  });
  return dx;
}

/** The mean of each channel over each window, of the places inside alone. */
export function meanOfWindows(
  x: Numbers,
  windows: WindowPlaces,
  { batch, channels }: WindowedSizes,
): Float32Array<ArrayBuffer> {
  const from = inFloat32(x);
  const shares = sharesOf(windows);
  const sums = new Float64Array(batch * shares.length * channels);
  eachPlace(windows, batch, (place, window) => {
    const [start, to] = [place * channels, window * channels];
    for (let c = 0; c < channels; c++) sums[to + c]! += from[start + c]!;
  });
  const y = new Float32Array(sums.length);
  for (let k = 0; k < y.length; k++) {
    y[k] = sums[k]! * shares[Math.floor(k / channels) % shares.length]!;
  }
  return y;
}

/** Its gradient with respect to x. */
export function gradientOfMean(
  byOutput: Numbers,
  windows: WindowPlaces,
  { batch, channels }: WindowedSizes,
): Float32Array<ArrayBuffer> {
  const given = inFloat32(byOutput);
  const shares = sharesOf(windows);
  const dx = new Float32Array(batch * windows.length * channels);
  eachPlace(windows, batch, (place, window) => {
    const [at, to] = [place * channels, window * channels];
    const share = shares[window % shares.length]!;
    for (let c = 0; c < channels; c++) dx[at + c]! += given[to + c]! * share;
  });
  return dx;
}

/** 1 / how many places each window has inside. */
function sharesOf({ places, taps }: WindowPlaces): Float64Array {
  const counts = new Float64Array(places.length / taps);
  places.forEach((place, k) => counts[Math.floor(k / taps)]! += place < 0 ? 0 : 1);
  return counts.map((count) => 1 / count);
}

/** Every place inside that a window sees, of all samples. */
function eachPlace(
  { places, taps, length }: WindowPlaces,
  batch: number,
  visit: (place: number, window: number) => void,
): void {
  const windows = places.length / taps;
  for (let n = 0; n < batch; n++) {
    for (let w = 0; w < windows; w++) {
      for (let tap = 0; tap < taps; tap++) {
        const place = places[w * taps + tap]!;
        if (place >= 0) visit(n * length + place, n * windows + w);
      }
    }
  }
}

function inFloat32(numbers: Numbers): Float32Array {
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
}
