// Batch normalization of rows of channels, y = γ ⊙ (x − μ) / √(σ² + ε) + β: sums in float64, what is
// kept in float32.

import type { Numbers } from "./gated_layer.ts";

/** What multiplies and what is added, one number a channel; 1 and 0 where there is none. */
export interface ScaleAndShift {
  readonly gamma?: Numbers | undefined;
  readonly beta?: Numbers | undefined;
}

/** The mean and the variance of each channel. */
export interface Moments {
  readonly mean: Numbers;
  readonly variance: Numbers;
}

/** The moments of the rows, `[rows, channels]`. */
export function momentsOfRows(x: Numbers, channels: number): Moments {
  const rows = x.length / channels;
  const [mean, variance] = [new Float64Array(channels), new Float64Array(channels)];
  for (let k = 0; k < x.length;) for (let c = 0; c < channels; c++, k++) mean[c]! += x[k]!;
  for (let c = 0; c < channels; c++) mean[c]! /= rows;
  for (let k = 0; k < x.length;) {
    for (let c = 0; c < channels; c++, k++) {
      const centered = x[k]! - mean[c]!;
      variance[c]! += centered * centered;
    }
  }
  for (let c = 0; c < channels; c++) variance[c]! /= rows;
  return { mean, variance };
}

/** Each row normalized. */
export function normalizeRows(
  x: Numbers,
  moments: Moments,
  { gamma, beta }: ScaleAndShift,
  epsilon: number,
): Float32Array<ArrayBuffer> {
  const { mean } = moments;
  const channels = mean.length;
  const factor = inverseRoots(moments, epsilon).map((root, c) => root * (gamma?.[c] ?? 1));
  const shift = Float64Array.from({ length: channels }, (_, c) => beta?.[c] ?? 0);
  const y = new Float32Array(x.length);
  for (let k = 0; k < x.length;) {
    for (let c = 0; c < channels; c++, k++) y[k] = (x[k]! - mean[c]!) * factor[c]! + shift[c]!;
  }
  return y;
}

/** The gradients where the moments are those of the rows: dx, dγ = Σ dy ⊙ x̂, dβ = Σ dy. */
export function gradientOfNormalized(
  byOutput: Numbers,
  x: Numbers,
  moments: Moments,
  { gamma }: ScaleAndShift,
  epsilon: number,
) {
  const { mean } = moments;
  const channels = mean.length;
  const rows = x.length / channels;
  const roots = inverseRoots(moments, epsilon);
  const [dGamma, dBeta] = [new Float64Array(channels), new Float64Array(channels)];
  for (let k = 0; k < x.length;) {
    for (let c = 0; c < channels; c++, k++) {
      dBeta[c]! += byOutput[k]!;
      dGamma[c]! += byOutput[k]! * (x[k]! - mean[c]!) * roots[c]!;
    }
  }
  const dx = new Float32Array(x.length);
  for (let k = 0; k < x.length;) {
    for (let c = 0; c < channels; c++, k++) {
      const normalized = (x[k]! - mean[c]!) * roots[c]!;
      const through = byOutput[k]! - (dBeta[c]! + normalized * dGamma[c]!) / rows;
      dx[k] = through * roots[c]! * (gamma?.[c] ?? 1);
    }
  }
  return { x: dx, gamma: Float32Array.from(dGamma), beta: Float32Array.from(dBeta) };
}

function inverseRoots({ variance }: Moments, epsilon: number): Float64Array {
  return Float64Array.from(variance, (value) => 1 / Math.sqrt(value + epsilon));
}
