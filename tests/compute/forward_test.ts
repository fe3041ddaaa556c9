// Fast equals readable. Tolerances: 2e-7 in a probability; 1e-6 of the largest value elsewhere, as
// float32 carries 6e-8 a step and states grow.

import { type ActivationName, getActivation, tensor } from "@gatescope/lstm";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { fastActivation, fastActivationNames } from "../../lib/compute/activations.ts";
import { Arena } from "../../lib/compute/arena.ts";
import type { CellName } from "../../lib/compute/cell_kinds.ts";
import type { Build } from "../../lib/compute/engine.ts";
import { supportsCell, supportsDense } from "../../lib/compute/supports.ts";
import { Plan } from "../../lib/compute/plan.ts";
import {
  cellNames,
  randomArray,
  randomDense,
  randomGated,
  randomInput,
  randomLstm,
  readableDense,
  readableGated,
  relativeError,
  usualPair,
} from "./random_layers.ts";

const PROBABILITY = 2e-7;
const OF_THE_LARGEST = 1e-6;
const builds: Build[] = ["relaxed-simd", "simd"];

function assertWithin(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string) {
  const error = relativeError(actual, expected);
  assert(error <= OF_THE_LARGEST, `${what}: ${error}`);
}

/** Everything recorded against the equations of lib/cells. */
function checkRecord(arena: Arena, cell: CellName, units: number, batch: number) {
  const sizes = {
    batch,
    timesteps: 1 + (units * 5) % 7,
    inputSize: 1 + units % 5,
  };
  const layer = { ...randomGated(cell, units, sizes.inputSize), record: true };
  const x = randomInput(sizes);
  const plan = new Plan([layer], sizes, arena);
  const last = plan.run(x);
  const recorded = plan.recorded(0);
  const { sites, hiddenState } = readableGated(layer, x, sizes);
  const what = `${units} units, ${JSON.stringify(sizes)}`;
  assertEquals(recorded.length, sites.size);
  [...sites].forEach(([site, values], k) => {
    assertWithin(recorded[k]!, values.data, `${site} of ${what}`);
  });
  assertWithin(last, hiddenState.select(1, -1).data, `last of ${what}`);
}

