// The slope of a layer's output, measured: what every gradient is held against.

import { type Layer, type LayerContext, type LayerState, type Mask, Tensor } from "@gatescope/lstm";
import { assert } from "@std/assert";
import { asFloat64 } from "../../lib/tensor/tensor.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { Gradients, type Variable } from "../../lib/values/gradients.ts";

/** What a layer is checked with. */
export interface LayerCase {
  readonly layer: Layer;
  readonly x: Tensor;
  readonly mask?: Mask;
  readonly state?: LayerState;
  /** Whether dropout drops: with the same numbers in every run. */
  readonly training?: boolean;
}

/** Numbers of that shape, evenly spread over ±1, away from the kinks of common activations. */
export function numbers(shape: readonly number[], seed: number, scale = 1): Tensor {
  const random = seededRandom(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float64Array.from({ length: size }, () => scale * (2 * random.uniform() - 1));
  return new Tensor(data, shape);
}

const STEP = 1e-5; // error: STEP²/6 of the third derivative, and 1e-16/STEP of rounding

/** (f(+STEP) − f(−STEP)) / 2·STEP for each number of x, which is moved and put back. */
export function differences(x: Tensor, f: () => number): Tensor {
  const data = x.data as Float64Array;
  const slopes = data.map((before, k) => {
    data[k] = before + STEP;
    const above = f();
    data[k] = before - STEP;
    const below = f();
    data[k] = before;
    return (above - below) / (2 * STEP);
  });
  return new Tensor(slopes, x.shape);
}

/** Throws where two gradients differ by more than 1e-6 of the larger entry, or of 1e-3. */
export function assertGradient(actual: Tensor, expected: Tensor, what: string): void {
  const largest = Math.max(1e-3, ...expected.data.map(Math.abs));
  expected.data.forEach((e, k) => {
    const difference = Math.abs(actual.data[k]! - e) / largest;
    assert(difference <= 1e-6, `${what} at ${k}: ${actual.data[k]}, measured ${e}`);
  });
}

/** A sum that weighs every output differently, and its gradient with respect to the output. */
export function weighedSum(output: Tensor): { value: number; gradient: Tensor } {
  const factors = numbers(output.shape, 99);
  const value = Array.from(output.data, (y, k) => y * factors.data[k]!).reduce((a, b) => a + b);
  return { value, gradient: factors };
}

/** One run of a layer on a tape, its input and weights leaves whose gradients are wanted. */
export function runLayer(
  { layer, x, mask, state, training = false }: LayerCase,
  weights: readonly Tensor[],
) {
  const tape = new Gradients();
  const [input, leaves] = [tape.leaf(x), weights.map((weight) => tape.leaf(weight))];
  const context: LayerContext<Variable> = {
    name: "layer",
    training,
    masks: [mask],
    states: state?.map((parts) => parts.map((part) => tape.given(asFloat64(part)))),
    random: seededRandom(5),
    run: (inner, given, own, context) => inner.run(tape, given, own, context),
  };
  const { outputs: [output], mask: maskAfter } = layer.run(tape, [input], leaves, context);
  return {
    output: output!.value,
    mask: maskAfter,
    backward: (gradient: Tensor) => {
      tape.backward([[output!, gradient]]);
      return {
        input: tape.gradientOf(input),
        weights: leaves.map((leaf) => tape.gradientOf(leaf)),
      };
    },
  };
}

/** Checks a layer's gradients with respect to its input and every weight by central differences. */
export function checkLayer(given: LayerCase, what: string) {
  const { layer, x } = given;
  const specs = layer.weights(x.shape.slice(1));
  const weights = specs.map(({ shape }, k) => numbers(shape, 7 + k, 0.8));
  const run = () => runLayer(given, weights);
  const { output, backward } = run();
  const { input, weights: gradients } = backward(weighedSum(output).gradient);
  const loss = () => weighedSum(run().output).value;
  if (layer.takes !== "words") assertGradient(input, differences(x, loss), `${what}, by the input`);
  gradients.forEach((gradient, k) => {
    assertGradient(gradient, differences(weights[k]!, loss), `${what}, by ${specs[k]!.name}`);
  });
}
