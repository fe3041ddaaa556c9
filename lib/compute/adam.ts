// Adam on flat float32 arrays.

import { type Arena, sharedArena } from "./arena.ts";
import type { Numbers } from "./gated_layer.ts";

/** The numbers of a step, rounded to float32 as Keras has them. */
export interface AdamStep {
  /** α = learningRate·√(1 − β₂ᵗ) / (1 − β₁ᵗ) */
  readonly alpha: number;
  /** 1 − β₁ */
  readonly keep1: number;
  /** 1 − β₂ */
  readonly keep2: number;
  readonly epsilon: number;
}

/** What a step starts from, or ends with: all of one length. */
export interface AdamArrays {
  readonly weights: Numbers;
  /** m, the gradients' mean. */
  readonly mean: Numbers;
  /** v, their squares' mean. */
  readonly square: Numbers;
}

/**
 * m += (g − m)(1 − β₁), v += (g² − v)(1 − β₂), w −= α·m / (√v + ε), in float32.
 * Source: keras/src/optimizers/adam.py.
 *
 * @returns new arrays
 * @throws {TypeError} where the arrays' lengths differ.
 */
export function adamStep(
  { weights, mean, square }: AdamArrays,
  gradients: Numbers,
  { alpha, keep1, keep2, epsilon }: AdamStep,
  arena: Arena = sharedArena(),
): Record<keyof AdamArrays, Float32Array<ArrayBuffer>> {
  const { length } = weights;
  const arrays = [weights, gradients, mean, square];
  if (arrays.some((array) => array.length !== length)) {
    throw new TypeError(
      `Cannot make a step of Adam: all arrays must be equally long, ` +
        `but the lengths are ${arrays.map((array) => array.length).join(", ")}`,
    );
  }
  const room = Math.ceil(length / 16) * 16; // whole vectors, and each array on its own cache line
  const first = arena.scratch(4 * room * 4);
  const { floats, engine } = arena;
  const places = arrays.map((_, k) => first / 4 + k * room);
  arrays.forEach((array, k) => floats.set(array, places[k]));
  const [w, g, m, v] = places.map((place) => place * 4) as [number, number, number, number];
  engine.adamStep(w, g, m, v, length, alpha, keep1, keep2, epsilon);
  const [weightsThen, , meanThen, squareThen] = places.map((place) => arena.copy(place, length));
  return { weights: weightsThen!, mean: meanThen!, square: squareThen! };
}
