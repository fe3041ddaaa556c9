import { assert } from "@std/assert";
import { adamStep } from "../../lib/compute/adam.ts";
import { Arena } from "../../lib/compute/arena.ts";
import { randomArray, relativeError } from "./random_layers.ts";

// Each line rounds once to float32; ten steps leave 1e-6.
Deno.test("adamStep() is Adam's equations within 1e-6, for any length", () => {
  for (const build of ["relaxed-simd", "simd"] as const) {
    for (const length of [1, 3, 4, 17, 1000]) {
      let fast = {
        weights: randomArray(length, 1, 1),
        mean: new Float32Array(length),
        square: new Float32Array(length),
      };
      const w = Float64Array.from(fast.weights);
      const [m, v] = [new Float64Array(length), new Float64Array(length)];
      const numbers = { alpha: 0.001, keep1: 0.1, keep2: 0.001, epsilon: 1e-7 };
      const arena = new Arena(build);
      for (let step = 0; step < 10; step++) {
        const gradients = randomArray(length, 0.1, 2 + step);
        fast = adamStep(fast, gradients, numbers, arena);
        gradients.forEach((g, k) => {
          m[k]! += (g - m[k]!) * 0.1;
          v[k]! += (g * g - v[k]!) * 0.001;
          w[k]! -= 0.001 * m[k]! / (Math.sqrt(v[k]!) + 1e-7);
        });
      }
      assert(relativeError(fast.weights, w) <= 1e-6);
      assert(relativeError(fast.mean, m) <= 1e-6);
      assert(relativeError(fast.square, v) <= 1e-6);
    }
  }
});
