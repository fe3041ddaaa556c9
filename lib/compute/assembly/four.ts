// φ of many numbers: what activate_four.ts does for sigmoid and tanh, and the others.

import { activateFour } from "./activate_four";
import { activate, SIGMOID, slope, TANH } from "./activations";

/** φ of 16 numbers, whatever it is. */
export function activateSixteen(from: usize, to: usize, kind: i32, alpha: f32): void {
  for (let v: usize = 0; v < 64; v += 16) {
    v128.store(to + v, activate(kind, v128.load(from + v), alpha));
  }
}

/** φ of each number from `from` up to `count` (rounded up to 4), to `to`. */
export function activateArray(kind: i32, from: usize, to: usize, count: i32, alpha: f32): void {
  let left = count;
  for (; left >= 16; left -= 16) {
    if (kind == SIGMOID) activateFour(from, to, SIGMOID, SIGMOID, SIGMOID, SIGMOID);
    else if (kind == TANH) activateFour(from, to, TANH, TANH, TANH, TANH);
    else activateSixteen(from, to, kind, alpha);
    from += 64;
    to += 64;
  }
  for (; left > 0; left -= 4) {
    v128.store(to, activate(kind, v128.load(from), alpha));
    from += 16;
    to += 16;
  }
}

/** φ'(x) ⊙ gradient of as many numbers, from y = φ(x), in the gradient's place. */
export function slopeArray(kind: i32, y: usize, gradient: usize, count: i32, alpha: f32): void {
  for (let at: usize = 0; at < <usize>count * 4; at += 16) {
    const through = f32x4.mul(slope(kind, v128.load(y + at), alpha), v128.load(gradient + at));
    v128.store(gradient + at, through);
  }
}
