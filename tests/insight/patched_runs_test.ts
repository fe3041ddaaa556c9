// Runs that leave the model's own at the step of their patch, against interventions from the first step.

import {
  concatenate,
  dense,
  functional,
  gru,
  input,
  lstm,
  masking,
  type Model,
  patchSweep,
  sequential,
  simpleRnn,
  Tensor,
} from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import type { SiteListener } from "../../lib/cells/sites.ts";
import { networkOf } from "../../lib/model/model.ts";
import { seededRandom } from "../../lib/tensor/random.ts";

const random = seededRandom(9);
const x = new Tensor(Float64Array.from({ length: 2 * 6 * 3 }, () => random.normal()), [2, 6, 3]);
x.data.fill(0, 30); // masked steps at the end of the last sample

const models: Record<string, (precision: "float32" | "float64") => Model> = {
  "between two LSTMs, backwards": (precision) =>
    sequential([
      lstm({ units: 3, returnSequences: true }),
      lstm({ units: 4, returnSequences: true, goBackwards: true, name: "patched" }),
      lstm({ units: 3 }),
      dense({ units: 2 }),
    ], { inputShape: [6, 3], seed: 1, precision }),
  "a GRU beside what knows nothing of it": (precision) => {
    const whole = input([6, 3]);
    const both = [
      gru({ units: 4, name: "patched" }).apply(whole),
      simpleRnn({ units: 3 }).apply(whole),
    ];
    const output = dense({ units: 2, activation: "softmax" }).apply(concatenate().apply(both));
    return functional(whole, output, { seed: 2, precision });
  },
  "a SimpleRNN, backwards": (precision) =>
    sequential([simpleRnn({ units: 4, goBackwards: true, name: "patched" }), dense({ units: 2 })], {
      inputShape: [6, 3],
      seed: 3,
      precision,
    }),
  "under a mask": (precision) =>
    sequential([masking(), lstm({ units: 4, name: "patched" }), dense({ units: 2 })], {
      inputShape: [6, 3],
      seed: 4,
      precision,
    }),
};

for (const [name, make] of Object.entries(models)) {
  Deno.test(`${name}: each effect is that of an intervention, in float64 and fast`, async () => {
    const model = make("float64");
    const network = networkOf(model, "test");
    const prediction = network.forward([x]).output; // trace() gives it in float32
    const options = { layer: "patched", target: 1, verbose: false } as const;
    const { effects, sites, precision } = await patchSweep(model, x, options);
    assertEquals(precision, "float64");
    const expected = sites.flatMap((ablated) =>
      Array.from({ length: 6 * 4 }, (_, k) => {
        const listen: SiteListener = (value, { site, timestep }) =>
          site === ablated && timestep === Math.floor(k / 4)
            ? new Tensor(value.data.map((v, n) => n % 4 === k % 4 ? 0 : v), value.shape)
            : value;
        const { output } = network.forward([x], { listeners: new Map([["patched", listen]]) });
        return [0, 1].reduce((sum, n) => sum + output.item(n, 1) - prediction.item(n, 1), 0) / 2;
      })
    );
    assert(expected.some((effect) => Math.abs(effect) > 1e-3));
    expected.forEach((effect, k) => assert(Math.abs(effects.data[k]! - effect) < 1e-12, `${k}`));

    const single = make("float32");
    single.setWeights(model.getWeights());
    const slow = await patchSweep(single, x, options);
    const fast = await patchSweep(single, x, { ...options, fast: true });
    assertEquals(slow.precision, "float64");
    assertEquals(fast.precision, name === "under a mask" ? "float64" : "float32");
    slow.effects.data.forEach((effect, k) => {
      assert(Math.abs(fast.effects.data[k]! - effect) < 1e-6, `${k}: ${fast.effects.data[k]}`);
    });
  });
}

Deno.test("a patch that changes nothing has no effect to the bit, fast too", async () => {
  const model = models["a GRU beside what knows nothing of it"]!("float32");
  const { effects } = await patchSweep(model, x, {
    layer: "patched",
    target: 0,
    from: x,
    fast: true,
    verbose: false,
  });
  assert(effects.data.every((effect) => effect === 0));
});
