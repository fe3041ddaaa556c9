// How a prediction's time grows: a timestep costs the same in short and in long sequences, a sample
// the same in small and in large batches. `deno run --allow-all tests/bench/growth_bench.ts`

import { dense, lstm, sequential, Tensor } from "@gatescope/lstm";

const rounds = 7;
const sampleTime = 100; // ms
const wanted = 15; // per cent from the cheapest to the dearest

/** A prediction of random numbers, and how many times the thing that is counted is in it. */
interface Growing {
  readonly name: string;
  readonly count: number;
  readonly predict: () => unknown;
}

function growing(
  name: string,
  count: number,
  shape: readonly [number, number, number],
  units: number,
): Growing {
  const [, timesteps, inputSize] = shape;
  const layers = [lstm({ units }), dense({ units: 10, activation: "softmax" })];
  const model = sequential(layers, { inputShape: [timesteps, inputSize], seed: 1 });
  const length = shape.reduce((a, b) => a * b);
  const x = new Tensor(Float32Array.from({ length }, () => 2 * Math.random() - 1), shape);
  return { name, count, predict: () => model.predict(x) };
}

/** Microseconds a run: the quickest of all rounds, in turns. */
function quickest(all: readonly Growing[]): number[] {
  const best = all.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    all.forEach(({ predict }, k) => {
      const end = performance.now() + sampleTime;
      do {
        const start = performance.now();
        predict();
        best[k] = Math.min(best[k]!, (performance.now() - start) * 1000);
      } while (performance.now() < end);
    });
  }
  return best;
}

function report(what: string, all: readonly Growing[]): void {
  const each = quickest(all).map((time, k) => time / all[k]!.count);
  const spread = (Math.max(...each) / Math.min(...each) - 1) * 100;
  const listed = all.map(({ name }, k) => `${name}: ${each[k]!.toFixed(2)} µs`).join(", ");
  console.log(`${what}: ${listed}; ${spread.toFixed(0)} % apart, wanted within ${wanted}`);
}

report(
  "a timestep (batch 1, 64 units)",
  [10, 100, 1000, 10_000].map((T) => growing(`T ${T}`, T, [1, T, 32], 64)),
);
report(
  "a sample (10 timesteps, 256 units)",
  [8, 32, 128, 512].map((B) => growing(`B ${B}`, B, [B, 10, 128], 256)),
);
