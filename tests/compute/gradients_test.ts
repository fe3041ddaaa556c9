// Gradients against lib/cells (lstm_forward.ts, dense.ts): the slope of a random loss Σ r·y, in
// random directions, by central differences in float64. Those are good to about 1e-9, so what is
// between is float32's rounding: at most 1e-5 of the gradient's length.

import { type ActivationName, tensor } from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { Arena } from "../../lib/compute/arena.ts";
import { cellKinds, type CellName } from "../../lib/compute/cell_kinds.ts";
import { DenseTraining } from "../../lib/compute/dense_training.ts";
import type { Build } from "../../lib/compute/engine.ts";
import type { SequenceSizes } from "../../lib/compute/gated_layer.ts";
import { GatedTraining } from "../../lib/compute/gated_training.ts";
import { asFloat64 } from "../../lib/tensor/tensor.ts";
import { Gradients } from "../../lib/values/gradients.ts";
import {
  cellNames,
  fast,
  type Pair,
  randomArray,
  randomDense,
  randomGated,
  randomInput,
  readableDense,
  readableGated,
  relativeError,
  runEquations,
  usualPair,
} from "./random_layers.ts";

const OF_THE_LENGTH = 1e-5;
const STEP = 1e-5;
const DIRECTIONS = 3;
const builds: Build[] = ["relaxed-simd", "simd"];

type Arrays = Record<string, Float64Array | Float32Array>;

/** The loss's slope with respect to each array in random directions, beside the gradient. */
function assertSlopes(
  arrays: Arrays,
  gradients: Arrays,
  loss: (at: Arrays) => number,
  what: string,
) {
  for (const [name, array] of Object.entries(arrays)) {
    const gradient = gradients[name]!;
    assertEquals(gradient.length, array.length, `${name} of ${what}`);
    const length = Math.hypot(...gradient);
    for (let seed = 11; seed < 11 + DIRECTIONS; seed++) {
      const direction = randomArray(array.length, 1, seed);
      const norm = Math.hypot(...direction);
      const moved = (by: number) =>
        loss({
          ...arrays,
          [name]: Float64Array.from(array, (w, k) => w + by * direction[k]! / norm),
        });
      const slope = (moved(STEP) - moved(-STEP)) / (2 * STEP);
      const said = dotProduct(gradient, direction) / norm;
      const error = Math.abs(slope - said);
      assert(error <= OF_THE_LENGTH * length + 1e-8, `${name} of ${what}: ${said}, not ${slope}`);
    }
  }
}

