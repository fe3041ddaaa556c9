import { compare } from "@gatescope/lstm";
import { assert, assertEquals, assertThrows } from "@std/assert";

Deno.test("compare() finds the largest difference and its place", () => {
  const { maxAbsDiff, where, actual, expected, within } = compare(
    [[1, 2, 3], [4, 5, 6.5]],
    [[1, 2, 3.25], [4, 5, 6]],
    { atol: 0.4 },
  );
  assertEquals({ maxAbsDiff, where, actual, expected, within }, {
    maxAbsDiff: 0.5,
    where: [1, 2],
    actual: 6.5,
    expected: 6,
    within: false,
  });
});

Deno.test("with rtol, where is what is worst against its own tolerance", () => {
  const { where, within, maxAbsDiff } = compare([1000.5, 1.1], [1000, 1], { atol: 0, rtol: 1e-3 });
  assertEquals({ where, within, maxAbsDiff }, { where: [1], within: false, maxAbsDiff: 0.5 });
});

Deno.test("NaN is never within, infinities of one sign are equal", () => {
  for (const [a, e] of [[NaN, 1], [1, NaN], [NaN, NaN]]) {
    const { within, maxAbsDiff, where } = compare([5, a!, 7], [0, e!, 7], { atol: Infinity });
    assertEquals({ within, maxAbsDiff, where }, { within: false, maxAbsDiff: NaN, where: [1] });
  }
  assert(compare([Infinity], [Infinity], { atol: 0, rtol: 1 }).within);
  assertEquals(compare([Infinity, 0], [-Infinity, 9], { atol: 1e9 }).within, false);
  assertEquals(compare([1], [Infinity], { atol: 1, rtol: 1 }).within, false);
});

Deno.test("shapes that differ, nothing to compare and senseless tolerances are refused", () => {
  assertThrows(() => compare([1, 2], [[1, 2]], { atol: 0 }), TypeError, "[2] and [1, 2]");
  assertThrows(() => compare([], [], { atol: 0 }), TypeError, "[0] and [0]");
  assertThrows(() => compare([1], [1], { atol: -1 }), RangeError, "but atol is -1");
  assertThrows(() => compare([1], [1], { atol: NaN }), RangeError, "but atol is NaN");
});
