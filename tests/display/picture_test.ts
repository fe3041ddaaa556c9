import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { heatmap } from "../../lib/display/heatmap.ts";
import { lineChart } from "../../lib/display/line_chart.ts";
import { plot } from "../../lib/display/figure.ts";
import { type ChartLook, gateView, lstmForward } from "@gatescope/lstm";
import { savePicture, toSvg } from "../../lib/display/picture.ts";
import { textWidth } from "../../lib/display/text_width.ts";
import { JUPYTER_DISPLAY } from "../../lib/display/view.ts";

const HOSTILE = `</text><script>alert(1)</script><a href="javascript:alert(1)">x</a> "q" 'a' &`;

Deno.test("toSvg() draws marks, labels and a heatmap's cells", async () => {
  const lines = await toSvg(lineChart({ tanh: [1, 2, 3], relu: [3, 1, 2] }, { xTitle: "z" }));
  for (const text of ["<title>Chart</title>", ">tanh<", ">relu<", ">z<"]) {
    assertStringIncludes(lines, text);
  }
  assertEquals(lines.match(/fill:none;stroke:#0072b2/g)?.length, 2); // line and legend
  const cells = await toSvg(heatmap([[1, -1]], { columns: ["a", "b"], valueTitle: "weight" }));
  for (const text of ["data:image/png;base64,", ">a<", ">b<", ">weight<", "linearGradient"]) {
    assertStringIncludes(cells, text);
  }
});

Deno.test("toSvg() gives the same text for the same figure, also when called at once", async () => {
  const figures = [[1, 2], [2, 1], [1, 2]].map((y) => heatmap([y], { title: `${y}` }));
  const [first, second, third] = await Promise.all(figures.map((figure) => toSvg(figure)));
  assertEquals(first, third);
  assertStringIncludes(second ?? "", "<title>2,1</title>");
  const ids = [...(first ?? "").matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id ?? "");
  assert(ids.length > 0);
  assertFalse((second ?? "").includes(ids[0] ?? ""), "two pictures share no id");
});

Deno.test("toSvg() writes hostile labels as text, and nothing that runs", async () => {
  const raw = plot({
    data: [{ y: [1, 2], name: HOSTILE, text: [HOSTILE, HOSTILE], mode: "text" }],
    layout: { title: HOSTILE, annotations: [{ text: HOSTILE, x: 1, y: 1 }], showlegend: true },
  });
  const escaped = heatmap([[1]], { title: HOSTILE, rows: [HOSTILE], columns: [HOSTILE] });
  for (const figure of [raw, escaped]) {
    const svg = await toSvg(figure);
    assertFalse(
      /<(?:script|a|foreignObject|style|iframe)\b|\son\w+=|href="(?!data:image\/png|#)/i.test(svg),
    );
  }
  assertStringIncludes(await toSvg(escaped), "&lt;script&gt;alert(1)&lt;/script&gt;");
});

Deno.test("toSvg() refuses what is no figure, and draws the next one", async () => {
  await assertRejects(async () => await toSvg({ data: 1 } as never), TypeError, "list of traces");
  assertStringIncludes(await toSvg({ data: [{ y: [1, 2] }] }), "<svg");
});

Deno.test("savePicture() writes an SVG file, and nothing else", async () => {
  const file = await Deno.makeTempFile({ suffix: ".svg" });
  await savePicture(file, { data: [{ y: [1, 2] }], layout: { title: "Saved" } });
  assertStringIncludes(await Deno.readTextFile(file), "Saved");
  await Deno.remove(file);
  await assertRejects(
    () => savePicture("a.gif", { data: [] }),
    TypeError,
    "must end in .svg or .png",
  );
});

Deno.test("A picture has the size and the colours that are asked for", async () => {
  const chart = lineChart([1, 2], { title: "Loss" });
  const svg = await toSvg(chart, { width: 400, height: 300, theme: "dark", background: "#002244" });
  assertStringIncludes(svg, 'viewBox="0 0 400 300"');
  assertStringIncludes(svg, "fill:#002244");
  assertStringIncludes(svg, "fill:#e6e6e6"); // the text
  const clear = await toSvg(chart, { background: "transparent" });
  assertFalse(clear.includes("fill:#ffffff"));
  assertEquals(await toSvg(chart, {}), await toSvg(chart));
});

Deno.test("A picture has no slider, which nobody could drag, and says where it stood", async () => {
  const weights = { kernel: [[0.1, 0.2, 0.3, 0.4]], recurrentKernel: [[0.1, 0.2, 0.3, 0.4]] };
  const chart = gateView(lstmForward([[[1], [2]], [[3], [4]]], weights), { sample: 1 });
  const svg = await toSvg(chart);
  assertStringIncludes(svg, "sample 1");
  assertFalse(svg.includes("sample 0") || /grip|slider/.test(svg));
});

Deno.test("A picture's options are checked", async () => {
  const chart = lineChart([1, 2]);
  for (
    const [options, rule] of [
      [{ width: 0 }, "width must be a whole number of pixels up to 10000, but it is 0"],
      [{ height: 1e9 }, "height must be a whole number"],
      [{ theme: "drak" }, "did you mean dark"],
      [{ background: 'red" onload="alert(1)' }, "background must be a CSS colour"],
    ] as const
  ) {
    await assertRejects(() => toSvg(chart, options as ChartLook), RangeError, rule);
  }
});

Deno.test("A picture needs no permission", async () => {
  const program = `import { JUPYTER_DISPLAY } from "${
    import.meta.resolve("../../lib/display/view.ts")
  }";
    import { lineChart, toPng } from "@gatescope/lstm";
    const bundle = await lineChart([1, 2])[JUPYTER_DISPLAY]();
    console.log(bundle["image/svg+xml"].slice(0, 4), (await toPng(lineChart([1, 2]))).length > 1e3);`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, program);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", `--config=${config}`, file],
  }).output();
  await Deno.remove(file);
  assertEquals(new TextDecoder().decode(stdout), "<svg true\n", new TextDecoder().decode(stderr));
});

