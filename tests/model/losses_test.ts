// Tolerances. Central differences with a step of 1e-5 carry the loss's own rounding (1e-16 / 1e-5)
// and its third derivative (1e-10): 1e-6 of the gradient's largest entry is above both.

import {
  binaryCrossentropy,
  categoricalCrossentropy,
  type Loss,
  meanAbsoluteError,
  meanSquaredError,
  sparseCategoricalCrossentropy,
  Tensor,
  tensor,
} from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { getLoss } from "../../lib/model/training/losses/get_loss.ts";
import { type Random, seededRandom } from "../../lib/tensor/random.ts";

const STEP = 1e-5;
const GRADIENT = 1e-6;

interface Case {
  readonly loss: Loss;
  readonly target: Tensor;
  readonly output: Tensor;
}

const filled = (shape: number[], value: () => number) =>
  new Tensor(Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, value), shape);

/** Each loss on outputs that it is made for: probabilities that need not sum to 1, or any number. */
function cases(shape: number[], random: Random): Case[] {
  const probabilities = () => filled(shape, () => 0.05 + 0.9 * random.uniform());
  const anything = () => filled(shape, random.normal);
  const labels = filled(shape.slice(0, -1), () => Math.floor(random.uniform() * shape.at(-1)!));
  const target = probabilities();
  return [
    { loss: categoricalCrossentropy(), target, output: probabilities() },
    { loss: categoricalCrossentropy({ fromLogits: true }), target, output: anything() },
    { loss: sparseCategoricalCrossentropy(), target: labels, output: probabilities() },
    {
      loss: sparseCategoricalCrossentropy({ fromLogits: true }),
      target: labels,
      output: anything(),
    },
    { loss: binaryCrossentropy(), target, output: probabilities() },
    { loss: binaryCrossentropy({ fromLogits: true }), target, output: anything() },
    { loss: meanSquaredError(), target, output: anything() },
    { loss: meanAbsoluteError(), target, output: anything() },
  ];
}

function assertGradient({ loss, target, output }: Case, mask?: Tensor): void {
  const y = loss.prepare(target, output.shape);
  const { gradient } = loss.compute(y, output, mask);
  assertEquals(gradient.shape, output.shape);
  const largest = Math.max(...gradient.data.map(Math.abs));
  for (let k = 0; k < output.data.length; k++) {
    const at = (shift: number) => {
      const data = Float64Array.from(output.data);
      data[k]! += shift;
      return loss.compute(y, new Tensor(data, output.shape), mask).value;
    };
    const difference = (at(STEP) - at(-STEP)) / (2 * STEP) - gradient.data[k]!;
    assert(Math.abs(difference) <= GRADIENT * largest, `${loss.name} at ${k}: ${difference}`);
  }
}

Deno.test("each loss's gradient agrees with central differences", () => {
  for (const one of cases([4, 3], seededRandom(1))) assertGradient(one);
  for (const one of cases([2, 5, 3], seededRandom(2))) assertGradient(one);
});

Deno.test("with a mask, a loss is the mean over the steps that count, and its gradient agrees", () => {
  const mask = tensor([[1, 1, 0], [1, 0, 0]]);
  for (const one of cases([2, 3, 4], seededRandom(3))) {
    assertGradient(one, mask);
    const { loss, output } = one;
    const y = loss.prepare(one.target, output.shape);
    const alone = [[0, 0], [0, 1], [1, 0]].map(([n, t]) => {
      const step = (x: Tensor) => x.at(n!, t!).reshape([1, ...x.shape.slice(2)]);
      return loss.compute(step(y), step(output)).value;
    });
    const mean = alone.reduce((a, b) => a + b) / alone.length;
    assertAlmostEquals(loss.compute(y, output, mask).value, mean, 1e-14);
  }
});

Deno.test("a masked step may hold anything, and where none counts the loss is 0", () => {
  const [y, p] = [tensor([[[1], [2]]]), tensor([[[3], [NaN]]])];
  const { value, gradient } = meanSquaredError().compute(y, p, tensor([[1, 0]]));
  assertEquals([value, ...gradient.data], [4, 4, 0]);
  assertEquals(meanSquaredError().compute(y, p, tensor([[0, 0]])).value, 0);
});

Deno.test("probabilities are divided by their sum and kept within 1e-7 of 0 and 1, as in Keras", () => {
  const loss = categoricalCrossentropy();
  assertAlmostEquals(loss.compute(tensor([[1, 0]]), tensor([[2, 6]])).value, Math.log(4), 1e-15);
  const wrong = loss.compute(tensor([[1, 0]]), tensor([[0, 1]]));
  assertAlmostEquals(wrong.value, 16.11809539794922, 1e-6); // −ln 1e-7, Keras 3.15.1
  assertEquals([...wrong.gradient.data], [0, 0]);
  const right = loss.compute(tensor([[0, 1]]), tensor([[0, 1]]));
  assertAlmostEquals(right.value, 1.1920928955078125e-7, 1e-12); // Keras 3.15.1
});

Deno.test("logits of ±1000 neither overflow nor lose the loss", () => {
  const y = tensor([[1, 0]]);
  const z = tensor([[-1000, 1000]]);
  assertEquals(categoricalCrossentropy({ fromLogits: true }).compute(y, z).value, 2000);
  assertEquals(binaryCrossentropy({ fromLogits: true }).compute(y, z).value, 1000);
});

Deno.test("targets that do not fit the output or the loss are refused", () => {
  const prepare = (loss: Loss, target: Parameters<typeof tensor>[0], shape: number[]) => () =>
    loss.prepare(tensor(target), shape);
  const [categorical, sparse, binary] = [
    categoricalCrossentropy(),
    sparseCategoricalCrossentropy(),
    binaryCrossentropy(),
  ];
  assertThrows(prepare(categorical, [0, 1], [2, 3]), TypeError, "but the shape is [2]");
  assertThrows(prepare(categorical, [[0], [1]], [2, 1]), TypeError, "binary_crossentropy");
  assertThrows(prepare(categorical, [[2, 0]], [1, 2]), RangeError, "sample 0 is 2");
  assertThrows(prepare(sparse, [[0, 1], [1, 0]], [2, 2]), TypeError, "categorical_crossentropy");
  assertThrows(prepare(sparse, [0, 3], [2, 3]), RangeError, "classes 0 to 2");
  assertThrows(prepare(sparse, [0, 0.5], [2, 3]), RangeError, "sample 1 is 0.5");
  assertThrows(prepare(sparse, [-1, 0], [2, 3]), RangeError, "sample 0 is -1");
  assertThrows(prepare(binary, [0, 3], [2, 1]), RangeError, "sample 1 is 3");
  assertThrows(prepare(meanSquaredError(), [0, NaN], [2, 1]), RangeError, "NaN");
  assertEquals(prepare(sparse, [[0], [2]], [2, 3])().shape, [2]);
  assertEquals(prepare(meanSquaredError(), [0, 3], [2, 1])().shape, [2, 1]);
});

Deno.test("an unknown loss is refused with the nearest names", () => {
  assertEquals(getLoss("mse").name, "mean_squared_error");
  assertThrows(
    () => getLoss("categoricalCrossentropy" as never),
    RangeError,
    "; did you mean categorical_crossentropy?",
  );
  assertThrows(() => getLoss(undefined as never), RangeError, "but undefined was given");
});