for (const build of builds) {
  const arena = new Arena(build);

  for (const cell of cellNames) {
    Deno.test(`Plan, ${build}, ${cell}: every gate and state is that of lib/cells, for 1 to 9, 16 to 18 and 64 units`, () => {
      for (const units of [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 18, 64]) {
        checkRecord(arena, cell, units, 1 + units % 8);
      }
    });

    Deno.test(`Plan, ${build}, ${cell}: so it is for one sample, with 2 to 7 and more panels`, () => {
      for (const units of [6, 12, 13, 17, 24, 28, 33, 50, 261]) checkRecord(arena, cell, units, 1);
    });

    Deno.test(`Plan, ${build}, ${cell}: any batch from 1 to 13, 17 and 40, and any timesteps`, () => {
      for (const batch of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 40]) {
        for (const timesteps of [1, 2, 15]) {
          const sizes = { batch, timesteps, inputSize: 3 };
          const layer = randomGated(cell, 6, 3);
          const x = randomInput(sizes);
          const { hiddenState } = readableGated(layer, x, sizes);
          const sequences = new Plan([{ ...layer, returnSequences: true }], sizes, arena).run(x);
          assertWithin(sequences, hiddenState.data, `${batch} × ${timesteps}`);
        }
      }
    });

    Deno.test(`Plan, ${build}, ${cell}: every activation in both places`, () => {
      for (const name of fastActivationNames.filter((name) => name !== "softmax")) {
        const activation = name as ActivationName;
        const timesteps = name === "exponential" ? 2 : 5; // e^(e^…) soon leaves float32
        const sizes = { batch: 3, timesteps, inputSize: 4 };
        const x = randomInput(sizes);
        for (
          const pair of [
            { ...usualPair, activation },
            { ...usualPair, recurrentActivation: activation },
          ]
        ) {
          const layer = randomGated(cell, 7, sizes.inputSize, pair);
          const { hiddenState } = readableGated(layer, x, sizes, pair);
          const actual = new Plan([layer], sizes, arena).run(x);
          assertWithin(actual, hiddenState.select(1, -1).data, JSON.stringify(pair));
        }
      }
    });
  }

  Deno.test(`Plan, ${build}: recurrent layers and dense ones on each timestep or the last`, () => {
    const sizes = { batch: 5, timesteps: 6, inputSize: 3 };
    const x = randomInput(sizes);
    const first = { ...randomLstm(6, 3), returnSequences: true };
    const second = randomGated("gru", 5, 6);
    const dense = randomDense(19, 5);
    const h = readableGated(first, x, sizes).hiddenState;
    const h2 =
      readableGated(second, h.data as Float64Array, { ...sizes, inputSize: 6 }).hiddenState;
    const last = new Plan([first, second, dense], sizes, arena).run(x);
    assertWithin(last, readableDense(dense, h2.select(1, -1)).data, "the last step");
    const each = new Plan([first, { ...second, returnSequences: true }, dense], sizes, arena).run(
      x,
    );
    assertWithin(each, readableDense(dense, h2).data, "each step");
  });

  for (const cell of cellNames) {
    Deno.test(`Plan, ${build}, ${cell}: backwards, from where another ended, without a bias, again and again`, () => {
      const sizes = { batch: 2, timesteps: 5, inputSize: 3 };
      const x = randomInput(sizes);
      const { bias: _, ...layer } = randomGated(cell, 6, 3);
      const whole = new Plan([{ ...layer, returnSequences: true }], sizes, arena);
      const hiddenState = whole.run(x);
      assertWithin(hiddenState, readableGated(layer, x, sizes).hiddenState.data, "no bias");

      const rows = (from: Float32Array, width: number, first: number, count: number) =>
        Float32Array.from({ length: 2 * count * width }, (_, k) => {
          const [n, rest] = [Math.floor(k / (count * width)), k % (count * width)];
          return from[(n * 5 + first) * width + rest]!;
        });
      const some = { ...layer, takesStates: true };
      const first = new Plan([some], { ...sizes, timesteps: 2 }, arena);
      const rest = new Plan([some], { ...sizes, timesteps: 3 }, arena);
      for (const _again of [1, 2]) {
        first.run(rows(x, 3, 0, 2));
        const ends = first.ends();
        assertWithin(rest.run(rows(x, 3, 2, 3), ends), rows(hiddenState, 6, 4, 1), "from step 2");
        assertEquals(
          first.run(rows(x, 3, 0, 2)),
          ends.at(-1),
          "from zeros where no start is given",
        );
      }

      const reversed = Float32Array.from(x, (_, k) => {
        const [n, t, d] = [Math.floor(k / 15), Math.floor(k / 3) % 5, k % 3];
        return x[(n * 5 + 4 - t) * 3 + d]!;
      });
      const backwards = new Plan(
        [{ ...layer, goBackwards: true, returnSequences: true }],
        sizes,
        arena,
      );
      assertWithin(backwards.run(x), whole.run(reversed), "backwards");
    });
  }

  for (
    const [name, batch, timesteps, inputSize, units] of [
      ["S0", 1, 3, 2, 8],
      ["S1", 1, 100, 64, 256],
      ["S2", 64, 100, 128, 256],
      ["S3", 1, 1000, 32, 64],
    ] as const
  ) {
    for (const cell of ["lstm", "gru"] as const) {
      Deno.test(`Plan, ${build}, ${cell}: probabilities within 2e-7 at ${name}`, () => {
        const sizes = { batch, timesteps, inputSize };
        const [layer, dense] = [randomGated(cell, units, inputSize), randomDense(10, units)];
        const x = randomInput(sizes);
        const actual = new Plan([layer, dense], sizes, arena).run(x);
        const length = timesteps * inputSize;
        for (const n of new Set([0, batch >> 1, batch - 1])) { // float64 takes its time
          const sample = x.subarray(n * length, (n + 1) * length);
          const { hiddenState } = readableGated(layer, sample, { ...sizes, batch: 1 });
          const expected = readableDense(dense, hiddenState.select(1, -1)).data;
          const error = Math.max(...expected.map((p, k) => Math.abs(p - actual[n * 10 + k]!)));
          assert(error <= PROBABILITY, `sample ${n}: ${error}`);
        }
      });
    }
  }

  Deno.test(`Plan, ${build}: a dense layer over more rows than go together, whatever its activation`, () => {
    for (const name of fastActivationNames) {
      const [rows, units] = [2000, 35]; // 128 KiB are 678 rows of 48 columns
      const dense = randomDense(units, 3, name as ActivationName);
      const x = randomArray(rows * 3, 1, 8);
      const actual = new Plan([dense], { batch: rows, timesteps: 1, inputSize: 3 }, arena).run(x);
      const expected = readableDense(dense, tensor(x, [rows, 3]), name as ActivationName);
      assertWithin(actual, expected.data, name);
    }
  });

  Deno.test(`Plan, ${build}: softmax of ±1e4 and of equal logits; its rows sum to 1`, () => {
    for (const units of [1, 3, 4, 17]) {
      const dense = {
        ...randomDense(units, 2),
        kernel: randomArray(2 * units, 1e4, 7),
      };
      const sizes = { batch: 4, timesteps: 1, inputSize: 2 };
      const x = Float32Array.of(1, 1, 0, 0, -1, 0.5, 0.001, 0);
      const y = new Plan([dense], sizes, arena).run(x);
      for (let n = 0; n < 4; n++) {
        const sum = y.subarray(n * units, (n + 1) * units).reduce((a, b) => a + b, 0);
        assert(Math.abs(sum - 1) < 1e-6, `${units} units: ${sum}`);
      }
    }
  });
}

Deno.test("Plan refuses arrays of the wrong length", () => {
  const sizes = { batch: 1, timesteps: 2, inputSize: 3 };
  const layer = randomLstm(4, 3);
  assertThrows(() => new Plan([randomLstm(4, 2)], sizes), TypeError, "kernel must hold 48 numbers");
  assertThrows(() => new Plan([layer], sizes).run(new Float32Array(5)), TypeError, "x must hold 6");
  assertThrows(() => new Plan([layer], sizes).recorded(0), TypeError, "layer 0 makes none");
});

Deno.test("fastActivation() knows what it cannot do", () => {
  const unknown: [string, Record<string, unknown>?][] = [
    ["gelu"],
    ["relu", { threshold: 1 }],
    ["relu", { maxValue: 3 }],
    ["leaky_relu", { negativeSlope: -1 }],
    ["celu", { alpha: 2 }],
  ];
  for (const [name, options] of unknown) assert(fastActivation(name, options) === undefined, name);
  assert(fastActivation("relu", { negativeSlope: 0.1, maxValue: null })?.alpha === 0.1);
});

Deno.test("supportsCell() takes what getActivation() makes, and knows softmax from the others", () => {
  const [tanh, relu, softmax] = (["tanh", "relu", "softmax"] as const).map((n) => getActivation(n));
  assert(supportsCell(tanh!, relu!) !== undefined);
  assert(supportsCell(getActivation("leaky_relu"), tanh!)?.activation.alpha === 0.2);
  assert(supportsCell(tanh!, softmax!) === undefined);
  assert(supportsCell(getActivation("mish"), tanh!) === undefined);
  assert(supportsDense(softmax!) !== undefined);
});
