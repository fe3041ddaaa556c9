// Sweeps in float32 over many pieces, whose runs end early where that is as good, against the equations
// in float64.

import {
  dense,
  gru,
  type Layer,
  lstm,
  type Model,
  patchSweep,
  sequential,
  simpleRnn,
  Tensor,
  tensor,
} from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { finish } from "../../lib/base/work.ts";
import { SharedInput } from "../../lib/compute/shared_input.ts";
import type { Fork } from "../../lib/insight/fork.ts";
import { growthEvery } from "../../lib/insight/growth.ts";
import { seededRandom } from "../../lib/tensor/random.ts";

const TIMESTEPS = 45;
const [samples, inputSize, units] = [3, 4, 10];

const random = seededRandom(4);
const x = new Tensor(
  Float64Array.from({ length: samples * TIMESTEPS * inputSize }, () => random.normal()),
  [samples, TIMESTEPS, inputSize],
);
const quiet = { verbose: false } as const;

const patched = { units, name: "patched" } as const;
const cases: Record<string, (precision: "float32" | "float64") => Model> = {};
const one = (name: string, ...layers: Layer[]) => {
  cases[name] = (precision) =>
    sequential(layers, { inputShape: [TIMESTEPS, inputSize], seed: 3, precision });
};
const behind = dense({ units: 3, activation: "softmax" });
one("an LSTM", lstm(patched), behind);
one("an LSTM backwards", lstm({ ...patched, goBackwards: true }), dense({ units: 2 }), behind);
one("a GRU", gru(patched), behind);
one("a GRU, reset before", gru({ ...patched, resetAfter: false }), behind);
one("a SimpleRNN", simpleRnn(patched), behind);
one("an LSTM behind another", lstm({ units: 6, returnSequences: true }), lstm(patched), behind);
one("an LSTM of relu", lstm({ ...patched, activation: "relu" }), behind);
one("before relu", gru(patched), dense({ units: 5, activation: "relu" }), behind);
one(
  "an LSTM before another",
  lstm({ ...patched, returnSequences: true, goBackwards: true }),
  lstm({ units: 6 }),
  behind,
);

for (const [name, make] of Object.entries(cases)) {
  Deno.test(`${name}: float32 changes no effect by 1e-6`, async () => {
    const [single, double] = [make("float32"), make("float64")];
    double.setWeights(single.getWeights());
    const options = { ...quiet, target: 1, layer: "patched", timestep: [0, 7, 8, 21, 39, 44] };
    const fast = await patchSweep(single, x, { ...options, fast: true });
    const exact = await patchSweep(double, x, options);
    assertEquals([fast.precision, exact.precision], ["float32", "float64"]);
    exact.effects.data.forEach((effect, k) => {
      assertAlmostEquals(fast.effects.data[k]!, effect, 1e-6, `${k}`);
    });
  });
}

for (const name of ["an LSTM", "an LSTM backwards", "a GRU", "a SimpleRNN"]) {
  Deno.test(`${name}: what is left after many steps is known to a hundredth, however small`, async () => {
    const single = cases[name]!("float32");
    const double = cases[name]!("float64");
    double.setWeights(single.getWeights());
    const timestep = [20, name === "an LSTM backwards" ? 40 : 4]; // the first runs go to the end
    const options = { ...quiet, target: 1, timestep, sites: ["hiddenState"] as const };
    const fast = (await patchSweep(single, x, { ...options, fast: true })).effects.at(0, 1);
    const exact = (await patchSweep(double, x, options)).effects.at(0, 1);
    const largest = Math.max(...exact.data.map(Math.abs));
    assert(largest < 1e-6, `${largest}`); // less than float32 tells in the output
    exact.data.forEach((effect, k) => {
      assertAlmostEquals(fast.data[k]! / largest, effect / largest, 1e-2);
    });
  });
}

