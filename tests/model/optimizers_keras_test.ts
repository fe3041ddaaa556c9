// RMSprop's forms against real Keras 3.15.1 (JAX, float32): keras.optimizers.RMSprop(…).apply of the
// gradients 2, 3, −1 to one weight of 1.

import { rmsprop, type RmspropOptions, tensor } from "@gatescope/lstm";
import { assertAlmostEquals } from "@std/assert";

const CASES: readonly [RmspropOptions, readonly number[]][] = [
  [{ momentum: 0.9 }, [0.9968377351760864, 0.9913190603256226, 0.9872524738311768]],
  [{ centered: true }, [0.996666669845581, 0.9937101006507874, 0.9946534037590027]],
  [
    { learningRate: 0.01, rho: 0.8, momentum: 0.5, centered: true, epsilon: 1e-3 },
    [0.9750195145606995, 0.9387720823287964, 0.9279695153236389],
  ],
];

for (const [options, expected] of CASES) {
  Deno.test(`rmsprop(${JSON.stringify(options)}) moves a weight as Keras does, step by step`, () => {
    const optimizer = rmsprop(options);
    let [weights, state] = [[tensor([1])], optimizer.start([tensor([1])])];
    [2, 3, -1].forEach((g, k) => {
      const step = optimizer.step(weights, [tensor([g])], state);
      [weights, state] = [[...step.weights], step.state];
      assertAlmostEquals(weights[0]!.item(0), expected[k]!, 1e-6); // float32, and its powers
    });
  });
}
