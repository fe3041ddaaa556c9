// One step of Adam on `count` numbers (rounded up to 4), as Keras computes it in float32:
// m += (g − m)(1 − β₁), v += (g² − v)(1 − β₂), w −= α·m / (√v + ε).

export function adamStep(
  weights: usize, gradients: usize, m: usize, v: usize, count: i32,
  alpha: f32, keep1: f32, keep2: f32, epsilon: f32,
): void {
  for (let at: usize = 0; at < <usize>count * 4; at += 16) {
    const g = v128.load(gradients + at);
    let mean = v128.load(m + at);
    let square = v128.load(v + at);
    mean = f32x4.add(mean, f32x4.mul(f32x4.sub(g, mean), f32x4.splat(keep1)));
    square = f32x4.add(square, f32x4.mul(f32x4.sub(f32x4.mul(g, g), square), f32x4.splat(keep2)));
    const root = f32x4.add(f32x4.sqrt(square), f32x4.splat(epsilon));
    const step = f32x4.div(f32x4.mul(mean, f32x4.splat(alpha)), root);
    v128.store(m + at, mean);
    v128.store(v + at, square);
    v128.store(weights + at, f32x4.sub(v128.load(weights + at), step));
  }
}
