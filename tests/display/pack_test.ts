// What a large chart carries instead of text: unpacked as a page does it.

import { assert, assertEquals } from "@std/assert";
import type { Plain } from "../../lib/display/plain_figure.ts";
import { packed, type PackedBits } from "../../lib/display/pack.ts";

interface Figure {
  readonly data: Plain[];
  readonly frames?: Plain[];
}

async function unpacked(figure: Figure, bits: PackedBits): Promise<Figure> {
  const { figure: without, numbers } = packed(figure, bits);
  return await new Function(`return ${numbers}`)()(structuredClone(without));
}

const z = [[0.1234, -5.5, null], [1e-3, 22.25, 0]];
const figure = {
  data: [{ type: "heatmap", z, x: [1, 2, 3] }, {
    type: "scatter",
    y: [1, null, 2],
    x: ["a", "b", "c"],
  }],
  frames: [
    { name: "0", data: [{ type: "heatmap", z }] },
    { name: "1", data: [{ type: "heatmap", z: [[7, 7, 7]] }, { type: "scatter", y: [0.5] }] },
    { name: "2", layout: { title: "no data" } },
  ],
};

for (const bits of [8, 16] as const) {
  Deno.test(`${bits} bits: each number comes back within half a step of its list, gaps and all else as they were`, async () => {
    const found = await unpacked(figure, bits);
    const step = (22.25 + 5.5) / (2 ** bits - 2);
    for (const trace of [found.data[0]!, (found.frames![0]!.data as Plain[])[0]!]) {
      (trace.z as (number | null)[][]).flat().forEach((value, k) => {
        const expected = z.flat()[k]!;
        if (expected === null) assertEquals(value, null);
        else {assert(
            Math.abs(value! - expected) <= step / 2 + 5e-4 * Math.abs(expected),
            `${value}`,
          );}
      });
    }
    assertEquals(found.data[0]!.x, [1, 2, 3]);
    assertEquals(found.data[1], figure.data[1] as Plain);
    assertEquals(found.frames!.slice(1), figure.frames.slice(1) as Plain[]);
  });
}

Deno.test("lists that are the same are carried once, and a line that is a row of a heatmap too", () => {
  const rows = Array.from(
    { length: 40 },
    (_, k) => Array.from({ length: 50 }, (_, t) => Math.sin(k * k * 99 + t * t)),
  );
  const heatmap = { type: "heatmap", z: rows };
  const size = (data: Plain[], frames: Plain[]) => packed({ data, frames }, 16).numbers.length;
  const once = size([heatmap], []);
  assertEquals(size([heatmap, { type: "scatter", y: rows[7] }], [{ data: [heatmap] }]), once);
});

Deno.test("axes that are named, and rows of several lengths, stay as they are", async () => {
  const data = [
    { type: "heatmap", z: [[1, 2], [3]] },
    { type: "heatmap", z: [["a"]] },
    { type: "scatter", y: ["low", "high"] },
    { type: "bar", y: [1, 2] },
    { type: "scatter", y: [] },
  ];
  assertEquals((await unpacked({ data }, 8)).data, data as Plain[]);
});
