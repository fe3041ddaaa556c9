// a·b + c on four numbers: in the relaxed build one instruction with one rounding, in the plain one
// two.

// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** The fastest this machine can multiply and add in WASM: 12 independent sums, all in registers. */
export function peak(rounds: i32): f32 {
  const factor = f32x4.splat(0.999);
  const step = f32x4.splat(0.001);
  let s0 = f32x4.splat(0), s1 = f32x4.splat(1), s2 = f32x4.splat(2), s3 = f32x4.splat(3);
  let s4 = f32x4.splat(4), s5 = f32x4.splat(5), s6 = f32x4.splat(6), s7 = f32x4.splat(7);
  let s8 = f32x4.splat(8), s9 = f32x4.splat(9), s10 = f32x4.splat(10), s11 = f32x4.splat(11);
  for (let k = 0; k < rounds; k++) {
    s0 = madd(factor, step, s0);
    s1 = madd(factor, step, s1);
    s2 = madd(factor, step, s2);
    s3 = madd(factor, step, s3);
    s4 = madd(factor, step, s4);
    s5 = madd(factor, step, s5);
    s6 = madd(factor, step, s6);
    s7 = madd(factor, step, s7);
    s8 = madd(factor, step, s8);
    s9 = madd(factor, step, s9);
    s10 = madd(factor, step, s10);
    s11 = madd(factor, step, s11);
  }
  const a = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  const b = f32x4.add(f32x4.add(s4, s5), f32x4.add(s6, s7));
  const c = f32x4.add(f32x4.add(s8, s9), f32x4.add(s10, s11));
  return f32x4.extract_lane(f32x4.add(a, f32x4.add(b, c)), 0);
}
