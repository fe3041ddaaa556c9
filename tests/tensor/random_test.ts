import { assert, assertEquals, assertThrows } from "@std/assert";
import { randomFromState, seededRandom } from "../../lib/tensor/random.ts";

const DRAWS = 20_000;

Deno.test("seededRandom() gives the same numbers for a seed, others for another or its streams", () => {
  const first = (seed: number, stream?: number) => {
    const random = seededRandom(seed, stream);
    return [random.uniform(), random.normal(), ...random.permutation(5)];
  };
  assertEquals(first(7), first(7));
  const starts = [0, 1, 2, 3, -1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1].flatMap((seed) =>
    [0, 1, 2].map((stream) => first(seed, stream)[0])
  );
  assertEquals(new Set(starts).size, starts.length);
});

Deno.test("randomFromState() goes on where getState() was asked", () => {
  const random = seededRandom(3);
  random.normal();
  const resumed = randomFromState(JSON.parse(JSON.stringify(random.getState())));
  for (let k = 0; k < 10; k++) assertEquals(resumed.uniform(), random.uniform());
  assertEquals(resumed.permutation(9), random.permutation(9));
});

Deno.test("uniform() fills [0, 1) evenly, normal() has mean 0 and deviation 1", () => {
  const random = seededRandom(1);
  const uniform = Array.from({ length: DRAWS }, () => random.uniform());
  const normal = Array.from({ length: DRAWS }, () => random.normal());
  const mean = (xs: number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
  assert(uniform.every((u) => u >= 0 && u < 1));
  // five standard errors of each estimate
  assert(Math.abs(mean(uniform) - 0.5) < 5 * Math.sqrt(1 / 12 / DRAWS));
  assert(Math.abs(mean(normal)) < 5 / Math.sqrt(DRAWS));
  assert(Math.abs(mean(normal.map((x) => x * x)) - 1) < 5 * Math.sqrt(2 / DRAWS));
});

Deno.test("permutation() holds each number once, and the first numbers of near seeds are spread", () => {
  assertEquals(seededRandom(5).permutation(50).toSorted((a, b) => a - b).at(-1), 49);
  assertEquals(new Set(seededRandom(5).permutation(50)).size, 50);
  assertEquals(seededRandom(5).permutation(0), []);
  const firsts = Array.from({ length: 1000 }, (_, seed) => seededRandom(seed).uniform());
  const tenths = Array.from(
    { length: 10 },
    (_, k) => firsts.filter((u) => Math.floor(u * 10) === k).length,
  );
  assert(tenths.every((count) => count > 50 && count < 150), `${tenths}`);
});

Deno.test("a seed or a state that is none is refused", () => {
  assertThrows(() => seededRandom(0.5), RangeError, "the seed is 0.5");
  assertThrows(() => randomFromState([0, 0, 0, 0]), RangeError, "not all 0");
  assertThrows(() => randomFromState([1, 2, 3]), RangeError, "[1, 2, 3]");
});

Deno.test("permutation() gives each of the 24 orders of four numbers alike", () => {
  const random = seededRandom(6);
  const counts = new Map<string, number>();
  for (let k = 0; k < 24_000; k++) {
    const order = random.permutation(4).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 24);
  for (const count of counts.values()) assert(Math.abs(count - 1000) < 160); // deviation 31
});
