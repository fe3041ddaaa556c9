import { assertEquals } from "@std/assert";
import type { Notebook, Output } from "../../notebooks/notebook.ts";
import { differences } from "./same_outputs.ts";

function showing(data: Record<string, unknown>): Notebook {
  const output: Output = { output_type: "display_data", data, metadata: {} };
  const cell = {
    cell_type: "code",
    metadata: {},
    source: "x",
    execution_count: 1,
    outputs: [output],
  } as const;
  return { cells: [{ ...cell, outputs: [output] }], metadata: {}, nbformat: 4, nbformat_minor: 5 };
}

const stored = showing({
  "text/plain": "Tensor [2] in 15 ms\n0.51639632 −1.2e-8 8 units",
  "application/vnd.plotly.v1+json": { data: [{ z: [[0.25, 1]], name: "forget" }] },
  "text/html":
    '<p id="1b31ac39"><td style="color:#aabbcc">0.25</td><img src="data:;base64,PHN2Zz4K">',
});

Deno.test("times, last digits, what float32 leaves of a zero and pictures may differ", () => {
  const executed = showing({
    "text/plain": "Tensor [2] in 2.5 s\n0.51639653  3.4e-9 8 units",
    "application/vnd.plotly.v1+json": { data: [{ z: [[0.25001, 1]], name: "forget" }] },
    "text/html":
      '<p id="d73bfbe3"><td style="color:#aabbcd">0.25</td><img src="data:;base64,P1N2ZzEKPA==">',
  });
  assertEquals(differences(stored, executed), []);
});

Deno.test("another number, another word, another kind of output is told with its cell", () => {
  const text = (text: string) =>
    differences(showing({ "text/plain": "0.5164 8 units" }), showing({ "text/plain": text }));
  assertEquals(text("0.5264 8 units"), ["[1] x: text/plain: 0.5264 instead of 0.5164"]);
  assertEquals(text("-0.5164 8 units"), ["[1] x: text/plain: -0.5164 instead of 0.5164"]);
  assertEquals(text("0.5164 9 units"), ["[1] x: text/plain: 9 instead of 8"]);
  assertEquals(text("0.5164 8 gates"), ['[1] x: text/plain: " gates" instead of " units"']);
  assertEquals(text("0.5164"), ['[1] x: text/plain: "" instead of " "']);
  assertEquals(
    differences(showing({ "text/plain": "" }), showing({ "text/html": "" })),
    ["[1] x: text/html instead of text/plain"],
  );
});
