// Interventions and sweeps where an LSTM's timesteps and samples are not the input's: against the
// model written out, LSTM by LSTM, whose values are changed by hand. Tolerance 1e-12 of the same
// float64; 1e-6 where a prediction is float32.

import {
  attribute,
  bidirectional,
  dense,
  gateView,
  type Layer,
  lstm,
  lstmForward,
  memory,
  patchSweep,
  prove,
  sequential,
  type SiteName,
  siteNames,
  Tensor,
  timeDistributed,
  trace,
} from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { valueAt } from "../../lib/cells/sites.ts";
import { seededRandom } from "../../lib/tensor/random.ts";

const random = seededRandom(23);
const numbers = (...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );

/** A value put in by hand: in the k-th LSTM, counted as trace.layers are. */
interface Edit {
  readonly lstm: number;
  readonly site: SiteName;
  readonly timestep: number;
  readonly unit: number;
  /** Of the LSTM's own samples. */
  readonly samples?: readonly number[];
  readonly to: (sample: number) => number;
}

/** Runs one LSTM with the next weights, and the edit where it is its own. */
class Hand {
  #lstm = 0;
  #at = 0;
  constructor(readonly weights: readonly Tensor[], readonly edit: Edit | undefined) {}

  next(): Tensor {
    return this.weights[this.#at++]!;
  }

  /** All hidden states, in the order of the input. */
  lstm(x: Tensor, goBackwards = false): Tensor {
    const own = this.#lstm++ === this.edit?.lstm ? this.edit : undefined;
    const [kernel, recurrentKernel, bias] = [this.next(), this.next(), this.next()];
    return lstmForward(x, { kernel, recurrentKernel, bias }, {
      goBackwards,
      listen: (value, { site, timestep }) => {
        if (own?.site !== site || own.timestep !== timestep) return value;
        const [batch, units] = value.shape as [number, number];
        const data = Float64Array.from(value.data);
        for (const n of own.samples ?? Array.from({ length: batch }, (_, n) => n)) {
          data[n * units + own.unit] = own.to(n);
        }
        return new Tensor(data, value.shape);
      },
    }).hiddenState;
  }

  /** x·W + b of the last axis. */
  dense(x: Tensor): Tensor {
    const [W, b] = [this.next(), this.next()];
    const [rows, columns] = W.shape as [number, number];
    const result = new Float64Array(x.data.length / rows * columns);
    for (let k = 0; k < result.length; k++) {
      const [row, column] = [Math.floor(k / columns), k % columns];
      result[k] = b.item(column);
      for (let j = 0; j < rows; j++) result[k]! += x.data[row * rows + j]! * W.item(j, column);
    }
    return new Tensor(result, [...x.shape.slice(0, -1), columns]);
  }
}

/** Side by side in the last axis. */
function joined(a: Tensor, b: Tensor): Tensor {
  const [m, n] = [a.shape.at(-1)!, b.shape.at(-1)!];
  const data = new Float64Array(a.data.length + b.data.length);
  for (let row = 0; row < a.data.length / m; row++) {
    data.set(a.data.subarray(row * m, (row + 1) * m), row * (m + n));
    data.set(b.data.subarray(row * n, (row + 1) * n), row * (m + n) + m);
  }
  return new Tensor(data, [...a.shape.slice(0, -1), m + n]);
}

/** `[batch, timesteps, …]` to `[batch·timesteps, …]`. */
const flat = (x: Tensor) => x.reshape([x.shape[0]! * x.shape[1]!, ...x.shape.slice(2)]);
const last = (h: Tensor) => h.select(1, h.shape[1]! - 1);

interface Case {
  readonly name: string;
  readonly layers: () => Layer[];
  readonly inputShape: readonly (number | null)[];
  readonly x: Tensor;
  readonly names: readonly string[];
  readonly run: (hand: Hand, x: Tensor) => Tensor;
}

const cases: Case[] = [
  {
    name: "stacked, Bidirectional between, the last one backwards",
    layers: () => [
      lstm({ units: 3, returnSequences: true }),
      bidirectional(lstm({ units: 2, returnSequences: true })),
      lstm({ units: 2, goBackwards: true, name: "end" }),
      dense({ units: 2 }),
    ],
    inputShape: [null, 2],
    x: numbers(2, 4, 2),
    names: ["lstm", "bidirectional/forward_layer", "bidirectional/backward_layer", "end"],
    run: (hand, x) => {
      const h = hand.lstm(x);
      const both = joined(hand.lstm(h), hand.lstm(h, true));
      return hand.dense(hand.lstm(both, true).select(1, 0));
    },
  },
  {
    name: "inside TimeDistributed, an LSTM over its results",
    layers: () => [
      timeDistributed(lstm({ units: 3 }), { name: "time_distributed_b" }),
      lstm({ units: 2, name: "end" }),
      dense({ units: 2 }),
    ],
    inputShape: [3, 4, 2],
    x: numbers(2, 3, 4, 2),
    names: ["time_distributed_b", "end"],
    run: (hand, x) => hand.dense(last(hand.lstm(last(hand.lstm(flat(x))).reshape([2, 3, 3])))),
  },
  {
    name: "a Bidirectional inside TimeDistributed, of open lengths",
    layers: () => [
      timeDistributed(bidirectional(lstm({ units: 2 })), { name: "time_distributed" }),
      lstm({ units: 2, name: "end" }),
      dense({ units: 1 }),
    ],
    inputShape: [null, null, 2],
    x: numbers(2, 3, 5, 2),
    names: ["time_distributed/forward_layer", "time_distributed/backward_layer", "end"],
    run: (hand, x) => {
      const ahead = last(hand.lstm(flat(x)));
      const back = hand.lstm(flat(x), true).select(1, 0);
      return hand.dense(last(hand.lstm(joined(ahead, back).reshape([2, 3, 4]))));
    },
  },
  {
    name: "TimeDistributed inside of TimeDistributed",
    layers: () => [
      timeDistributed(timeDistributed(lstm({ units: 2 })), { name: "time_distributed_a" }),
      timeDistributed(lstm({ units: 3 }), { name: "time_distributed_b" }),
      lstm({ units: 2, name: "end" }),
      dense({ units: 2 }),
    ],
    inputShape: [2, 3, 4, 2],
    x: numbers(2, 2, 3, 4, 2),
    names: ["time_distributed_a", "time_distributed_b", "end"],
    run: (hand, x) => {
      const inner = last(hand.lstm(flat(flat(x)))).reshape([4, 3, 2]);
      return hand.dense(last(hand.lstm(last(hand.lstm(inner)).reshape([2, 2, 3]))));
    },
  },
];

for (const { name, layers, inputShape, x, names, run } of cases) {
  const model = sequential(layers(), { inputShape, seed: 8, precision: "float64" });
  const byHand = (edit?: Edit) => run(new Hand(model.getWeights(), edit), x);
  const whole = trace(model, x);
  const close = (a: Tensor, b: Tensor, tolerance: number) =>
    a.data.forEach((value, k) => assertAlmostEquals(value, b.data[k]!, tolerance));

  Deno.test(`${name}: the model is as written out, and each LSTM has its own name`, () => {
    assertEquals(whole.names, names);
    close(model.predict(x), byHand(), 1e-6);
    assert(["equal", "rounding"].includes(prove(model, x).verdict));
  });

  Deno.test(`${name}: an intervention does what it does by hand`, () => {
    for (const [k, layer] of whole.layers.entries()) {
      const [samples, timesteps, units] = layer.cellState.shape as [number, number, number];
      for (const site of siteNames) {
        for (let timestep = 0; timestep < timesteps; timestep++) {
          const at = { layer: names[k]!, unit: units - 1, timestep, sample: samples - 1 };
          const edit = { lstm: k, site, timestep, unit: units - 1, samples: [samples - 1] };
          const held = trace(model, x, { interventions: [{ set: site, to: 0.75, ...at }] });
          close(held.prediction, byHand({ ...edit, to: () => 0.75 }), 1e-6);
          const fromEnd = { unit: -1, timestep: timestep - timesteps, sample: -1, layer: k };
          const same = trace(model, x, { interventions: [{ set: site, to: 0.75, ...fromEnd }] });
          assertEquals(same.prediction, held.prediction);
        }
      }
      const beyond = (place: object, message: string) =>
        assertThrows(
          () => trace(model, x, { interventions: [{ ablate: "cellState", layer: k, ...place }] }),
          RangeError,
          message,
        );
      beyond({ timestep: timesteps }, `timesteps 0 to ${timesteps - 1}`);
      beyond({ timestep: -timesteps - 1 }, `timesteps 0 to ${timesteps - 1}`);
      beyond({ sample: samples }, `samples 0 to ${samples - 1}`);
      beyond({ unit: 0.5 }, `units 0 to ${units - 1}`);
    }
  });

  Deno.test(`${name}: a sweep's effects are those of each change by hand`, async () => {
    const before = byHand();
    const from = new Tensor(Float64Array.from(x.data, (v) => 1 - v), x.shape);
    const other = trace(model, from);
    const target = before.shape[1]! - 1;
    let largest = 0;
    for (const [k, layer] of names.entries()) {
      const [, timesteps, units] = whole.layers[k]!.cellState.shape as [number, number, number];
      for (const source of [undefined, from]) {
        const options = { layer, target: -1, verbose: false, ...(source && { from: source }) };
        const { effects } = await patchSweep(model, x, options);
        assertEquals(effects.shape, [6, timesteps, units]);
        for (const [s, site] of siteNames.entries()) {
          const values = valueAt(other.layers[k]!, site);
          for (let timestep = 0; timestep < timesteps; timestep++) {
            for (let unit = 0; unit < units; unit++) {
              const to = (n: number) => source === undefined ? 0 : values.item(n, timestep, unit);
              const after = byHand({ lstm: k, site, timestep, unit, to });
              const change = [0, 1].map((n) => after.item(n, target) - before.item(n, target));
              const mean = (change[0]! + change[1]!) / 2;
              assertAlmostEquals(effects.item(s, timestep, unit), mean, 1e-12);
              largest = Math.max(largest, Math.abs(mean));
            }
          }
        }
        const ends = await patchSweep(model, x, {
          ...options,
          timestep: -1,
          unit: [-1, units - 1],
        });
        assertEquals([ends.timesteps, ends.units], [[timesteps - 1], [units - 1]]);
        assertEquals(ends.effects.item(5, 0, 0), effects.item(5, timesteps - 1, units - 1));
      }
    }
    assert(largest > 1e-3);
  });

  Deno.test(`${name}: an estimate is the slope by hand`, async () => {
    for (const [k, layer] of names.entries()) {
      const options = { layer, target: 0, estimate: true, verbose: false };
      const [, timesteps, units] = whole.layers[k]!.cellState.shape as [number, number, number];
      const { effects } = await patchSweep(model, x, options);
      for (const [s, site] of siteNames.entries()) {
        const values = valueAt(whole.layers[k]!, site);
        for (const [timestep, unit] of [[0, 0], [timesteps - 1, units - 1]] as const) {
          const moved = (by: number) => {
            const to = (n: number) => values.item(n, timestep, unit) * (1 + by);
            const { data, shape } = byHand({ lstm: k, site, timestep, unit, to });
            return (data[0]! + data[shape[1]!]!) / 2;
          };
          const slope = (moved(-1e-5) - moved(1e-5)) / 2e-5; // towards 0
          assertAlmostEquals(effects.item(s, timestep, unit), slope, 1e-8);
        }
      }
    }
  });
}

Deno.test("two ways to say one unit are one: it is scaled once", () => {
  const model = sequential([lstm({ units: 2 })], { inputShape: [2, 1], seed: 1 });
  const once = { scale: "gates.output", by: 0.5, unit: 1 } as const;
  const twice = { scale: "gates.output", by: 0.5, unit: [1, -1], timestep: [0, 1, -1] } as const;
  const found = [once, twice].map((one) =>
    trace(model, [[[1], [2]]], { interventions: [one] }).prediction
  );
  assertEquals(found[0], found[1]);
});

Deno.test("-1 is the last sample, unit, timestep and output, wherever one is asked for", () => {
  const layers = [lstm({ units: 3 }), dense({ units: 2, activation: "softmax" })];
  const model = sequential(layers, { inputShape: [4, 2], seed: 3 });
  const x = numbers(2, 4, 2);
  assertEquals(attribute(model, x, { target: -1 }).target, 1);
  assertEquals(attribute(model, x, { target: -1 }).logit, attribute(model, x, { target: 1 }).logit);
  const { layers: [layer] } = trace(model, x);
  const shown = (sample: number) => JSON.stringify(gateView(layer!, { sample }).data);
  assertEquals(shown(-1), shown(1));
  assert(shown(-1) !== shown(0));
  assertEquals(memory(layer!, { units: [-1] }).derivativeUnits, [2]);
  const { explain } = prove(model, x);
  const place = { layer: "lstm", value: "hiddenState" } as const;
  assertEquals(
    explain({ ...place, sample: -1, timestep: -2, unit: -3 }).text,
    explain({ ...place, sample: 1, timestep: 2, unit: 0 }).text,
  );
  for (const index of [2, -3, 0.5, NaN, "1" as unknown as number]) {
    assertThrows(() => attribute(model, x, { target: index }), RangeError, "outputs 0 to 1");
    assertThrows(() => gateView(layer!, { sample: index }), RangeError, "samples 0 to 1");
    assertThrows(() => explain({ ...place, sample: index }), RangeError, "samples 0 to 1");
    const { heatmap } = attribute(model, x, { target: 0 });
    assertThrows(() => heatmap({ sample: index }), RangeError, "samples 0 to 1");
    const { curves } = memory(layer!);
    assertThrows(() => curves({ sample: index }), RangeError, "samples 0 to 1");
  }
});
