// The fast activations against lib/values/activations.ts in float64, over the whole range of
// float32: each thousandth bit pattern or so, both signs, and every special number.
//
// Tolerances, as measured on both builds: an ulp is the distance of the float32 numbers around the
// exact value. Results below 2^-126 may come out as 0, as in Keras.

import { type ActivationName, getActivation } from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { fastActivation, fastActivationNames } from "../../lib/compute/activations.ts";
import { Arena } from "../../lib/compute/arena.ts";
import { type Build, instantiate } from "../../lib/compute/engine.ts";

const SMALLEST = 2 ** -126;
const builds: Build[] = ["relaxed-simd", "simd"];

/** The largest errors that the documentation promises. */
const accuracy: Record<string, { ulp: number; absolute: number }> = {
  linear: { ulp: 0, absolute: 0 },
  sigmoid: { ulp: 2.2, absolute: 9e-8 },
  tanh: { ulp: 2.5, absolute: 1.5e-7 },
  relu: { ulp: 0, absolute: 0 },
  hard_sigmoid: { ulp: 1, absolute: 6e-8 },
  hard_sigmoid_keras2: { ulp: Infinity, absolute: 6e-8 }, // 0.2x + 0.5 cancels near −2.5
  relu6: { ulp: 0, absolute: 0 },
  hard_tanh: { ulp: 0, absolute: 0 },
  softsign: { ulp: 1.51, absolute: 9e-8 },
  leaky_relu: { ulp: 0.7, absolute: Infinity },
  elu: { ulp: 1.1, absolute: Infinity },
  selu: { ulp: 2.1, absolute: Infinity },
  exponential: { ulp: 1.1, absolute: Infinity },
};

/** Each of these patterns is a float32; 4099 is prime. */
function floats(): Float32Array {
  const patterns = Uint32Array.from({ length: 2 ** 20 }, (_, k) => Math.imul(k, 4099));
  return new Float32Array(patterns.buffer).filter((x) => !Number.isNaN(x));
}

/** Where activations bend, and where e^x leaves float32. */
function bends(): Float32Array {
  return Float32Array.from({ length: 400_001 }, (_, k) => (k - 200_000) / 2000);
}

/** Sixteen numbers at a time and the rest four at a time, or all of them four at a time. */
function apply(build: Build, name: string, x: Float32Array, together = x.length): Float32Array {
  const arena = new Arena(build);
  const { kind, alpha } = fastActivation(name)!;
  const room = Math.ceil(x.length / 4) * 4;
  const address = arena.reserve(2 * room * 4);
  arena.floats.set(x, address / 4);
  for (let k = 0; k < x.length; k += together) {
    const from = address + k * 4;
    const count = Math.min(together, x.length - k);
    arena.engine.activateArray(kind, from, from + room * 4, count, alpha);
  }
  return arena.floats.slice(address / 4 + room, address / 4 + room + x.length);
}

/** How far float32 numbers are from each other around `value`. */
function ulp(value: number): number {
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(value), SMALLEST)));
  return 2 ** (Math.min(exponent, 127) - 23);
}

const names = fastActivationNames.filter((name) => name !== "softmax");

for (const build of builds) {
  for (const name of names) {
    const promised = accuracy[name]!;
    Deno.test(`${name}, ${build}: within ${promised.ulp} ulp and ${promised.absolute}`, () => {
      const exact = getActivation(name as ActivationName);
      const worst = { ulp: 0, absolute: 0, at: NaN };
      for (const [x, together] of [[floats()], [bends()], [floats(), 12], [bends(), 12]] as const) {
        const y = apply(build, name, x, together);
        for (let k = 0; k < x.length; k++) {
          const expected = exact(x[k]!);
          if (Math.fround(expected) === y[k]) continue;
          const error = Math.abs(y[k]! - expected);
          if (error < SMALLEST) continue;
          const inUlp = error / ulp(expected);
          if (inUlp > worst.ulp || Number.isNaN(inUlp)) [worst.ulp, worst.at] = [inUlp, x[k]!];
          worst.absolute = Math.max(worst.absolute, error);
        }
      }
      const fits = worst.ulp <= promised.ulp && worst.absolute <= promised.absolute;
      assert(fits, Deno.inspect(worst));
    });
  }

  Deno.test(`every activation, ${build}: NaN stays NaN, infinities and subnormals come out right`, () => {
    const special = [NaN, Infinity, -Infinity, 0, -0, 2 ** -149, -(2 ** -149), 2 ** -127];
    for (const name of names) {
      const exact = getActivation(name as ActivationName);
      const twentyFour = [...special, ...special, ...special]; // sixteen together, then four
      const actual = apply(build, name, Float32Array.from(twentyFour));
      twentyFour.forEach((x, k) => {
        const expected = Math.fround(exact(x)) + 0; // −0 is 0 to whoever reads it
        const message = `${name}(${x}) is ${actual[k]}, not ${expected}`;
        if (Math.abs(expected) < SMALLEST) {
          assert(Math.abs(actual[k]! - expected) < SMALLEST, message);
        } else assertEquals(actual[k], expected, message);
      });
    }
  });
}

Deno.test("sigmoid(−∞) is 0 and sigmoid(∞) is 1; tanh never leaves −1 … 1", () => {
  const infinities = Float32Array.of(-Infinity, Infinity, -3e38, 3e38);
  for (const build of builds) {
    assertEquals([...apply(build, "sigmoid", infinities)], [0, 1, 0, 1]);
    assertEquals([...apply(build, "tanh", infinities)], [-1, 1, -1, 1]);
    for (const together of [undefined, 12]) {
      assert(apply(build, "tanh", bends(), together).every((y) => Math.abs(y) <= 1));
    }
  }
});

Deno.test("both builds validate here, and each is an engine of its own", () => {
  assert(instantiate("simd").memory !== instantiate("relaxed-simd").memory);
});
