// How far Keras's own float32 activations are off (activation_values.npz), and what becomes of an
// error on its way through one, against many tries.

import { getActivation, softmax, Tensor } from "@gatescope/lstm";
import { assert } from "@std/assert";
import { growth, ownError } from "../../lib/values/bounds/activation_error.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { fixturesOf, readArrays } from "../fixtures/fixtures.ts";

type Floats = Float64Array<ArrayBuffer>;

const [entry] = fixturesOf("activation_values");
const arrays = await readArrays(entry!.file);

Deno.test("every activation of Keras in float32 is within the error that is reckoned with", () => {
  let compared = 0;
  for (const { activation, activationOptions, array, input } of entry!.functions!) {
    // No layer has the first two; the third is not in Keras 3.
    if (["glu", "sparsemax", "hard_sigmoid_keras2"].includes(activation)) continue;
    const f = getActivation(activation, activationOptions);
    const x = new Tensor(Float64Array.from(arrays(input).data), arrays(input).shape);
    const y = f(x).data as Floats;
    const keras = arrays(`${array}_float32`).data;
    const own = ownError(f, x.data as Floats, y, x.shape.at(-1)!);
    keras.forEach((theirs, k) => {
      const exact = x.data[k] === Math.fround(x.data[k]!);
      if (!exact || !Number.isFinite(theirs)) return;
      compared++;
      const off = Math.abs(theirs - y[k]!);
      assert(off <= own[k]!, `${array} at ${x.data[k]}: off by ${off}, reckoned ${own[k]}`);
    });
  }
  assert(compared > 1000, `${compared}`);
});

Deno.test("no argument within its error leads further away than growth() says", () => {
  const random = seededRandom(1);
  for (const { activation, activationOptions } of entry!.functions!) {
    if (activation === "glu" || activation === "sparsemax") continue;
    const f = getActivation(activation, activationOptions);
    for (const size of [1e-7, 1e-5, 1e-3]) {
      const x = Float64Array.from({ length: 40 }, () => random.normal() * 3);
      const error = x.map(() => size * random.uniform());
      const values = (at: Floats) => f(new Tensor(at, [8, 5])).data as Floats;
      const y = values(x);
      const most = growth(f, x, y, error, 5);
      for (let tries = 0; tries < 50; tries++) {
        const moved = values(x.map((v, k) => v + error[k]! * (2 * random.uniform() - 1)));
        moved.forEach((v, k) => {
          const off = Math.abs(v - y[k]!);
          assert(
            off <= most[k]! * (1 + 1e-9) + 1e-15,
            `${activation} at ${x[k]}: ${off}, ${most[k]}`,
          );
        });
      }
    }
  }
});

Deno.test("of a softmax the farthest is reached, and not passed, however large the errors", () => {
  const logits = Float64Array.of(0.5, -1, 2);
  for (const size of [1e-6, 0.1, 5]) {
    const error = Float64Array.of(size, size, size);
    const p = softmax(new Tensor(logits, [3])).data as Floats;
    const most = growth(getActivation("softmax"), logits, p, error, 3);
    const ends = [-size, size];
    const reached = p.map(() => 0);
    for (const a of ends) {
      for (const b of ends) {
        for (const c of ends) {
          const q = softmax([0.5 + a, -1 + b, 2 + c]).data;
          q.forEach((v, k) => reached[k] = Math.max(reached[k]!, Math.abs(v - p[k]!)));
        }
      }
    }
    reached.forEach((r, k) =>
      assert(Math.abs(most[k]! / r - 1) < 1e-6, `${size}: ${most[k]} ${r}`)
    );
  }
});
