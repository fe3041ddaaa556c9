// e^x on four numbers at a time: x = n·ln 2 + r with |r| ≤ ln 2 / 2, e^x = 2ⁿ·e^r.
//
// NaN stays NaN: `pmin` and `pmax` return their first argument where the comparison is false, and
// 2ⁿ is multiplied, not added to the exponent's bits.

import { madd } from "./fma";

const LOG2_E: f32 = 1.44269504;
/** Adding and subtracting 1.5·2²³ rounds to the nearest whole number. */
const ROUND: f32 = 12582912.0;
/** ln 2 in two parts, the first with 9 bits so that n times it is exact (Cephes, expf.c). */
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;

/** e^r − 1 for |r| ≤ ln 2 / 2 (the coefficients are those of Cephes, expf.c). */
// @ts-ignore: decorator
@inline
function expm1Near0(r: v128): v128 {
  let p = f32x4.splat(1.9875691500e-4);
  p = madd(p, r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  return madd(f32x4.mul(r, r), p, r);
}

/** 2ⁿ from n + 1.5·2²³, whose lowest bits are n; −126 ≤ n ≤ 127. */
// @ts-ignore: decorator
@inline
function power2(shifted: v128): v128 {
  return i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(127 << 23));
}

// @ts-ignore: decorator
@inline
function remainder(x: v128, n: v128): v128 {
  return madd(n, f32x4.splat(-LN2_LOW), madd(n, f32x4.splat(-LN2_HIGH), x));
}

/** e^x for x ≤ 0; what is smaller than 2⁻¹²⁶ becomes 0. */
// @ts-ignore: decorator
@inline
export function expBelow0(x: v128): v128 {
  const least = f32x4.splat(-87.33654); // ln 2⁻¹²⁶
  const clamped = f32x4.pmax(x, least);
  const shifted = madd(clamped, f32x4.splat(LOG2_E), f32x4.splat(ROUND));
  const r = remainder(clamped, f32x4.sub(shifted, f32x4.splat(ROUND)));
  const e = madd(expm1Near0(r), power2(shifted), power2(shifted));
  return v128.andnot(e, f32x4.lt(x, least));
}

/** e^x − 1 for x ≤ 0, exact to the last bits near 0. */
// @ts-ignore: decorator
@inline
export function expm1Below0(x: v128): v128 {
  const clamped = f32x4.pmax(x, f32x4.splat(-20)); // there e^x − 1 rounds to −1
  const shifted = madd(clamped, f32x4.splat(LOG2_E), f32x4.splat(ROUND));
  const r = remainder(clamped, f32x4.sub(shifted, f32x4.splat(ROUND)));
  const scale = power2(shifted);
  return madd(scale, expm1Near0(r), f32x4.sub(scale, f32x4.splat(1)));
}

/** e^x everywhere: 2ⁿ in two factors, so that subnormal numbers and Infinity come out right. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-104)), f32x4.splat(89));
  const shifted = madd(clamped, f32x4.splat(LOG2_E), f32x4.splat(ROUND));
  const n = f32x4.sub(shifted, f32x4.splat(ROUND));
  const half = f32x4.add(f32x4.mul(n, f32x4.splat(0.5)), f32x4.splat(ROUND));
  const otherHalf = f32x4.add(f32x4.sub(n, f32x4.sub(half, f32x4.splat(ROUND))), f32x4.splat(ROUND));
  const e = f32x4.add(expm1Near0(remainder(clamped, n)), f32x4.splat(1));
  return f32x4.mul(f32x4.mul(e, power2(half)), power2(otherHalf));
}
