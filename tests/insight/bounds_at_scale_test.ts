// The bounds as prove() takes them, large rows at once, against the same equations by three loops and
// against the slopes of the functions themselves.

import {
  bidirectional,
  dense,
  getActivation,
  gru,
  lstm,
  type Model,
  prove,
  sequential,
  simpleRnn,
  Tensor,
  trace,
} from "@gatescope/lstm";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { finish } from "../../lib/base/work.ts";
import { assert, assertEquals } from "@std/assert";
import { networkOf } from "../../lib/model/model.ts";
import { productOfRun } from "../../lib/model/network.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { appliedErrors, growth, ownError } from "../../lib/values/bounds/activation_error.ts";
import { Bounds } from "../../lib/values/bounds/bounds.ts";

const random = seededRandom(3);
const normals = (...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
    shape,
  );

const models: Record<string, () => Model> = {
  "two LSTMs": () =>
    sequential([
      lstm({ units: 72, returnSequences: true }),
      lstm({ units: 67 }),
      dense({ units: 3 }),
    ], {
      inputShape: [6, 40],
      seed: 1,
    }),
  "a GRU in float64": () =>
    sequential(
      [gru({ units: 96, resetAfter: false }), dense({ units: 3, activation: "softmax" })],
      {
        inputShape: [6, 40],
        seed: 2,
        precision: "float64", // numbers that float32 cannot hold: the weights are off, too
      },
    ),
  "a SimpleRNN both ways": () =>
    sequential([bidirectional(simpleRnn({ units: 160 })), dense({ units: 3 })], {
      inputShape: [6, 70],
      seed: 3,
    }),
};

for (const [name, make] of Object.entries(models)) {
  Deno.test(`${name}: bounds by fast products are those of the three loops, to the last digits`, () => {
    const network = networkOf(make(), "test");
    const inputs = [normals(5, ...network.inputs[0]!.shape as number[])];
    let products = 0;
    const fast = productOfRun();
    const bounds = [
      new Bounds(),
      new Bounds(() => {}, (into, terms, ...more) => {
        const isDone = fast(into, terms, ...more);
        if (isDone) products += terms.length;
        return isDone;
      }),
    ];
    const results = bounds.map((o) => finish(network.walk(o, inputs)).outputs[0]!);
    const [judge, found] = results as [typeof results[0], typeof results[0]];
    assert(products > 20, `${products}`);
    const parts = ({ value, error, local, fresh }: typeof judge) => ({
      ...{ value, error, local },
      fresh: fresh!(),
    });
    for (const what of ["value", "error", "local", "fresh"] as const) {
      parts(judge)[what].forEach((expected, k) => {
        const off = Math.abs(parts(found)[what][k]! - expected);
        assert(off <= 1e-12 * Math.max(1e-3, Math.abs(expected)), `${what} ${k}: ${off}`);
      });
    }
    for (const element of [0, 2]) {
      const [most, least] = bounds.map((o, k) => finish(o.sensitivity(results[k]!, element)));
      most!.forEach((expected, k) => {
        assert(Math.abs(least![k]! / expected - 1) < 1e-12, `${element} ${k}`);
      });
    }
  });
}

Deno.test("what a gate's function may do to an error is as steep as it gets, and no steeper", () => {
  const x = Float64Array.from({ length: 2000 }, (_, k) => (k - 1000) / 60);
  for (const name of ["sigmoid", "tanh"] as const) {
    const f = getActivation(name);
    for (const e of [1e-9, 1e-7, 1e-5, 9e-4]) {
      const grown = growth(f, x, f(new Tensor(x, [2000])).data as typeof x, x.map(() => e), 2000);
      grown.forEach((found, k) => {
        const at = new Tensor(Float64Array.from([-1, -0.5, 0, 0.5, 1], (s) => x[k]! + s * e), [5]);
        const slopes = f.backward(at, new Tensor(new Float64Array(5).fill(1), [5])).data;
        const steepest = e * Math.max(...slopes);
        assert(found >= steepest * (1 - 1e-12), `${name} at ${x[k]}: ${found}, ${steepest}`);
        const room = steepest * 5 * e * e + e * 1e-15; // second order
        assert(found <= steepest * (1 + 1e-12) + room, `${name} at ${x[k]}: ${found}, ${steepest}`);
      });
    }
  }
});

Deno.test("what a gate's function makes of both errors in one go is its growth, and what it adds itself", () => {
  const value = Float64Array.from({ length: 200 }, () => 3 * random.normal());
  const error = value.map((_, k) => k % 7 === 0 ? 0 : 1e-6 * (k + 1));
  for (const name of ["sigmoid", "tanh"] as const) {
    const f = getActivation(name);
    const y = f(new Tensor(value, [200])).data as typeof value;
    const local = error.map((e) => e / 3);
    const found = appliedErrors(f, { value, error, local, shape: [2, 100] }, y);
    const own = ownError(f, value, y, 100);
    for (const [what, e] of [["error", error], ["local", local]] as const) {
      const grown = growth(f, value, y, e, 100);
      found[what].forEach((one, k) => {
        const expected = grown[k]! * (1 + 2 ** -18) + own[k]!;
        assert(Math.abs(one / expected - 1) < 1e-14, `${name} ${what} ${k}: ${one}, ${expected}`);
      });
    }
    assertEquals(found.fresh?.(), own);
  }
});

Deno.test("a proof keeps no values of its steps, and explains each of them all the same", () => {
  const model = sequential([lstm({ units: 3 }), dense({ units: 2 })], {
    inputShape: [7, 2],
    seed: 1,
  });
  const x = normals(2, 7, 2);
  const { layers: [own] } = trace(model, x);
  const proof = prove(model, x);
  const told = proof.explain({ value: "gates.forget", sample: 1, timestep: 4, unit: 2 });
  const numbers = proof.rows.reduce((sum, row) => sum + row.numbers, 0);
  assert(told.text.includes(own!.gates.forget.item(1, 4, 2).toPrecision(6).slice(0, 7)), told.text);
  // to explain is not to compare once more
  assertEquals(proof.rows.reduce((sum, row) => sum + row.numbers, 0), numbers);
});

Deno.test("what somebody else got holds on to nothing of the step that it stands for", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const o = new Bounds();
  const anchoredStep = (mask?: Float64Array<ArrayBuffer>) => {
    const z = o.affine([[o.given(normals(2, 3)), o.given(normals(3, 4))]]);
    return { step: new WeakRef(z), anchored: o.anchored(z, normals(2, 4).data, mask) };
  };
  const all = [anchoredStep(), anchoredStep(Float64Array.of(1, 0))];
  await new Promise((resolve) => setTimeout(resolve)); // until then, what a WeakRef gave stays
  collect();
  for (const { step, anchored } of all) {
    assertEquals(step.deref(), undefined);
    assertEquals(anchored.fresh?.().length, 8);
  }
});
