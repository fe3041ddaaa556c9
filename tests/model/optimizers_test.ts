// What real Keras computes is in golden/training_test.ts; here is what one number shows.

import { adam, type Optimizer, rmsprop, sgd, type SgdOptions, tensor } from "@gatescope/lstm";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { getOptimizer } from "../../lib/model/training/optimizers/get_optimizer.ts";

const FLOAT32 = 1e-7; // the options stand in float32, as in Keras

function steps(optimizer: Optimizer, gradients: number[]) {
  let [weights, state] = [[tensor([1])], optimizer.start([tensor([1])])];
  for (const g of gradients) {
    const step = optimizer.step(weights, [tensor([g])], state);
    [weights, state] = [[...step.weights], step.state];
  }
  return { w: weights[0]!.item(0), memory: state.variables.map((x) => x.item(0)), state };
}

Deno.test("the equations of each optimizer, number by number over two steps", () => {
  assertAlmostEquals(steps(sgd(), [2, 3]).w, 1 - 0.01 * 5, FLOAT32);

  const m1 = -0.1 * 2;
  const m2 = 0.5 * m1 - 0.1 * 3;
  const heavy = { learningRate: 0.1, momentum: 0.5 };
  assertAlmostEquals(steps(sgd(heavy), [2, 3]).w, 1 + m1 + m2, FLOAT32);
  const ahead = 1 + (0.5 * m1 - 0.1 * 2) + (0.5 * m2 - 0.1 * 3);
  assertAlmostEquals(steps(sgd({ ...heavy, nesterov: true }), [2, 3]).w, ahead, FLOAT32);

  const v1 = 0.1 * 4;
  const v2 = 0.9 * v1 + 0.1 * 9;
  const squares = 1 - 0.001 * (2 / Math.sqrt(v1 + 1e-7) + 3 / Math.sqrt(v2 + 1e-7));
  assertAlmostEquals(steps(rmsprop(), [2, 3]).w, squares, FLOAT32);

  const { w, memory } = steps(adam(), [2]);
  assertAlmostEquals(memory[0]!, 0.2, FLOAT32);
  assertAlmostEquals(memory[1]!, 0.004, FLOAT32);
  assertAlmostEquals(w, 1 - 0.001 * Math.sqrt(0.001) / 0.1 * 0.2 / Math.sqrt(0.004), FLOAT32);
});

Deno.test("Adam's ε stands outside the bias correction: a tiny gradient moves a weight little", () => {
  // inside, the step would be 0.001·g/(g + ε) = 0.0005
  const g = 1e-7;
  const α = 0.001 * Math.sqrt(0.001) / 0.1;
  const moved = α * 0.1 * g / (Math.sqrt(0.001) * g + 1e-7);
  assertAlmostEquals(1 - steps(adam(), [g]).w, moved, 1e-4 * moved); // float32 powers of β
});

Deno.test("gradients are clipped before the step, one by one or together", () => {
  const [weights, gradients] = [[tensor([0, 0]), tensor([0])], [tensor([3, 4]), tensor([12])]];
  const moved = (options: SgdOptions) => {
    const optimizer = sgd({ learningRate: 1, ...options });
    return optimizer.step(weights, gradients, optimizer.start(weights)).weights
      .flatMap(({ data }) => Array.from(data, (w) => -w));
  };
  assertEquals(moved({ clipnorm: 10 }), [3, 4, 10]); // lengths 5 and 12
  assertEquals(
    moved({ clipnorm: 1 }).map((w) => w.toFixed(12)),
    [0.6, 0.8, 1].map((w) => w.toFixed(12)),
  );
  assertEquals(moved({ globalClipnorm: 6.5 }), [1.5, 2, 6]); // 13 together
  assertEquals(moved({ globalClipnorm: 13 }), [3, 4, 12]);
  assertEquals(moved({ clipvalue: 3.5 }), [3, 3.5, 3.5]);
  assertEquals(sgd({ globalClipnorm: 6.5 }).config.global_clipnorm, 6.5);
});

Deno.test("a step changes neither the weights, the gradients nor the state it is given", () => {
  for (
    const optimizer of [adam(), sgd({ momentum: 0.9 }), rmsprop({ momentum: 0.5, centered: true })]
  ) {
    const [weights, gradients] = [[tensor([1, 2])], [tensor([3, 4])]];
    const state = optimizer.start(weights);
    const first = optimizer.step(weights, gradients, state);
    assertEquals([weights[0]!.toArray(), gradients[0]!.toArray()], [[1, 2], [3, 4]]);
    assertEquals(state, optimizer.start(weights));
    assertEquals(optimizer.step(weights, gradients, state), first);
  }
});

Deno.test("each optimizer remembers as many arrays as Keras's, in their shapes", () => {
  const weights = [tensor([[1, 2]]), tensor([3])];
  const shapes = (optimizer: Optimizer) => optimizer.start(weights).variables.map((x) => x.shape);
  assertEquals(shapes(adam()), [[1, 2], [1, 2], [1], [1]]);
  assertEquals(shapes(sgd()), []);
  assertEquals(shapes(sgd({ momentum: 0.1 })), [[1, 2], [1]]);
  assertEquals(shapes(rmsprop({ momentum: 0.1, centered: true })), [[1, 2], [1], [1, 2], [1], [
    1,
    2,
  ], [1]]);
});

Deno.test("options out of range and unknown optimizers are refused", () => {
  assertThrows(() => adam({ learningRate: -1 }), RangeError, "but it is -1");
  assertThrows(() => adam({ beta2: 1 }), RangeError, "beta2 must be at least 0 and below 1");
  assertThrows(() => sgd({ momentum: 1.5 }), RangeError, "at most 1");
  assertThrows(() => rmsprop({ epsilon: NaN }), RangeError, "NaN");
  assertThrows(
    () => adam({ clipnorm: 0 }),
    RangeError,
    "clipnorm must be above 0, but it is 0",
  );
  assertThrows(
    () => rmsprop({ clipnorm: 1, clipvalue: 1 }),
    RangeError,
    "in one way, but the options are clipnorm and clipvalue",
  );
  assertThrows(
    () => getOptimizer("Adm" as never),
    RangeError,
    'adam, sgd or rmsprop, but "Adm" was given; did you mean adam?',
  );
  assertThrows(() => getOptimizer({} as never), RangeError, "but an empty object was given");
});
