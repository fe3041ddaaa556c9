// e^x on four numbers at a time: x = n·ln 2 + r with |r| ≤ ln 2 / 2, e^x = 2ⁿ·e^r.
//
// NaN stays NaN: `pmin` and `pmax` return their first argument where the comparison is false, and
// 2ⁿ is multiplied, not added to the exponent's bits.
//
// The constants are read from memory: one instruction each, where V8 needs three to build one.

import { madd } from "./fma";

const CONSTANTS: usize = memory.data<f32>([
  // (e^r − 1 − r) / r² for |r| ≤ ln 2 / 2: a fit of least largest error, 1.4e-8
  0.5, 0.16666541993618011, 0.04166628047823906, 0.008366659283638, 0.0013946581166237593,
  1.44269504, // log₂ e
  12582912.0, // 1.5·2²³: adding and subtracting it rounds to the nearest whole number
  -0.693359375, 2.12194440e-4, // −ln 2 in two parts, the first exact times n (Cephes, expf.c)
  -88.0, // below ln 2⁻¹²⁶·⁵: n becomes −127, and 2ⁿ, whose bits are then all 0, becomes 0
  -20.0, // where e^x − 1 rounds to −1
  1.0, 2.0,
  -0.0, // the sign's bit
]);
export const POLYNOMIAL: usize = CONSTANTS;
export const LOG2_E: usize = CONSTANTS + 5 * 4;
export const ROUND: usize = CONSTANTS + 6 * 4;
export const LN2_HIGH: usize = CONSTANTS + 7 * 4;
export const LN2_LOW: usize = CONSTANTS + 8 * 4;
export const LEAST: usize = CONSTANTS + 9 * 4;
export const LEAST_MINUS_1: usize = CONSTANTS + 10 * 4;
export const ONE: usize = CONSTANTS + 11 * 4;
export const TWO: usize = CONSTANTS + 12 * 4;
export const SIGN: usize = CONSTANTS + 13 * 4;

/** One of them, four times. */
// @ts-ignore: decorator
@inline
export function constant(address: usize): v128 {
  return v128.load32_splat(address);
}

/** e^r − 1 for |r| ≤ ln 2 / 2. */
// @ts-ignore: decorator
@inline
function expm1Near0(r: v128): v128 {
  const r2 = f32x4.mul(r, r);
  const low = madd(constant(POLYNOMIAL + 4), r, constant(POLYNOMIAL));
  const middle = madd(constant(POLYNOMIAL + 12), r, constant(POLYNOMIAL + 8));
  const high = madd(constant(POLYNOMIAL + 16), r2, middle);
  return madd(madd(high, r2, low), r2, r);
}

/** 2ⁿ from n + 1.5·2²³, whose lowest bits are n; −126 ≤ n ≤ 127, and 0 for n = −127. */
// @ts-ignore: decorator
@inline
export function power2(shifted: v128): v128 {
  return i32x4.add(i32x4.shl(shifted, 23), constant(ONE)); // 1's bits are 127 << 23
}

// @ts-ignore: decorator
@inline
function remainder(x: v128, n: v128): v128 {
  return madd(n, constant(LN2_LOW), madd(n, constant(LN2_HIGH), x));
}

/** e^x for x ≤ 0; what is smaller than 2⁻¹²⁶·⁵ becomes 0. */
// @ts-ignore: decorator
@inline
export function expBelow0(x: v128): v128 {
  const clamped = f32x4.pmax(x, constant(LEAST));
  const shifted = madd(clamped, constant(LOG2_E), constant(ROUND));
  const r = remainder(clamped, f32x4.sub(shifted, constant(ROUND)));
  const scale = power2(shifted);
  return madd(expm1Near0(r), scale, scale);
}

/** e^x − 1 for x ≤ 0, exact to the last bits near 0. */
// @ts-ignore: decorator
@inline
export function expm1Below0(x: v128): v128 {
  const clamped = f32x4.pmax(x, constant(LEAST_MINUS_1));
  const shifted = madd(clamped, constant(LOG2_E), constant(ROUND));
  const r = remainder(clamped, f32x4.sub(shifted, constant(ROUND)));
  const scale = power2(shifted);
  return madd(scale, expm1Near0(r), f32x4.sub(scale, constant(ONE)));
}

/** e^x everywhere: 2ⁿ in two factors, so that subnormal numbers and Infinity come out right. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-104)), f32x4.splat(89));
  const shifted = madd(clamped, constant(LOG2_E), constant(ROUND));
  const n = f32x4.sub(shifted, constant(ROUND));
  const half = f32x4.add(f32x4.mul(n, f32x4.splat(0.5)), constant(ROUND));
  const otherHalf = f32x4.add(f32x4.sub(n, f32x4.sub(half, constant(ROUND))), constant(ROUND));
  const e = f32x4.add(expm1Near0(remainder(clamped, n)), constant(ONE));
  return f32x4.mul(f32x4.mul(e, power2(half)), power2(otherHalf));
}
