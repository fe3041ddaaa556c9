import { assertAlmostEquals, assertEquals } from "@std/assert";
import { tanh, tensor } from "@gatescope/lstm";
import { rescale } from "../../lib/insight/rescale.ts";

Deno.test("a sum that nearly cancels out is not shared: below 1e-7 of its addends, above it is", () => {
  const sums = [0, 0.9e-7, -0.9e-7, 1.1e-7, -1.1e-7, 0.5];
  const { factor, rest } = rescale(tanh, tensor(sums), tensor(sums.map(() => 1)));
  assertEquals([...factor.data].slice(0, 3), [0, 0, 0]);
  assertEquals([...rest.data].slice(0, 3), sums.slice(0, 3).map(Math.tanh));
  assertEquals([...rest.data].slice(3), [0, 0, 0]);
  for (const k of [3, 4, 5]) {
    assertAlmostEquals(factor.item(k), Math.tanh(sums[k]!) / sums[k]!, 1e-12);
  }
});

Deno.test("the least sum is relative to what was added up", () => {
  const { factor } = rescale(tanh, tensor([1e-9, 1e-9]), tensor([1e-8, 1]));
  assertAlmostEquals(factor.item(0), 1, 1e-12);
  assertEquals(factor.item(1), 0);
});
