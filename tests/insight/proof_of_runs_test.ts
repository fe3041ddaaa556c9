// Every judgement here is against a float32 program of the tests' own (float32_run.ts), as it should
// be or with something wrong in it (corruptions.ts).

import { prove } from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { corrupt } from "./corruptions.ts";
import { type CellKind, cellParts } from "./float32_cells.ts";
import { randomCase, runFloat32, type Sizes, smallModel, summations } from "./float32_run.ts";

/** The cells; a GRU's two forms in turn. */
const KINDS = {
  "LSTM": ["LSTM"],
  "GRU": ["GRU", "GRU, reset before"],
  "SimpleRNN": ["SimpleRNN"],
} as const satisfies Record<string, readonly CellKind[]>;

/** Sizes that differ from each other and from seed to seed; each so-manieth has 1 000 timesteps. */
function sizesOf(seed: number, kind: keyof typeof KINDS, every: number): Sizes {
  const long = seed % every === 0;
  const most = kind === "LSTM" ? 23 : 9;
  const kinds = KINDS[kind];
  return {
    cell: kinds[(seed >> 2) % kinds.length]!, // not in step with the corruptions
    batch: long ? 1 : 1 + seed % 4,
    timesteps: long ? 1000 : 2 + seed % most,
    inputSize: 1 + seed % 5,
    units: long ? 2 + seed % 7 : 1 + seed % 13,
    classes: 2 + seed % 4,
  };
}

type Run = ReturnType<typeof runFloat32>;

/** Every difference between two runs that is above a size, in the order of computation. */
function* partings(a: Run, b: Run, size: number, cell: CellKind) {
  const { gates, states } = cellParts[cell];
  const values = [...gates.map((gate) => `gates.${gate}`), ...states];
  const of = ({ layers: [layer] }: Run, value: string) =>
    value.split(".").reduce<unknown>(
      (part, key) => (part as Record<string, unknown>)[key],
      layer,
    ) as Run["prediction"];
  const [batch, timesteps, units] = a.layers[0]!.hiddenState.shape as [number, number, number];
  for (let timestep = 0; timestep < timesteps; timestep++) {
    for (const value of values) {
      const [mine, theirs] = [of(a, value).data, of(b, value).data];
      for (let sample = 0; sample < batch; sample++) {
        for (let unit = 0; unit < units; unit++) {
          const at = (sample * timesteps + timestep) * units + unit;
          const difference = Math.abs(mine[at]! - theirs[at]!);
          if (difference > size) yield { timestep, value, sample, unit };
        }
      }
    }
  }
}

for (const kind of ["LSTM", "GRU", "SimpleRNN"] as const) {
  const count = kind === "LSTM" ? 20 : 4;
  Deno.test(`${kind}: prove() raises no false alarm in 200 clean float32 runs, ${count} of them 1 000 timesteps long`, () => {
    const alarms: string[] = [];
    let longest = 0;
    for (let seed = 0; seed < 200; seed++) {
      const sizes = sizesOf(seed, kind, 200 / count);
      const { x, arrays } = randomCase(seed, sizes);
      const summation = summations[seed % summations.length]!;
      const theirs = runFloat32(x, arrays, { cell: sizes.cell!, summation });
      const model = smallModel(sizes, arrays);
      for (const expected of [theirs.prediction, theirs]) {
        const { verdict, sentence } = prove(model, x, { expected });
        if (verdict !== "rounding" && verdict !== "equal") {
          alarms.push(`seed ${seed}, ${summation}: ${sentence}`);
        }
      }
      if (sizes.timesteps === 1000) longest++;
    }
    assertEquals(alarms, []);
    assertEquals(longest, count);
  });

  Deno.test(`${kind}: prove() finds 200 of 200 corruptions, at the right place, and 200 of 200 in the prediction alone`, () => {
    // The same program ran twice, with and without the corruption: where the two runs part first is
    // where it is. Below 1e-7 that is one float32 rounding, above 2e-5 more than any here explains.
    let [inside, predictions] = [0, 0];
    for (let seed = 1000; inside < 200 || predictions < 200; seed++) {
      assert(seed < 1500, `${inside} and ${predictions} corruptions in 500 seeds`);
      const sizes = sizesOf(seed, kind, 50);
      const cell = sizes.cell!;
      const { x, arrays, random } = randomCase(seed, sizes);
      const corruption = corrupt(seed, arrays, sizes.timesteps, random, cell);
      const summation = summations[seed % summations.length]!;
      const clean = runFloat32(x, arrays, { cell, summation });
      const wrong = runFloat32(x, corruption.arrays, { cell, summation, ...corruption.program });
      const model = smallModel(sizes, arrays);
      const what = `seed ${seed}, ${cell}, ${corruption.what}`;

      const certain = partings(clean, wrong, 2e-5, cell).next().value;
      if (certain !== undefined && inside < 200) {
        const { verdict, place, sentence } = prove(model, x, { expected: wrong });
        assertEquals(verdict, "mismatch", what);
        assertEquals(place!.layer, model.layers[0]!.name, what);
        if (corruption.value !== undefined) assertEquals(place!.value, corruption.value, what);
        if (corruption.unit !== undefined) assertEquals(place!.unit, corruption.unit, what);
        assert(place!.timestep! <= certain.timestep, `${what}: ${sentence}`);
        const possible = [...partings(clean, wrong, 1e-7, cell)].some((parting) =>
          parting.timestep === place!.timestep && parting.value === place!.value &&
          parting.sample === place!.sample && parting.unit === place!.unit
        );
        assert(possible, `${what}: ${sentence}`);
        inside++;
      }

      if (predictions >= 200) continue;
      const { bound } = prove(model, x, { expected: clean.prediction });
      const moved = clean.prediction.data.map((p, k) => Math.abs(p - wrong.prediction.data[k]!));
      if (Math.max(...moved) > 2 * bound) {
        const { verdict, place } = prove(model, x, { expected: wrong.prediction });
        assertEquals([verdict, place?.value], ["mismatch", "prediction"], what);
        predictions++;
      }
    }
  });
}