Deno.test("A chart of a 100 × 256 trace is under 200 kB, in all its forms together", async () => {
  const data = Float64Array.from({ length: 25_600 }, (_, i) => Math.sin(i * 12.9898) / 3);
  const trace = { data, shape: [100, 256] };
  for (
    const chart of [
      heatmap(trace, { rows: "timestep", columns: "unit", title: "Hidden state" }),
      lineChart({ data, shape: [100, 256] }, { labels: "unit" }),
    ]
  ) {
    const size = JSON.stringify(await chart[JUPYTER_DISPLAY]()).length;
    assert(size < 200_000, `${chart.text.split("\n")[0]}: ${size}`);
  }
  assertFalse(heatmap(trace).text.includes("mean"));
});

Deno.test("A chart of more than an output can carry says below its title what became of it", async () => {
  const numbers = (rows: number, columns: number) => ({
    data: Float64Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 12.9898) / 3),
    shape: [rows, columns],
  });
  const cells = heatmap(numbers(100, 512), { note: "of one sample" });
  const text = "of one sample; each cell is the mean of 1 × 2 values";
  assertStringIncludes(await toSvg(cells), text);
  assertStringIncludes(cells.text, text);
  const line = lineChart({ loss: numbers(20_000, 1).data });
  assertStringIncludes(line.text, "of each 7 points of a line, the lowest and the highest");
  assert(JSON.stringify(await cells[JUPYTER_DISPLAY]()).length < 200_000);
});

Deno.test("A thinned chart keeps gaps and extremes", () => {
  const z = Array.from({ length: 200 }, () => Array.from({ length: 200 }, () => 1));
  z[7]![9] = NaN;
  const [cells] = plot({ data: [{ type: "heatmap", z }] }).data as { z: unknown[][] }[];
  assert(cells!.z.flat().includes(null));
  const y = Array.from({ length: 20_000 }, (_, i) => i === 12_345 ? 9 : 0);
  const [line] = plot({ data: [{ y }] }).data as { x: number[]; y: number[] }[];
  assert(line!.y.includes(9));
  assertEquals(line!.x[line!.y.indexOf(9)], 12_345);
});

Deno.test("Text widths are Arial's", () => {
  assertEquals(textWidth("AVi", 1000), 667 + 667 + 222);
  assertEquals(textWidth("c\u0303", 10), textWidth("c", 10)); // a combining mark
});
