import { assert, assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import { table, type TableInput, type TableOptions } from "../../lib/display/table.ts";
import { JUPYTER_DISPLAY, type View } from "../../lib/display/view.ts";

async function htmlOf(x: TableInput, options?: TableOptions): Promise<string> {
  const bundle = await table(x, options)[JUPYTER_DISPLAY]();
  assert(bundle["text/plain"].length > 0);
  return String(bundle["text/html"]);
}

/** What a person reads in the HTML. */
function textsOf(html: string): string[] {
  return [...html.matchAll(/<t[dh](?: [^>]*)?>([^<]*)</g)].map(([, text]) => text ?? "");
}

function arrayOf(...shape: number[]) {
  const size = shape.reduce((product, length) => product * length, 1);
  return { data: Float64Array.from({ length: size }, (_, index) => index), shape };
}

Deno.test("table() labels rows and columns by list, prefix and function", async () => {
  const x = [[1, 2], [3, 4.5]];
  assertEquals(
    table(x, { rows: "i", columns: ["a", "b"], caption: "gate" }).text,
    ["gate", "        a    b", "i[0]  1.0  2.0", "i[1]  3.0  4.5"].join("\n"),
  );
  assertEquals(
    textsOf(await htmlOf(x, { rows: (row) => `r${row}`, columns: "c" })),
    ["", "c[0]", "c[1]", "r0", "1.0", "2.0", "r1", "3.0", "4.5"],
  );
});

Deno.test("table() writes a dataframe with caption and scopes", async () => {
  const html = await htmlOf([[1]], { caption: "gate", rows: ["r"], columns: ["c"] });
  for (const part of ['<table class="dataframe"', "<caption", 'scope="col"', 'scope="row"']) {
    assertStringIncludes(html, part);
  }
});

Deno.test("table() takes arrays of any number of axes", () => {
  assertEquals(table({ data: [7], shape: [] }).text, "7");
  assertEquals(table([1, 2]).text, "[0]  [1]\n  1    2");
  assertEquals(table(new Float32Array([1, 2]), { rows: "i" }).text, "i[0]  1\ni[1]  2");
  assertEquals(
    table(arrayOf(2, 1, 2), { blocks: "sample" }).text,
    ["     [0]  [1]", "sample[0]", "[0]    0    1", "sample[1]", "[0]    2    3"].join("\n"),
  );
  assertStringIncludes(table(arrayOf(2, 2, 1, 1)).text, "[1, 0]\n[0]    2");
  assertStringIncludes(table([]).text, "(empty)");
  assertStringIncludes(table(arrayOf(0, 3)).text, "(empty)");
});

Deno.test("table() colours parts of one by one scale, and what is signed by its magnitude", async () => {
  const colors = async (view: View) =>
    [...String((await view[JUPYTER_DISPLAY]())["text/html"]).matchAll(/rgba\(([^)]*)\)/g)]
      .map(([, color]) => color);
  const [GREEN, RED] = ["35,139,69", "178,24,43"];
  assertEquals(await colors(table([[0, 0.5, 1]])), [`${GREEN},0.23`, `${GREEN},0.46`]);
  assertEquals(await colors(table([[0, 0.25]])), [`${GREEN},0.12`]);
  assertEquals(await colors(table([[-0.5, 0.5]])), ["33,102,172,0.46", `${RED},0.46`]);
  assertEquals(await colors(table([[0, 0.5]], { colors: 0.5 })), [`${RED},0.46`]);
  const parts = ([row]: readonly number[]) => row === 0;
  assertEquals(await colors(table([[0.5], [0.25]], { parts })), [`${GREEN},0.23`, `${RED},0.46`]);
  assertEquals(await colors(table([[0, 1]], { colors: false })), []);
});

Deno.test("table() cuts what is long in the middle and says its size", async () => {
  const view = table(arrayOf(16, 256), { columns: "i" });
  assertStringIncludes(view.text, "… 16 × 256, 12 × 12 shown");
  assertEquals(view.text.split("\n").length, 1 + 1 + 13);
  assertStringIncludes(view.text, "i[5]  …  i[250]");
  const html = await htmlOf(arrayOf(16, 256));
  assertStringIncludes(html, "… 16 × 256, 12 × 12 shown");
  assertEquals(html.split("<details")[0]?.match(/<td style/g)?.length, 13 * 13);
  assertStringIncludes(table(arrayOf(30)).text, "… 30, 12 shown");
  assertStringIncludes(table(arrayOf(9, 2, 13)).text, "… 9 × 2 × 13, 6 × 2 × 12 shown");
  assertStringIncludes(
    table(arrayOf(2, 4, 2, 2)).text,
    "… 2 × 4 × 2 × 2, 6 of 8 blocks, 2 × 2 each shown",
  );
  assertFalse(table(arrayOf(16, 256), { maxRows: 16, maxColumns: Infinity }).text.includes("…"));
  assertStringIncludes(
    table(Array.from({ length: 100 }, (_, n) => ({ n }))).text,
    "… 100 × 1, 60 × 1 shown",
  );
});

Deno.test("table() cuts without touching the numbers left out", () => {
  const start = performance.now();
  table({ data: new Float32Array(4_000_000), shape: [2000, 2000] });
  assert(performance.now() - start < 500);
});