Deno.test("where differences grow again, runs go on to the end", async () => {
  // h' = tanh(3h + x): from the upper state, where a difference becomes 0.65 of itself at each step,
  // to the point between the two, where it becomes three times itself
  const input = (upper: number) =>
    Float64Array.from(
      { length: 24 },
      (_, t) => t === 0 ? 1.4 : t < 17 ? upper : t === 17 ? 0.001 - 3 * 0.8847672034356769 : 0,
    );
  const [own, from] = [-1.257, -1.2].map((upper) => new Tensor(input(upper), [1, 24, 1]));
  const make = (precision: "float32" | "float64") => {
    const layers = [simpleRnn({ units: 1 }), dense({ units: 1 })];
    const model = sequential(layers, { inputShape: [24, 1], precision });
    model.setWeights([[[1]], [[3]], [0], [[1]], [0]].map((weight) => tensor(weight)));
    return model;
  };
  const options = { ...quiet, from: from!, timestep: [9, 2, 3, 4] };
  const fast = await patchSweep(make("float32"), own!, { ...options, fast: true });
  const exact = await patchSweep(make("float64"), own!, options);
  exact.effects.data.forEach((effect, k) => {
    assert(effect > 0.04);
    assertAlmostEquals(fast.effects.data[k]!, effect, 2e-4); // float32 times 3 ** 7
  });
});

Deno.test("the growth of differences is that of the equation, and none where they shrink", () => {
  for (const a of [1.1, -1.2, 0.5]) {
    const x = new Tensor(new Float64Array(25), [1, 25, 1]);
    const states = [new Tensor(Float64Array.from({ length: 25 }, (_, t) => a ** t), [1, 25, 1])];
    const order = Array.from({ length: 25 }, (_, t) => t);
    const rest = new SharedInput({
      kind: "gated",
      cellName: "simpleRnn",
      units: 1,
      activation: { kind: 0, alpha: 0 },
      recurrentActivation: { kind: 0, alpha: 0 },
      kernel: Float32Array.of(1),
      recurrentKernel: Float32Array.of(a),
    }, 1);
    const fork = { x, states, order } as unknown as Fork;
    const growth = finish(growthEvery(8, rest, fork, 0, [Float64Array.of(1e-3)]));
    const grown = Math.max(1, Math.abs(a));
    assertEquals([...growth.keys()].sort((a, b) => a - b), [8, 16, 24]);
    for (const [at, times] of growth) {
      assertAlmostEquals(times / grown ** (25 - at), 1, 0.01, `${a} after ${at}`);
    }
  }
});

Deno.test("a signal in the midst of a float32 sweep leaves what is done, and NaN", async () => {
  const wide = sequential([lstm({ units: 96 }), dense({ units: 2 })], {
    inputShape: [60, 4],
    seed: 2,
  });
  const long = new Tensor(Float64Array.from({ length: 60 * 4 }, () => random.normal()), [1, 60, 4]);
  const options = { ...quiet, target: 0, sites: ["gates.forget"], fast: true } as const;
  const whole = await patchSweep(wide, long, options);
  const stoppedAfter = (times: number) => {
    const { signal } = new AbortController();
    let asked = 0;
    return Object.defineProperty(signal, "aborted", { get: () => ++asked > times });
  };
  const part = await patchSweep(wide, long, { ...options, signal: stoppedAfter(40) });
  const done = part.effects.data.filter((effect) => !Number.isNaN(effect)).length;
  assert(part.aborted && done > 0 && done < whole.effects.data.length, `${done}`);
  part.effects.data.forEach((effect, k) => {
    if (!Number.isNaN(effect)) assertEquals(effect, whole.effects.data[k]);
  });
  const few = { ...options, timestep: 0, unit: [0, 1, 2], signal: stoppedAfter(3) };
  const none = await patchSweep(wide, long, few); // of 8 pieces two are done
  assert(none.aborted && none.effects.data.every(Number.isNaN));
});
