// The activations on four numbers at a time, and their slopes. The numbers of the kinds are those
// of `activations` in ../activations.ts. A slope is computed from the activation's own result y, so
// that the backward pass needs nothing but what the forward pass leaves.

import {
  constant, exp, expBelow0, expm1Below0, LEAST, LEAST_MINUS_1, ONE, SIGN, TWO,
} from "./exponential";
import { madd } from "./fma";

export const LINEAR = 0;
export const SIGMOID = 1;
export const TANH = 2;
export const RELU = 3;
export const HARD_SIGMOID = 4;
export const HARD_SIGMOID_KERAS2 = 5;
export const RELU6 = 6;
export const HARD_TANH = 7;
export const SOFTSIGN = 8;
export const LEAKY_RELU = 9;
export const ELU = 10;
export const SELU = 11;
export const EXPONENTIAL = 12;
export const SOFTMAX = 13;

// Klambauer et al. 2017, "Self-Normalizing Neural Networks".
const SELU_ALPHA: f32 = 1.6732632423543772;
const SELU_SCALE: f32 = 1.0507009873554805;

/** σ(x) from e = e^(−|x|), which never overflows: 1 / (1 + e) above 0 and e / (1 + e) below. */
// @ts-ignore: decorator
@inline
export function sigmoidFrom(x: v128, e: v128): v128 {
  const one = constant(ONE);
  const above = choose(f32x4.lt(x, f32x4.splat(0)), e, one);
  return f32x4.div(above, f32x4.add(one, e));
}

/** tanh |x| = −m / (2 + m) with m = e^(−2|x|) − 1: exact near 0, and never above 1. */
// @ts-ignore: decorator
@inline
export function tanhFrom(x: v128, m: v128): v128 {
  const sign = constant(SIGN);
  const y = f32x4.div(v128.andnot(m, sign), f32x4.add(constant(TWO), m));
  return v128.or(y, v128.and(x, sign));
}

/** What e is raised to: −|x| for sigmoid, −2|x| for tanh. */
// @ts-ignore: decorator
@inline
export function exponent(kind: i32, x: v128): v128 {
  const belowZero = v128.or(x, constant(SIGN));
  if (kind == SIGMOID) return f32x4.pmax(belowZero, constant(LEAST));
  return f32x4.pmax(f32x4.add(belowZero, belowZero), constant(LEAST_MINUS_1));
}

/** φ(x) from m = e^r − 1 and 2ⁿ. */
// @ts-ignore: decorator
@inline
export function result(kind: i32, x: v128, m: v128, power: v128): v128 {
  if (kind == SIGMOID) return sigmoidFrom(x, madd(m, power, power));
  return tanhFrom(x, madd(power, m, f32x4.sub(power, constant(ONE))));
}

// @ts-ignore: decorator
@inline
function tanh(x: v128): v128 {
  const belowZero = v128.or(x, constant(SIGN));
  return tanhFrom(x, expm1Below0(f32x4.add(belowZero, belowZero)));
}

/** `a` where the mask is set, else `b`; the mask's lanes are all 1 or all 0. */
// @ts-ignore: decorator
@inline
function choose(mask: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_laneselect(a, b, mask);
  return v128.bitselect(a, b, mask);
}

// @ts-ignore: decorator
@inline
function clip(x: v128, low: f32, high: f32): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(low)), f32x4.splat(high));
}

// @ts-ignore: decorator
@inline
function below0(x: v128, value: v128): v128 {
  return choose(f32x4.gt(x, f32x4.splat(0)), x, value);
}

/** φ(x); `alpha` is the slope of leaky_relu, the depth of elu. */
// @ts-ignore: decorator
@inline
export function activate(kind: i32, x: v128, alpha: f32): v128 {
  if (kind == SIGMOID) return sigmoidFrom(x, expBelow0(v128.or(x, constant(SIGN))));
  if (kind == TANH) return tanh(x);
  return activateSeldom(kind, x, alpha);
}

function activateSeldom(kind: i32, x: v128, alpha: f32): v128 {
  switch (kind) {
    case RELU: return f32x4.pmax(x, f32x4.splat(0));
    case HARD_SIGMOID: return f32x4.div(clip(f32x4.add(x, f32x4.splat(3)), 0, 6), f32x4.splat(6));
    case HARD_SIGMOID_KERAS2: return clip(madd(x, f32x4.splat(0.2), f32x4.splat(0.5)), 0, 1);
    case RELU6: return clip(x, 0, 6);
    case HARD_TANH: return clip(x, -1, 1);
    case SOFTSIGN: return softsign(x);
    case LEAKY_RELU: return below0(x, f32x4.mul(x, f32x4.splat(alpha)));
    case ELU: return elu(x, alpha);
    case SELU: return f32x4.mul(elu(x, SELU_ALPHA), f32x4.splat(SELU_SCALE));
    case EXPONENTIAL: return exp(x);
    default: return x;
  }
}

// @ts-ignore: decorator
@inline
function softsign(x: v128): v128 {
  return f32x4.div(x, f32x4.add(f32x4.abs(x), f32x4.splat(1)));
}

// @ts-ignore: decorator
@inline
function elu(x: v128, alpha: f32): v128 {
  const m = expm1Below0(f32x4.pmin(x, f32x4.splat(0)));
  return below0(x, f32x4.mul(m, f32x4.splat(alpha)));
}

/** φ'(x) from y = φ(x). */
// @ts-ignore: decorator
@inline
export function slope(kind: i32, y: v128, alpha: f32): v128 {
  const one = f32x4.splat(1);
  if (kind == SIGMOID) return f32x4.mul(y, f32x4.sub(one, y));
  if (kind == TANH) return f32x4.sub(one, f32x4.mul(y, y));
  return slopeSeldom(kind, y, alpha);
}

// @ts-ignore: decorator
@inline
function inside(y: v128, low: f32, high: f32, value: f32): v128 {
  const above = f32x4.gt(y, f32x4.splat(low));
  return v128.and(v128.and(above, f32x4.lt(y, f32x4.splat(high))), f32x4.splat(value));
}

function slopeSeldom(kind: i32, y: v128, alpha: f32): v128 {
  const one = f32x4.splat(1);
  const positive = f32x4.gt(y, f32x4.splat(0));
  switch (kind) {
    case RELU: return v128.and(positive, one);
    case HARD_SIGMOID: return inside(y, 0, 1, <f32>(1.0 / 6.0));
    case HARD_SIGMOID_KERAS2: return inside(y, 0, 1, 0.2);
    case RELU6: return inside(y, 0, 6, 1);
    case HARD_TANH: return inside(y, -1, 1, 1);
    case SOFTSIGN: {
      const rest = f32x4.sub(one, f32x4.abs(y));
      return f32x4.mul(rest, rest);
    }
    case LEAKY_RELU: return choose(positive, one, f32x4.splat(alpha));
    case ELU: return choose(positive, one, f32x4.add(y, f32x4.splat(alpha)));
    case SELU: {
      const scale = f32x4.splat(SELU_SCALE);
      return choose(positive, scale, f32x4.add(y, f32x4.splat(SELU_SCALE * SELU_ALPHA)));
    }
    case EXPONENTIAL: return y;
    default: return one;
  }
}
