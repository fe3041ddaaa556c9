// The largest number or the mean of each channel over windows of places, [sample][place][channel],
// and back. Which places a window sees, a table says: [window][tap], −1 outside.

import { loadSome, storeSome } from "./pack";

/** Sizes, and where the arrays are, as ../pooling.ts writes them. */
@unmanaged
export class PoolingPlan {
  isMax: i32;
  samples: i32;
  /** Places of a sample, windows of a sample, taps of a window. */
  length: i32;
  windows: i32;
  taps: i32;
  channels: i32;
  places: usize;
  /** 1 / how many places each window has inside. */
  shares: usize;
  x: usize;
  output: usize;
  /** The gradients with respect to both, where they are wanted; dx begins as zeros. */
  byOutput: usize;
  dx: usize;
}

export function pool(plan: PoolingPlan): void {
  const channels = plan.channels;
  const row = <usize>channels * 4;
  let to = plan.output;
  for (let n = 0; n < plan.samples; n++) {
    const x = plan.x + <usize>(n * plan.length) * row;
    for (let w = 0; w < plan.windows; w++) {
      const places = plan.places + <usize>(w * plan.taps) * 4;
      const share = load<f32>(plan.shares + <usize>w * 4);
      for (let c = 0; c < channels; c += 4) {
        const count = channels - c;
        const from = x + <usize>c * 4;
        const y = plan.isMax
          ? largest(plan, from, places, row, count)
          : mean(plan, from, places, row, count, share);
        storeSome(to + <usize>c * 4, y, min(4, count));
      }
      to += row;
    }
  }
}

// @ts-ignore: decorator
@inline
function largest(plan: PoolingPlan, x: usize, places: usize, row: usize, count: i32): v128 {
  let y = f32x4.splat(-Infinity);
  for (let tap = 0; tap < plan.taps; tap++) {
    const place = load<i32>(places + <usize>tap * 4);
    if (place >= 0) y = f32x4.max(y, loadSome(x + <usize>place * row, count));
  }
  return y;
}

/** Summed up in float64: a mean may be of all timesteps. */
// @ts-ignore: decorator
@inline
function mean(
  plan: PoolingPlan, x: usize, places: usize, row: usize, count: i32, share: f32,
): v128 {
  let low = f64x2.splat(0);
  let high = low;
  for (let tap = 0; tap < plan.taps; tap++) {
    const place = load<i32>(places + <usize>tap * 4);
    if (place < 0) continue;
    const value = loadSome(x + <usize>place * row, count);
    low = f64x2.add(low, f64x2.promote_low_f32x4(value));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<f32>(value, value, 2, 3, 2, 3)));
  }
  const sums = v128.shuffle<f32>(
    f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5,
  );
  return f32x4.mul(sums, f32x4.splat(share));
}

/** To the first of equals; of a mean, to all places inside alike. */
export function poolBackward(plan: PoolingPlan): void {
  const channels = plan.channels;
  const row = <usize>channels * 4;
  for (let n = 0; n < plan.samples; n++) {
    for (let w = 0; w < plan.windows; w++) {
      const places = plan.places + <usize>(w * plan.taps) * 4;
      const share = f32x4.splat(load<f32>(plan.shares + <usize>w * 4));
      const window = <usize>(n * plan.windows + w) * row;
      for (let c = 0; c < channels; c += 4) {
        const count = channels - c;
        const at = window + <usize>c * 4;
        const y = loadSome(plan.output + at, count);
        let left = loadSome(plan.byOutput + at, count); // what has found no place yet
        if (!plan.isMax) left = f32x4.mul(left, share);
        for (let tap = 0; tap < plan.taps; tap++) {
          const place = load<i32>(places + <usize>tap * 4);
          if (place < 0) continue;
          const from = <usize>(n * plan.length + place) * row + <usize>c * 4;
          let given = left;
          if (plan.isMax) {
            const equal = f32x4.eq(loadSome(plan.x + from, count), y);
            given = v128.and(left, equal);
            left = v128.andnot(left, equal);
          }
          const before = loadSome(plan.dx + from, count);
          storeSome(plan.dx + from, f32x4.add(before, given), min(4, count));
        }
      }
    }
  }
}
