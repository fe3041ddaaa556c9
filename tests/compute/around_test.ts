// What stands around a recurrent layer, fast, against the layers' equations: forward and, on a tape,
// backward. Tolerance 1e-6 of the largest number, as float32 rounds each; 1e-5 in a gradient.

import {
  type ActivationName,
  averagePooling1D,
  averagePooling2D,
  batchNormalization,
  conv1D,
  conv2D,
  getActivation,
  globalAveragePooling1D,
  globalMaxPooling1D,
  type Layer,
  maxPooling1D,
  maxPooling2D,
  Tensor,
} from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { activateBackward, activateNumbers } from "../../lib/compute/activate.ts";
import { fastActivationNames } from "../../lib/compute/activations.ts";
import { Arena } from "../../lib/compute/arena.ts";
import type { Build } from "../../lib/compute/engine.ts";
import { poolWindows, poolWindowsBackward } from "../../lib/compute/pooling.ts";
import type { FastPooling } from "../../lib/layers/fast_form.ts";
import { type LayerResult, wholeRun } from "../../lib/layers/layer.ts";
import { FastLayers } from "../../lib/model/fast/fast_layers.ts";
import { placedWindows } from "../../lib/model/fast/fast_windows.ts";
import { asFloat64 } from "../../lib/tensor/tensor.ts";
import { Gradients, type Variable } from "../../lib/values/gradients.ts";
import { numbers } from "../../lib/values/numbers.ts";
import { fast, randomArray, relativeError } from "./random_layers.ts";

const VALUE = 1e-6;
const GRADIENT = 1e-5;
const builds: Build[] = ["relaxed-simd", "simd"];

function randomTensor(shape: readonly number[], seed: number): Tensor {
  return new Tensor(randomArray(shape.reduce((a, b) => a * b, 1), 1, seed), shape);
}

function weightsOf(layer: Layer, x: Tensor): Tensor[] {
  return layer.weights(x.shape.slice(1)).map(({ name, shape }, k) => {
    const values = randomTensor(shape, 20 + k);
    const positive = () => values.data.map((v) => v * v + 0.1) as Float32Array<ArrayBuffer>;
    return name.endsWith("variance") ? new Tensor(positive(), shape) : values;
  });
}

/** A layer in training, by the equations or fast: its result, gradients, what becomes of its weights. */
function trained(layer: Layer, x: Tensor, isFast: boolean) {
  const tape = new Gradients();
  const on = (value: Tensor) => tape.leaf(isFast ? value : asFloat64(value));
  const [input, own] = [on(x), weightsOf(layer, x).map(on)];
  const equation = (one: Layer): LayerResult<Variable> => one.run(tape, [input], own, context);
  const context = { name: "layer", training: true, masks: [undefined], run: equation };
  const run = isFast ? wholeRun(new FastLayers().runOnTape(tape)) : equation;
  const { outputs: [output], updates } = run(layer, [input], own, context);
  const { value } = output!;
  assertEquals(value.data instanceof Float32Array, isFast);
  tape.backward([[output!, randomTensor(value.shape, 9)]]);
  const moved = [input, ...own.slice(0, updates === undefined ? undefined : -2)];
  return {
    value,
    gradients: moved.map((one) => tape.gradientOf(one)),
    updates: updates?.flatMap((update) => update === undefined ? [] : [update.value]),
  };
}

/** The same in prediction. */
function predicted(layer: Layer, x: Tensor, isFast: boolean): Tensor {
  const weights = weightsOf(layer, x);
  const equation = (one: Layer): LayerResult<Tensor> => one.run(numbers, [x], weights, context);
  const context = { name: "layer", training: false, masks: [undefined], run: equation };
  const fast = new FastLayers().run({ records: false, inside: () => {} });
  return (isFast ? wholeRun(fast) : equation)(layer, [x], weights, context).outputs[0]!;
}

/** Each with what shapes it takes. */
const layers: Record<string, readonly [make: () => Layer, shapes: readonly (readonly number[])[]]> =
  {
    "conv1D": [() => conv1D({ filters: 5, kernelSize: 3 }), [[1, 3, 1], [4, 9, 2], [2, 40, 17]]],
    "conv1D, same": [
      () => conv1D({ filters: 16, kernelSize: 4, padding: "same", activation: "tanh" }),
      [[1, 1, 1], [3, 2, 3], [2, 30, 5]],
    ],
    "conv1D, same with strides": [
      () => conv1D({ filters: 3, kernelSize: 3, padding: "same", strides: 2, activation: "relu" }),
      [[1, 1, 1], [3, 4, 3], [2, 31, 40]],
    ],
    "conv1D, causal, apart": [
      () => conv1D({ filters: 33, kernelSize: 2, padding: "causal", dilationRate: 3 }),
      [[1, 1, 1], [3, 4, 3], [2, 31, 4]],
    ],
    "conv1D, strides beyond the window": [
      () => conv1D({ filters: 2, kernelSize: 2, strides: 5, useBias: false }),
      [[2, 12, 3]],
    ],
    "conv2D": [
      () => conv2D({ filters: 6, kernelSize: [3, 2], padding: "same", strides: [2, 1] }),
      [[2, 5, 4, 3]],
    ],
    "maxPooling1D": [() => maxPooling1D(), [[1, 2, 1], [3, 9, 5], [2, 30, 16]]],
    "maxPooling1D, windows over each other": [
      () => maxPooling1D({ poolSize: 3, strides: 1, padding: "same" }),
      [[1, 1, 1], [3, 9, 6], [2, 30, 7]],
    ],
    "averagePooling1D": [
      () => averagePooling1D({ poolSize: 3, strides: 2, padding: "same" }),
      [[1, 1, 1], [3, 8, 6], [2, 31, 7]],
    ],
    "maxPooling2D": [() => maxPooling2D(), [[2, 5, 4, 3]]],
    "averagePooling2D": [() => averagePooling2D({ padding: "same" }), [[2, 5, 4, 3]]],
    "globalMaxPooling1D": [() => globalMaxPooling1D(), [[1, 1, 1], [3, 50, 6]]],
    "globalAveragePooling1D": [
      () => globalAveragePooling1D({ keepdims: true }),
      [[1, 1, 1], [3, 5000, 6]],
    ],
    "batchNormalization": [() => batchNormalization(), [[2, 3], [4, 30, 5]]],
    "batchNormalization without γ or β": [
      () => batchNormalization({ scale: false, center: false, epsilon: 0.1, momentum: 0.3 }),
      [[4, 30, 5]],
    ],
  };

