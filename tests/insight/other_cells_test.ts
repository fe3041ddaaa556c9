// Proof, comparison, patches and interventions of GRU and SimpleRNN.

import * as g from "@gatescope/lstm";
import { assert, assertEquals, assertThrows } from "@std/assert";

const x = g.arange(24).reshape([3, 4, 2]);

const LAYERS = {
  GRU: () => g.gru({ units: 3 }),
  "GRU, reset before": () => g.gru({ units: 3, resetAfter: false }),
  SimpleRNN: () => g.simpleRnn({ units: 3 }),
};

for (const [name, make] of Object.entries(LAYERS)) {
  const model = g.sequential([make(), g.dense({ units: 2 })], { inputShape: [4, 2], seed: 1 });
  const whole = g.trace(model, x);

  Deno.test(`${name}: a changed number is found by prove and compare, where it is`, () => {
    const { hiddenState, gates } = whole.layers[0]!;
    const data = Float64Array.from(hiddenState.data);
    data[1 * 12 + 2 * 3 + 1]! += 0.01; // sample 1, timestep 2, unit 1
    const changed = { gates, hiddenState: g.tensor(data, [3, 4, 3]) };
    const { verdict, place } = g.prove(model, x, { expected: { layers: [changed] } });
    assertEquals([verdict, place!.value, place!.sample, place!.timestep, place!.unit], [
      "mismatch",
      "hiddenState",
      1,
      2,
      1,
    ]);
    const { firstDivergence } = g.compare(whole, {
      ...whole,
      layers: [{ ...whole.layers[0]!, ...changed }],
    });
    assertEquals([firstDivergence!.site, firstDivergence!.timestep], ["hiddenState", 2]);
  });

  Deno.test(`${name}: an estimated patch is the exact one's slope, at its own sites`, async () => {
    const options = { target: 0, verbose: false };
    const [exact, about] = [
      await g.patchSweep(model, g.multiply(x, 0.01), options),
      await g.patchSweep(model, g.multiply(x, 0.01), { ...options, estimate: true }),
    ];
    assertEquals(exact.sites, about.sites);
    assert(exact.sites.includes("hiddenState") && !exact.sites.includes("cellState"));
    const last = exact.effects.select(0, -1).select(0, -1); // hiddenState at the last step: linear
    last.data.forEach((e, k) => {
      const found = about.effects.select(0, -1).select(0, -1).data[k]!;
      assert(Math.abs(found - e) < 1e-6, `${found} ${e}`);
    });
  });
}

Deno.test("an update gate set to 1 keeps h, and a site that a GRU has not is refused", () => {
  const model = g.sequential([LAYERS.GRU()], { inputShape: [4, 2], seed: 1 });
  const interventions = [{ set: "gates.update", to: 1 }] as const;
  const { layers } = g.trace(model, x, { interventions });
  assert(layers[0]!.hiddenState.data.every((h) => h === 0));
  assertThrows(
    () => g.trace(model, x, { interventions: [{ ablate: "cellState" }] }),
    RangeError,
    "the site must be one of gru",
  );
});

Deno.test("a GRU's candidate is explained by its terms, which sum to it", () => {
  const model = g.sequential([LAYERS.GRU()], { inputShape: [4, 2], seed: 1 });
  const { text } = g.prove(model, x).explain({ value: "gates.candidate", timestep: 2 });
  for (const part of ["W[0, 6]", "U[0, 6]", "the sum of h", "h̃ = tanh(the sum)"]) {
    assert(text.includes(part), text);
  }
});

for (const [name, make] of Object.entries(LAYERS)) {
  Deno.test(`${name} in Bidirectional, TimeDistributed, masks and layers: traced, proved, explained, intervened in`, () => {
    const sequences = () => g.gru({ units: 3, returnSequences: true });
    const cases: Record<string, [g.Layer[], g.Tensor]> = {
      both: [[g.bidirectional(make() as g.RecurrentLayer), g.dense({ units: 2 })], x],
      masked: [[g.masking({ maskValue: 0 }), sequences(), make(), g.dense({ units: 2 })], x],
      distributed: [[g.timeDistributed(make()), g.dense({ units: 2 })], x.reshape([3, 2, 2, 2])],
    };
    for (const [around, [layers, input]] of Object.entries(cases)) {
      const inputShape = input.shape.slice(1);
      const model = g.sequential(layers, { inputShape, seed: 1 });
      const own = g.trace<g.CellTrace>(model, input);
      for (const [k, layer] of own.names.entries()) {
        const { hiddenState } = own.layers[k]!;
        const interventions = [{ set: "hiddenState", to: hiddenState, layer }] as const;
        const same = g.trace<g.CellTrace>(model, input, { interventions }); // its own values put in
        assertEquals(same.prediction, own.prediction, around);
        const changed = g.trace<g.CellTrace>(model, input, {
          interventions: [{ set: "hiddenState", to: 0.5, unit: 1, layer }],
        });
        const { firstDivergence } = g.compare(changed, own, { atol: 1e-9 });
        assertEquals([firstDivergence!.layer, firstDivergence!.site], [layer, "hiddenState"]);
      }
      const proof = g.prove(model, input, { expected: model.predict(input) });
      assert(["equal", "rounding"].includes(proof.verdict), `${around}: ${proof.sentence}`);
      const { text } = proof.explain({ value: "hiddenState", layer: own.names.at(-1)! });
      assert(/h = /.test(text), text);
    }
  });
}
