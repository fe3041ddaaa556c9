// Masked steps: what the fast path computes there, recorded, against the equations.

import {
  bidirectional,
  dense,
  gradients,
  gru,
  type Layer,
  type LayerTrace,
  lstm,
  masking,
  prove,
  sequential,
  simpleRnn,
  softmax,
  Tensor,
  trace,
} from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../lib/tensor/random.ts";

type Maker = (options: Parameters<typeof simpleRnn>[0]) => Parameters<typeof bidirectional>[0];
const others: readonly Maker[] = [
  gru,
  (options) => gru({ ...options, resetAfter: false }),
  simpleRnn,
];

/** Stacks of one to three layers in every form, with padding at the start, at the end, or holes. */
function maskedCase(seed: number, makers: readonly Maker[]) {
  const random = seededRandom(seed);
  const pick = (count: number) => Math.floor(random.uniform() * count);
  const flag = () => random.uniform() < 0.5;
  const [batch, timesteps, size] = [1 + pick(3), 2 + pick(12), 1 + pick(3)];
  const depth = 1 + pick(3);
  const layers: Layer[] = [masking()];
  for (let k = 0; k < depth; k++) {
    const options = { units: 1 + pick(5), returnSequences: k < depth - 1 || flag() };
    const mergeMode = (["concat", "sum", "ave", "mul"] as const)[pick(4)]!;
    const make = makers[makers.length === 1 ? 0 : pick(makers.length)]!;
    const activation = (["tanh", "relu", "softsign"] as const)[pick(3)]!;
    layers.push(
      pick(3) === 0
        ? bidirectional(make(options), { mergeMode })
        : make({ ...options, goBackwards: flag(), zeroOutputForMask: flag(), activation }),
    );
  }
  if (flag()) layers.push(dense({ units: 2, activation: "softmax" }));
  const data = Float32Array.from({ length: batch * timesteps * size }, () => random.normal());
  const where = pick(4);
  for (let n = 0; n < batch; n++) {
    const cut = pick(timesteps + 1);
    for (let t = 0; t < timesteps; t++) {
      const padded = [t < cut, t >= cut, flag(), false][where]!;
      const at = (n * timesteps + t) * size;
      if (padded) data.fill(0, at, at + size);
    }
  }
  const model = sequential(layers, { inputShape: [timesteps, size], seed });
  return { model, x: new Tensor(data, [batch, timesteps, size]) };
}

const tensorsOf = ({ gates, cellState, hiddenState }: LayerTrace) =>
  [...Object.values(gates) as Tensor[], cellState, hiddenState]
    .filter((tensor) => tensor !== undefined);

/** LSTMs alone, then the other cells, each layer its own. */
const CASES = [
  ...Array.from({ length: 100 }, (_, seed) => ({ seed, makers: [lstm] as readonly Maker[] })),
  ...Array.from({ length: 100 }, (_, seed) => ({ seed, makers: others })),
];

Deno.test("prove() finds nothing but rounding in what 200 random masked models predict and record", () => {
  for (const { seed, makers } of CASES) {
    const { model, x } = maskedCase(seed, makers);
    const { verdict, sentence } = prove(model, x);
    assert(verdict === "rounding" || verdict === "equal", `seed ${seed}: ${sentence}`);
    const prediction = prove(model, x, { expected: model.predict(x) });
    assert(prediction.verdict !== "mismatch", `seed ${seed}: ${prediction.sentence}`);
  }
});

Deno.test("a fast trace of a masked model is in float32, each gate and state within 1e-6 of the equations", () => {
  for (const { seed, makers } of CASES) {
    const { model, x } = maskedCase(seed, makers);
    const equations = trace(model, x).layers;
    trace(model, x, { fast: true }).layers.forEach((layer, k) => {
      assert(layer.hiddenState.data instanceof Float32Array);
      const expected = tensorsOf(equations[k]!);
      tensorsOf(layer).forEach((values, site) =>
        values.data.forEach((value, at) => {
          const off = Math.abs(value - expected[site]!.data[at]!) / Math.max(1, Math.abs(value));
          assert(off <= 1e-6, `seed ${seed}, layer ${k}, ${site}: ${off}`);
        })
      );
    });
  }
});

Deno.test("at a masked step, a state that is not the one before is a mismatch there", () => {
  const model = sequential([masking(), lstm({ units: 3 })], { inputShape: [4, 2], seed: 1 });
  const x = [[[1, 2], [0, 0], [3, 4], [0, 0]]];
  const [layer] = trace(model, x).layers;
  for (const timestep of [1, 3]) {
    const data = layer!.cellState.data.slice();
    data[timestep * 3 + 2]! += 1e-4;
    const cellState = new Tensor(data, [1, 4, 3]);
    const { verdict, place } = prove(model, x, { expected: { layers: [{ ...layer, cellState }] } });
    assertEquals(
      [verdict, place?.value, place?.timestep, place?.unit],
      ["mismatch", "cellState", timestep, 2],
    );
  }
});

Deno.test("what a gate would have been at a masked step is nobody's business; elsewhere it is", () => {
  const model = sequential([masking(), lstm({ units: 3 })], { inputShape: [4, 2], seed: 1 });
  const x = [[[1, 2], [0, 0], [3, 4], [0, 0]]];
  const [layer] = trace(model, x).layers;
  for (const gate of ["input", "forget", "candidate", "output"] as const) {
    for (const timestep of [0, 1, 2, 3]) {
      const data = layer!.gates[gate].data.slice();
      data[timestep * 3 + 1]! += 0.3;
      const gates = { ...layer!.gates, [gate]: new Tensor(data, [1, 4, 3]) };
      const { verdict } = prove(model, x, { expected: { layers: [{ ...layer, gates }] } });
      const masked = timestep % 2 === 1;
      assertEquals(verdict === "mismatch", !masked, `${gate} at ${timestep}: ${verdict}`);
    }
  }
});

Deno.test("a softmax of 150 000 classes is computed, traced, trained and proved", () => {
  const units = 150_000;
  const layers = [lstm({ units: 2 }), dense({ units, activation: "softmax" })];
  const model = sequential(layers, { inputShape: [2, 1], seed: 1 });
  const x = [[[1], [2]]];
  assertEquals(softmax(new Float64Array(units)).item(7), 1 / units);
  assertEquals(trace(model, x).prediction.shape, [1, units]);
  assertEquals(
    gradients(model, x, [3], { loss: "sparse_categorical_crossentropy" }).at(-1)?.shape,
    [units],
  );
  assertEquals(prove(model, x).verdict, "rounding");
});