for (const [name, [make, shapes]] of Object.entries(layers)) {
  Deno.test(`${name}, fast: values within 1e-6 of the equations', gradients and moments within 1e-5`, () => {
    for (const shape of shapes) {
      const x = randomTensor(shape, 3);
      const [fast, judge] = [true, false].map((isFast) => trained(make(), x, isFast));
      const error = relativeError(fast!.value.data, judge!.value.data);
      assert(error <= VALUE, `${shape}: ${error}`);
      assertEquals(fast!.value.shape, judge!.value.shape);
      for (const part of ["gradients", "updates"] as const) {
        assertEquals(fast![part]?.length, judge![part]?.length);
        judge![part]?.forEach((expected, k) => {
          const error = relativeError(fast![part]![k]!.data, expected.data);
          assert(error <= GRADIENT, `${shape}, ${part} ${k}: ${error}`);
        });
      }
      const [actual, expected] = [true, false].map((isFast) => predicted(make(), x, isFast).data);
      assert(relativeError(actual!, expected!) <= VALUE, `${shape}, in prediction`);
    }
  });
}

for (const build of builds) {
  const arena = new Arena(build);

  Deno.test(`poolings, ${build}: of equals the first one gets the gradient, and NaN stays NaN`, () => {
    const form = maxPooling1D({ poolSize: 3 }).fast!() as FastPooling;
    const sizes = { batch: 1, channels: 5 };
    const windows = placedWindows(form, [3]);
    const x = Float32Array.of(1, 2, 3, NaN, -1, 1, 3, 2, 0, -1, 0, 3, 1, 0, -1);
    const y = poolWindows("max", x, windows, sizes, arena);
    assertEquals([...y], [1, 3, 3, NaN, -1]);
    const g = Float32Array.of(1, 2, 3, 4, 5);
    const dx = poolWindowsBackward("max", g, { x, y }, windows, sizes, arena);
    assertEquals([...dx], [1, 0, 3, 0, 5, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  Deno.test(`poolings, ${build}: many samples go through in parts`, () => {
    for (const kind of ["max", "average"] as const) {
      const form = maxPooling1D({ poolSize: 2, strides: 1 }).fast!() as FastPooling;
      const windows = placedWindows(form, [100]);
      const x = randomArray(1500 * 100 * 6, 1, 1); // 4 MiB are 440 samples
      const y = poolWindows(kind, x, windows, { batch: 1500, channels: 6 }, arena);
      const g = randomArray(y.length, 1, 2);
      const both = { batch: 1500, channels: 6 };
      const dx = poolWindowsBackward(kind, g, { x, y }, windows, both, arena);
      for (const n of [0, 439, 440, 1499]) {
        const own = (all: Float32Array, length: number) =>
          all.subarray(n * length, (n + 1) * length);
        const [one, sizes] = [own(x, 600), { batch: 1, channels: 6 }];
        const alone = poolWindows(kind, one, windows, sizes, arena);
        assertEquals(alone, own(y, 594).slice());
        const given = { x: one, y: alone };
        const back = poolWindowsBackward(kind, own(g, 594), given, windows, sizes, arena);
        assertEquals(back, own(dx, 600).slice());
      }
    }
  });

  Deno.test(`activations on their own, ${build}: values within 1e-6, gradients within 1e-5, any length`, () => {
    for (const name of fastActivationNames) {
      if (name === "softmax") continue;
      const φ = getActivation(name as ActivationName);
      for (const length of [1, 3, 17, 40_000]) {
        const [x, g] = [randomArray(length, 4, 1), randomArray(length, 1, 2)];
        const [judged, given] = [x, g].map((data) => asFloat64(new Tensor(data, [length])));
        const y = activateNumbers(fast(name as ActivationName), x, arena);
        assert(relativeError(y, φ(judged!).data) <= VALUE, `${name}, ${length}`);
        const dx = activateBackward(fast(name as ActivationName), y, g, arena);
        const expected = φ.backward(judged!, given!).data;
        const error = relativeError(dx, expected);
        const isFlat = expected.every((value) => value === 0) && dx.every((value) => value === 0);
        assert(isFlat || error <= GRADIENT, `${name}, ${length}: ${error}`);
      }
    }
  });
}
