import { assert, assertEquals } from "@std/assert";
import type { Plain } from "../../lib/display/plain_figure.ts";
import { thinned } from "../../lib/display/thin.ts";

function thinnedLine(y: (number | null)[]): { x: number[]; y: (number | null)[] } {
  const figure = { data: [{ type: "scatter", y } as Plain], frames: [], layout: {} };
  return thinned(figure).data[0] as unknown as { x: number[]; y: (number | null)[] };
}

Deno.test("a gap in a long line stays a gap, however short it is", () => {
  for (const at of [0, 1, 9_999, 10_000, 19_999]) {
    const y: (number | null)[] = Array.from({ length: 20_000 }, (_, k) => Math.sin(k / 50));
    y[at] = null;
    const line = thinnedLine(y);
    assert(line.y.length <= 6_000, `${line.y.length} points`);
    assertEquals(line.x.filter((_, k) => typeof line.y[k] !== "number"), [at]);
  }
});

Deno.test("the highest and the lowest of each stretch stay, where they were", () => {
  const y = Array.from({ length: 50_000 }, (_, k) => k % 7 - 3 + (k === 31_234 ? 99 : 0));
  const line = thinnedLine(y);
  assertEquals(line.x.filter((x, k) => line.y[k]! > 50 && x === 31_234), [31_234]);
  line.x.forEach((x, k) => assertEquals(line.y[k], y[x]));
  assertEquals(line.x, line.x.toSorted((a, b) => a - b));
});