function dotProduct(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

interface GatedCase extends SequenceSizes {
  readonly units: number;
  readonly pair?: Pair;
  readonly returnSequences?: boolean;
  readonly goBackwards?: boolean;
  readonly given?: boolean;
}

function assertGatedGradients(arena: Arena, cellName: CellName, given: GatedCase): void {
  const { units, pair = usualPair, returnSequences = false, goBackwards = false } = given;
  const { batch, timesteps, inputSize } = given;
  const layer = randomGated(cellName, units, inputSize, pair);
  const { activation, recurrentActivation } = layer;
  const form = { cellName, units, activation, recurrentActivation, returnSequences, goBackwards };
  const x = randomInput(given);
  const run = new GatedTraining(form, given, arena).forward(x, layer);
  const r = randomArray(run.output.length, 1, 9);
  const { kernel, recurrentKernel, bias } = layer;
  const loss = (at: Arrays): number => {
    const input = goBackwards ? reversed(at.x!, given) : at.x!;
    const moved = {
      ...layer,
      kernel: at.kernel!,
      recurrentKernel: at.recurrentKernel!,
      bias: at.bias!,
    };
    const { hiddenState } = readableGated(moved, input, given, pair);
    return dotProduct(r, returnSequences ? hiddenState.data : hiddenState.select(1, -1).data);
  };
  const { x: dx, start: _, ...gradients } = run.backward(r);
  const what = JSON.stringify({ units, batch, timesteps, inputSize, returnSequences, ...pair });
  assertSlopes(
    { x, kernel, recurrentKernel, bias: bias! },
    { x: dx!, ...gradients },
    loss,
    what,
  );
  const without = { ...gradients, start: [] };
  assertEquals(run.backward(r, { byInput: false }), without, "without dx, the same");
}

function reversed(x: ArrayLike<number>, { batch, timesteps, inputSize }: SequenceSizes) {
  const result = new Float64Array(batch * timesteps * inputSize);
  for (let n = 0; n < batch; n++) {
    for (let t = 0; t < timesteps; t++) {
      for (let d = 0; d < inputSize; d++) {
        result[(n * timesteps + t) * inputSize + d] =
          x[(n * timesteps + timesteps - 1 - t) * inputSize + d]!;
      }
    }
  }
  return result;
}

for (const build of builds) {
  const arena = new Arena(build);

  for (const cell of cellNames) {
    Deno.test(`GatedTraining, ${build}, ${cell}: gradients within 1e-5 of lib/cells' slopes, 1 to 9 units, 17 and 64`, () => {
      for (const units of [1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 64]) {
        const sizes = { batch: 1 + units % 7, timesteps: 1 + units % 5, inputSize: 1 + units % 4 };
        assertGatedGradients(arena, cell, { ...sizes, units, returnSequences: units % 2 === 0 });
      }
    });

    Deno.test(`GatedTraining, ${build}, ${cell}: wide inputs, long sequences, backwards`, () => {
      assertGatedGradients(arena, cell, { batch: 1, timesteps: 40, inputSize: 17, units: 6 });
      assertGatedGradients(arena, cell, { batch: 13, timesteps: 3, inputSize: 33, units: 18 });
      assertGatedGradients(arena, cell, {
        batch: 5,
        timesteps: 7,
        inputSize: 3,
        units: 5,
        returnSequences: true,
        goBackwards: true,
      });
    });

    Deno.test(`GatedTraining, ${build}, ${cell}: every activation in both places`, () => {
      const names: ActivationName[] = [
        ...["linear", "sigmoid", "tanh", "softsign", "elu", "selu", "exponential"] as const,
        ...["hard_sigmoid", "hard_sigmoid_keras2", "hard_tanh", "relu6"] as const,
        ...["relu", "leaky_relu"] as const,
      ];
      for (const name of names) {
        const timesteps = name === "exponential" ? 2 : 3;
        const sizes = { batch: 3, timesteps, inputSize: 4, units: 7 };
        const [φ, σ] = [{ activation: name }, { recurrentActivation: name }];
        assertGatedGradients(arena, cell, { ...sizes, pair: { ...usualPair, ...φ } });
        assertGatedGradients(arena, cell, { ...sizes, pair: { ...usualPair, ...σ } });
      }
    });

    Deno.test(`GatedTraining, ${build}, ${cell}: backward is right in any order of runs, and after a fresh start`, () => {
      const small = new Arena(build, 200_000);
      const sizes = { batch: 3, timesteps: 4, inputSize: 2 };
      const layer = randomGated(cell, 5, 2);
      const training = new GatedTraining(layer, sizes, small);
      const other = new GatedTraining(randomGated(cell, 9, 2), sizes, small);
      const [a, b] = [randomInput(sizes), randomArray(24, 1, 20)];
      const r = randomArray(15, 1, 9);
      const [first, second] = [training.forward(a, layer), training.forward(b, layer)];
      const expected = [
        training.forward(a, layer).backward(r),
        training.forward(b, layer).backward(r),
      ];
      assertEquals(first.backward(r), expected[0]);
      assertEquals(second.backward(r), expected[1]);
      const { generation } = small;
      for (let k = 0; small.generation === generation; k++) {
        const one = randomGated(cell, 9, 2);
        new GatedTraining(one, sizes, small).forward(a, one);
        assert(k < 1000);
      }
      assertEquals(first.backward(r), expected[0]);
      other.forward(a, randomGated(cell, 9, 2));
      assertEquals(second.backward(r), expected[1]);
    });
  }

  Deno.test(`DenseTraining, ${build}: gradients within 1e-5 of lib/cells' slopes`, () => {
    const cases: [number, number, number, ActivationName][] = [
      [1, 8, 10, "softmax"],
      [5, 3, 2, "sigmoid"],
      [33, 17, 19, "softmax"],
      [7, 20, 33, "linear"],
      [300, 5, 1, "tanh"],
    ];
    for (const [rows, inputSize, units, activation] of cases) {
      const layer = randomDense(units, inputSize, activation);
      const x = randomArray(rows * inputSize, 1, 6);
      const form = { units, activation: fast(activation) };
      const run = new DenseTraining(form, rows, inputSize, arena).forward(x, layer);
      const r = randomArray(rows * units, 1, 9);
      const { x: dx, kernel, bias } = run.backward(r);
      const loss = (at: Arrays) => {
        const moved = { ...layer, kernel: at.kernel!, bias: at.bias! };
        const input = tensor(at.x!, [rows, inputSize]);
        return dotProduct(r, readableDense(moved, input, activation).data);
      };
      assertSlopes(
        { x, kernel: layer.kernel, bias: layer.bias! },
        { x: dx!, kernel, bias },
        loss,
        JSON.stringify({ rows, inputSize, units, activation }),
      );
    }
  });
}

/** From gradients with respect to the hidden states and the last states: those with respect to the rest. */
function tapeGradients(
  layer: ReturnType<typeof randomGated>,
  x: Float32Array,
  { batch, timesteps, inputSize }: SequenceSizes,
  { bySteps = [], byEnds, start }: {
    readonly bySteps?: readonly Float32Array[];
    readonly byEnds: readonly Float32Array[];
    readonly start?: readonly Float32Array[];
  },
) {
  const tape = new Gradients();
  const input = tape.leaf(asFloat64(tensor(x, [batch, timesteps, inputSize])));
  const run = runEquations(
    tape,
    layer,
    input,
    batch,
    usualPair,
    (numbers, shape) => tape.leaf(asFloat64(tensor(numbers, shape))),
    start,
  );
  const by = (gradient: Float32Array) => asFloat64(tensor(gradient, [batch, layer.units]));
  tape.backward([
    ...bySteps.map((gradient, t) => [run.steps[t]!.values.hiddenState!, by(gradient)] as const),
    ...byEnds.map((gradient, k) => [run.end.at(k - byEnds.length)!, by(gradient)] as const),
  ]);
  const { weights: { W, U, b } } = run;
  const [dx, kernel, recurrentKernel, bias] = [input, W, U, b!].map((one) => tape.gradientOf(one));
  return {
    x: dx!,
    kernel: kernel!,
    recurrentKernel: recurrentKernel!,
    bias: bias!,
    start: run.start.map((one) => tape.gradientOf(one)),
  };
}

const NAMES = ["x", "kernel", "recurrentKernel", "bias"] as const;

for (const cell of cellNames) {
  Deno.test(`GatedTraining at T0 (32 samples, 50 timesteps, 128 units), ${cell}: every number of each gradient within 1e-5 of the tape's`, () => {
    const sizes = { batch: 32, timesteps: 50, inputSize: 32 };
    const layer = randomGated(cell, 128, sizes.inputSize);
    const x = randomInput(sizes);
    const byLast = randomArray(32 * 128, 1, 9);
    const judge = tapeGradients(layer, x, sizes, { byEnds: [byLast] });
    for (const build of builds) {
      const actual = new GatedTraining(layer, sizes, new Arena(build)).forward(x, layer)
        .backward(byLast);
      for (const name of NAMES) {
        const error = relativeError(actual[name]!, judge[name].data);
        assert(error <= OF_THE_LENGTH, `${name}, ${build}: ${error}`);
      }
    }
  });

  Deno.test(`GatedTraining, ${cell}: gradients go into the last states and come out of the first`, () => {
    for (const [batch, timesteps, units] of [[1, 1, 1], [3, 4, 6], [2, 3, 18]] as const) {
      const sizes = { batch, timesteps, inputSize: 5 };
      const { states } = cellKinds[cell];
      const layer = { ...randomGated(cell, units, 5), takesStates: true };
      const x = randomInput(sizes);
      const some = (seed: number) => randomArray(batch * units, 1, seed);
      const start = [some(30), some(31)].slice(0, states);
      const byEnds = [some(40), some(41)].slice(0, states);
      const bySteps = Array.from({ length: timesteps }, (_, t) => some(50 + t));
      const byLast = Array.from(bySteps, (by, t) => t < timesteps - 1 ? by.map(() => 0) : by);
      for (const returnSequences of [false, true]) {
        const judge = tapeGradients(layer, x, sizes, {
          start,
          byEnds,
          bySteps: returnSequences ? bySteps : byLast,
        });
        const inOrder = new Float32Array(batch * timesteps * units);
        bySteps.forEach((by, t) =>
          by.forEach((value, k) => {
            const [n, unit] = [Math.floor(k / units), k % units];
            inOrder[(n * timesteps + t) * units + unit] = value;
          })
        );
        const gradient = [
          ...(returnSequences ? inOrder : byLast.at(-1)!),
          ...byEnds.flatMap((g) => [...g]),
        ];
        for (const build of builds) {
          const form = { ...layer, returnSequences };
          const run = new GatedTraining(form, sizes, new Arena(build)).forward(x, layer, start);
          const actual = run.backward(Float32Array.from(gradient));
          for (const name of NAMES) {
            const error = relativeError(actual[name]!, judge[name].data);
            assert(error <= OF_THE_LENGTH, `${name}, ${build}: ${error}`);
          }
          assertEquals(actual.start.length, states);
          actual.start.forEach((values, k) => {
            const error = relativeError(values, judge.start[k]!.data);
            assert(error <= OF_THE_LENGTH, `state ${k}, ${build}: ${error}`);
          });
        }
      }
    }
  });
}
