// An activation on flat float32 arrays, and back.

import type { FastActivation } from "./activations.ts";
import { type Arena, sharedArena } from "./arena.ts";
import type { Numbers } from "./gated_layer.ts";

/** How many numbers go together, so that they stay in the second cache. */
const TOGETHER = 2 ** 15;

/** φ(x), number by number: no softmax. */
export function activateNumbers(
  { kind, alpha }: FastActivation,
  x: Numbers,
  arena: Arena = sharedArena(),
): Float32Array<ArrayBuffer> {
  const y = new Float32Array(x.length);
  const at = arena.scratch(4 * TOGETHER);
  for (let k = 0; k < x.length; k += TOGETHER) {
    const part = x.subarray(k, k + TOGETHER);
    arena.floats.set(part, at / 4);
    arena.engine.activateArray(kind, at, at, part.length, alpha);
    y.set(arena.floats.subarray(at / 4, at / 4 + part.length), k);
  }
  return y;
}

/** The gradient with respect to x, from y = φ(x) and the gradient with respect to y. */
export function activateBackward(
  { kind, alpha }: FastActivation,
  y: Numbers,
  byOutput: Numbers,
  arena: Arena = sharedArena(),
): Float32Array<ArrayBuffer> {
  const dx = new Float32Array(y.length);
  const [from, at] = [arena.scratch(8 * TOGETHER), arena.scratch(8 * TOGETHER) + 4 * TOGETHER];
  for (let k = 0; k < y.length; k += TOGETHER) {
    const part = y.subarray(k, k + TOGETHER);
    arena.floats.set(part, from / 4);
    arena.floats.set(byOutput.subarray(k, k + TOGETHER), at / 4);
    arena.engine.slopeArray(kind, from, at, part.length, alpha);
    dx.set(arena.floats.subarray(at / 4, at / 4 + part.length), k);
  }
  return dx;
}