Deno.test("table() shows very many rows where it is asked to", () => {
  const text = table(arrayOf(200_000, 1), { maxRows: Infinity }).text;
  assertStringIncludes(text, "[199999]  199999");
});

Deno.test("table() takes records, with their keys as columns in order of appearance", () => {
  assertEquals(
    table([
      { weights: "kernel", shape: [2, 32], difference: 4.5e-8 },
      { weights: "bias", shape: [32], moved: true, difference: NaN },
    ]).text,
    [
      "weights  shape    difference  moved",
      "kernel   [2, 32]      4.5e-8",
      "bias     [32]            NaN  true",
    ].join("\n"),
  );
});

Deno.test("table() takes columns of equal length, each with digits of its own", () => {
  assertEquals(
    table(
      { epoch: [1, 2], loss: new Float32Array([0.1, 1 / 3]) },
      { digits: { loss: 9 }, columns: ["n", "L"] },
    ).text,
    ["n           L", "1  0.10000000", "2  0.33333334"].join("\n"),
  );
});

Deno.test("table() prints NaN, Infinity, -Infinity and -0", async () => {
  const x = [[NaN, Infinity], [-Infinity, -0]];
  assertEquals(textsOf(await htmlOf(x)).filter((text) => /NaN|Inf|-0/.test(text)), [
    "NaN",
    "Infinity",
    "-Infinity",
    "-0",
  ]);
});

Deno.test("table() shows hostile labels, captions and cells as text", async () => {
  const hostile = `</script><script>alert(1)</script><img src=x onerror="alert('1')">`;
  const labels = { rows: [hostile], columns: [hostile], caption: hostile };
  for (
    const html of [
      await htmlOf([[1]], labels),
      await htmlOf(arrayOf(1, 1, 1), { ...labels, blocks: [hostile] }),
      await htmlOf([{ [hostile]: hostile }], { caption: hostile }),
    ]
  ) {
    assertFalse(/<(script|img|\/script)/i.test(html));
    assertStringIncludes(html, "&lt;script&gt;alert(1)&lt;/script&gt;");
    assertFalse(html.includes(`"alert('1')"`));
  }
});

Deno.test("table() keeps a text table in its lines and a terminal calm", () => {
  const text = table([[1]], { rows: ["a\nb\u001b[31m"], columns: ["c\u0303"] }).text;
  assertEquals(text, "             c\u0303\na b\\x1b[31m  1");
});

Deno.test("table() refuses what it cannot show, when it is made", () => {
  const refused: [unknown, TableOptions, ErrorConstructor, string][] = [
    [[[1], [2, 3]], {}, TypeError, "arrays on one axis must have one length"],
    [[[1], 2], {}, TypeError, "arrays on one axis must have one length"],
    [[1, [2]], {}, TypeError, "each value must be a number, but one of them is an array of 1"],
    [[["a"]], {}, TypeError, 'each value must be a number, but one of them is the text "a"'],
    [{ data: [1], shape: [2] }, {}, TypeError, "but there are 1 numbers for [2]"],
    [[[1, 2]], { rows: ["a", "b"] }, TypeError, "the rows are 1 and labels 2"],
    [[[1, 2]], { columns: ["a"] }, TypeError, "the columns are 2 and labels 1"],
    [arrayOf(2, 1, 1), { blocks: ["a"] }, TypeError, "the blocks are 2 and labels 1"],
    [[{ a: 1 }], { columns: [] }, TypeError, "the columns are 1 and labels 0"],
    [[[1]], { rows: 5 } as unknown as TableOptions, TypeError, "the labels are of type number"],
    [{ a: [1], b: [1, 2] }, {}, TypeError, "the lengths are a 1, b 2"],
    [{ a: 1 }, {}, TypeError, "column a is the number 1"],
    [{ a: arrayOf(1, 1) }, {}, TypeError, "column a is of shape [1, 1]"],
    [[{ a: {} }], {}, TypeError, "row 0 of a is an empty object"],
    [[{ a: 1 }, 2], {}, TypeError, "row 1 is the number 2"],
    [[arrayOf(2), arrayOf(2)], {}, TypeError, "row 0 is a tensor"],
    [5, {}, TypeError, "the value is the number 5"],
    [null, {}, TypeError, "the value is null"],
    [undefined, {}, TypeError, "the value is undefined"],
    [[1], { maxRows: 0 }, RangeError, "maxRows is 0"],
    [[1], { digits: 1.5 }, RangeError, "digits is 1.5"],
    [[1], { digits: { a: 1 } }, TypeError, "digits by key are for records"],
  ];
  for (const [x, options, errorClass, message] of refused) {
    assertThrows(() => table(x as TableInput, options), errorClass, message);
  }
});

Deno.test("an odd limit shows one more at the head than at the tail, and both ends", () => {
  const rowsOf = (maxRows: number) =>
    [...table(arrayOf(20, 1), { maxRows, rows: "r" }).text.matchAll(/^r\[(\d+)\]/gm)].map(([, k]) =>
      Number(k)
    );
  assertEquals(rowsOf(5), [0, 1, 2, 18, 19]);
  assertEquals(rowsOf(3), [0, 1, 19]);
  assertEquals(rowsOf(4), [0, 1, 18, 19]);
  assertEquals(rowsOf(20).length, 20);
  assertEquals(rowsOf(19).length, 19);
});
