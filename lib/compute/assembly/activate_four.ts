// sigmoid and tanh of four vectors at once: half the work of one is to read the constants, and here
// each is read once for all four. The steps are those of exponential.ts, the polynomial from its
// highest term down: so each vector needs three registers, and the constants one or two.
// Written by `deno task build:compute` (tools/write_four.ts).

import { exponent, result } from "./activations";
import {
  constant, LN2_HIGH, LN2_LOW, LOG2_E, POLYNOMIAL, power2, ROUND,
} from "./exponential";
import { madd } from "./fma";

/** φ of the 16 numbers at `from`, to `to`: SIGMOID or TANH, of each vector its own. */
// @ts-ignore: decorator
@inline
export function activateFour(
  from: usize, to: usize, kind0: i32, kind1: i32, kind2: i32, kind3: i32,
): void {
  let r0 = exponent(kind0, v128.load(from, 0));
  let r1 = exponent(kind1, v128.load(from, 16));
  let r2 = exponent(kind2, v128.load(from, 32));
  let r3 = exponent(kind3, v128.load(from, 48));
  let a = constant(LOG2_E);
  const round = constant(ROUND);
  const n0 = madd(r0, a, round);
  const n1 = madd(r1, a, round);
  const n2 = madd(r2, a, round);
  const n3 = madd(r3, a, round);
  a = constant(LN2_HIGH);
  let b = constant(LN2_LOW);
  let n = f32x4.sub(n0, round);
  r0 = madd(n, b, madd(n, a, r0));
  n = f32x4.sub(n1, round);
  r1 = madd(n, b, madd(n, a, r1));
  n = f32x4.sub(n2, round);
  r2 = madd(n, b, madd(n, a, r2));
  n = f32x4.sub(n3, round);
  r3 = madd(n, b, madd(n, a, r3));
  a = constant(POLYNOMIAL + 16);
  b = constant(POLYNOMIAL + 12);
  let p0 = madd(a, r0, b);
  let p1 = madd(a, r1, b);
  let p2 = madd(a, r2, b);
  let p3 = madd(a, r3, b);
  a = constant(POLYNOMIAL + 8);
  p0 = madd(p0, r0, a);
  p1 = madd(p1, r1, a);
  p2 = madd(p2, r2, a);
  p3 = madd(p3, r3, a);
  a = constant(POLYNOMIAL + 4);
  p0 = madd(p0, r0, a);
  p1 = madd(p1, r1, a);
  p2 = madd(p2, r2, a);
  p3 = madd(p3, r3, a);
  a = constant(POLYNOMIAL);
  p0 = madd(p0, r0, a);
  p1 = madd(p1, r1, a);
  p2 = madd(p2, r2, a);
  p3 = madd(p3, r3, a);
  p0 = madd(p0, f32x4.mul(r0, r0), r0);
  p1 = madd(p1, f32x4.mul(r1, r1), r1);
  p2 = madd(p2, f32x4.mul(r2, r2), r2);
  p3 = madd(p3, f32x4.mul(r3, r3), r3);
  v128.store(to, result(kind0, v128.load(from, 0), p0, power2(n0)), 0);
  v128.store(to, result(kind1, v128.load(from, 16), p1, power2(n1)), 16);
  v128.store(to, result(kind2, v128.load(from, 32), p2, power2(n2)), 32);
  v128.store(to, result(kind3, v128.load(from, 48), p3, power2(n3)), 48);
}
