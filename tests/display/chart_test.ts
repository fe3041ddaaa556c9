import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  arange,
  attribute,
  type Chart,
  type ChartLook,
  compare,
  dense,
  gateView,
  lstm,
  memory,
  patchSweep,
  plotModel,
  sequential,
  trace,
} from "@gatescope/lstm";
import { plot } from "../../lib/display/figure.ts";
import type { Figure } from "../../lib/display/plain_figure.ts";
import { heatmap } from "../../lib/display/heatmap.ts";
import { lineChart } from "../../lib/display/line_chart.ts";
import { embedPlotly } from "../../lib/display/embed_plotly.ts";
import { plotlyBundle } from "../../lib/display/plotly_bundle.ts";
import { textWidth } from "../../lib/display/text_width.ts";
import { JUPYTER_DISPLAY, type View } from "../../lib/display/view.ts";

const layers = [lstm({ units: 3 }), dense({ units: 2 })];
const model = sequential(layers, { inputShape: [4, 2], seed: 1 });
model.compile({ optimizer: "adam", loss: "mse" });
const x = arange(8).reshape([1, 4, 2]);

const HOSTILE = `</script><script>alert(1)</script><b>"q"</b> 'a' $x$ %{y}\u2028`;

/** A figure as the front ends receive it. */
interface Shown {
  html: string;
  // deno-lint-ignore no-explicit-any
  figure: { data: any[]; layout: any };
}

/** What the kernel sends: valid JSON in both media, and a text. */
async function shown(view: View): Promise<Shown> {
  const bundle = await view[JUPYTER_DISPLAY]();
  assertEquals(Object.keys(bundle).sort(), [
    "application/vnd.plotly.v1+json",
    "image/svg+xml",
    "text/html",
    "text/plain",
  ]);
  assertEquals(bundle["text/plain"], view.text);
  const html = String(bundle["text/html"]);
  const figure = JSON.parse(JSON.stringify(bundle["application/vnd.plotly.v1+json"]));
  assertEquals(html.match(/<\/?script>/g), ["<script>", "</script>"]);
  assertFalse(/[\u2028\u2029]/.test(html));
  return { html, figure };
}

Deno.test("plot() takes tensors and typed arrays, and draws NaN and Infinity as gaps", async () => {
  const tensor = { data: new Float64Array([1, NaN, 3, Infinity]), shape: [2, 2] };
  const { figure } = await shown(plot({
    data: [{ type: "heatmap", z: tensor }, { x: new Float32Array([1, 2]), y: [-Infinity, 1n] }],
  }));
  assertEquals(figure.data[0].z, [[1, null], [3, null]]);
  assertEquals(figure.data[1], { x: [1, 2], y: [null, 1] });
});

Deno.test("plot() gives a layout its look, and lets the figure's own go before it", async () => {
  const { figure } = await shown(plot({
    data: [],
    layout: { title: "A", xaxis: { title: "x" }, yaxis2: { title: { text: "y" } }, height: 300 },
  }));
  assertEquals(figure.layout.title, { text: "A" });
  assertEquals(figure.layout.xaxis.title, { text: "x" });
  assertEquals(figure.layout.yaxis2.title, { text: "y" });
  assertEquals(figure.layout.height, 300);
  assertEquals(figure.layout.autosize, true);
  assert(figure.layout.template.layout.colorway.length >= 6);
});

Deno.test("plot() leaves the figure it is given as it was, and is not changed by it later", async () => {
  const figure = { data: [{ y: [1, 2] }], layout: { title: "A" } };
  const view = plot(figure);
  assertEquals(figure, { data: [{ y: [1, 2] }], layout: { title: "A" } });
  figure.data[0]?.y.push(3);
  assertEquals((await shown(view)).figure.data[0].y, [1, 2]);
});

Deno.test("plot() refuses what is no figure, when it is made", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (
    const [figure, message] of [
      [undefined, "the data is undefined"],
      [{}, "the data is undefined"],
      [{ data: {} }, "the data is an empty object"],
      [{ data: [1] }, "must be a list of traces"],
      [{ data: [circular] }, "must not contain itself"],
    ] as const
  ) {
    assertThrows(() => plot(figure as unknown as Figure), TypeError, message);
  }
});

Deno.test("heatmap() is centred on zero, first row on top, with labels", async () => {
  const { figure } = await shown(
    heatmap([[0.5, -2], [0, 1]], { rows: "h", columns: ["i", "f"], title: "U" }),
  );
  const [trace] = figure.data;
  assertEquals([trace.zmin, trace.zmax], [-2, 2]);
  assertEquals(trace.z, [[0.5, -2], [0, 1]]);
  assertEquals([trace.x, trace.y], [["i", "f"], ["h[0]", "h[1]"]]);
  assertEquals(figure.layout.yaxis.autorange, "reversed");
  assertEquals(trace.colorscale[3], [0.5, "#f7f7f7"]);

  const { figure: { data: [sizes] } } = await shown(heatmap([[0.5, 2]], { sizes: true }));
  assertEquals([sizes.zmin, sizes.zmax, sizes.colorscale[0]], [0, 2, [0, "#f7fcf5"]]);
});

Deno.test("heatmap() of a gate has one scale, 0 to 1, without an option; what is signed goes both ways", () => {
  const scale = (chart: ReturnType<typeof heatmap>) => {
    const { zmin, zmax, colorscale } = chart.data[0] as never as {
      zmin: number;
      zmax: number;
      colorscale: [number, string][];
    };
    return [zmin, zmax, colorscale.at(-1)![1]];
  };
  const [GREEN, RED] = ["#00441b", "#b2182b"];
  assertEquals(scale(heatmap([[0.2, 0.4]])), [0, 1, GREEN]);
  assertEquals(scale(heatmap([[0, 0.001], [NaN, 0]])), [0, 1, GREEN]);
  assertEquals(scale(heatmap([[0.2, -0.4]])), [-0.4, 0.4, RED]);
  assertEquals(scale(heatmap([[0.2, 1.5]])), [-1.5, 1.5, RED]);
  assertEquals(scale(heatmap([[0.2, 0.4]], { sizes: false })), [-0.4, 0.4, RED]);
  assertEquals(scale(heatmap([[0.2, 0.4]], { sizes: true })), [0, 0.4, GREEN]);
  assertEquals(scale(heatmap([[0.2, 0.4]], { limit: 0.5 })), [0, 0.5, GREEN]);
});

Deno.test("a long title goes on in a line below it, before Plotly's buttons on a page of 900", () => {
  const words = Array.from({ length: 20 }, (_, k) => `<${k}>word`);
  const titleOf = (options: { title?: string; note?: string }) =>
    heatmap([[1]], options).layout as {
      title: { text: string; subtitle?: { text: string } };
      height: number;
      margin?: { t: number };
    };
  const [short, long] = [titleOf({ title: "Short" }), titleOf({ title: words.join(" ") })];
  const lines = long.title.text.split("<br />");
  assertEquals(lines.join(" "), words.join(" ").replaceAll("<", "&lt;").replaceAll(">", "&gt;"));
  assert(lines.length > 1);
  for (const line of lines) {
    assert(textWidth(line.replaceAll("&lt;", "<").replaceAll("&gt;", ">"), 18) <= 600);
  }
  assertEquals(long.height - short.height, 23 * (lines.length - 1)); // the cells are as high
  const both = titleOf({ title: "Short", note: words.join(" ") });
  assertEquals(both.title.subtitle!.text.split("<br />").length, 2);
  assertStringIncludes(heatmap([[1]], { title: words.join(" ") }).text, words.join(" "));
});

Deno.test("a colour bar's ticks are plain numbers: 0.0004 and 4e−7, no 400μ", async () => {
  for (const [most, tick] of [[4e-4, "0.0004"], [4e-7, "4e−7"], [2000, "2000"]] as const) {
    const { "image/svg+xml": picture } = await heatmap([[most, -most]])[JUPYTER_DISPLAY]();
    assertStringIncludes(String(picture), `>${tick}</text>`);
  }
});

Deno.test("heatmap() leaves the words out where gaps are too many to be read", () => {
  const gaps = (count: number) => [Array.from({ length: 60 }, (_, i) => i < count ? NaN : 1)];
  const words = (count: number) =>
    heatmap(gaps(count)).data.map((trace) => "texttemplate" in trace);
  assertEquals([words(0), words(50), words(51)], [[false], [true], [false]]);
});

Deno.test("heatmap() leaves gaps that name themselves for NaN and Infinity", async () => {
  const { figure } = await shown(heatmap([[NaN, 1, -Infinity]]));
  assertEquals(figure.data[0].z, [[null, 1, null]]);
  assertEquals(figure.data[0].text, [["NaN", "", "-Infinity"]]);
  assertEquals((await shown(heatmap([[NaN, NaN]]))).figure.data[0].zmax, 1);
});

Deno.test("heatmap() keeps apart rows that have one label", async () => {
  const { figure } = await shown(heatmap([[1], [2], [3]], { rows: ["a", "a", "a"] }));
  assertEquals(new Set(figure.data[0].y).size, 3);
});

Deno.test("heatmap() refuses what it cannot draw", () => {
  assertThrows(() => heatmap([[[1]]]), TypeError, "the shape is [1, 1, 1]");
  assertThrows(() => heatmap({ data: [1], shape: [] }), TypeError, "the shape is []");
  assertThrows(() => heatmap([[1], [1, 2]]), TypeError, "must have one length");
  assertThrows(() => heatmap([[1]], { rows: [] }), TypeError, "the rows are 1 and labels 0");
  assertThrows(() => heatmap([[1]], { limit: 0 }), RangeError, "limit is 0");
  assertThrows(() => heatmap([[1]], { limit: NaN }), RangeError, "limit is NaN");
});

Deno.test("lineChart() draws a matrix's columns, and series by name", async () => {
  const columns = await shown(lineChart([[1, 2], [3, 4], [5, 6]], { labels: "C" }));
  assertEquals(
    columns.figure.data.map(({ name, x, y }) => ({ name, x, y })),
    [{ name: "C[0]", x: [0, 1, 2], y: [1, 3, 5] }, { name: "C[1]", x: [0, 1, 2], y: [2, 4, 6] }],
  );
  const named = await shown(
    lineChart({ a: [1, NaN], b: { data: [3, 4], shape: [2] } }, { x: ["p", "q"] }),
  );
  assertEquals(named.figure.data.map(({ y }) => y), [[1, null], [3, 4]]);
  assertEquals(named.figure.layout.xaxis.type, "category");
  assertFalse((await shown(lineChart([1, 2]))).figure.layout.showlegend);
});

Deno.test("lineChart() tells apart as many lines as a layer has units", async () => {
  const { figure } = await shown(lineChart([Array.from({ length: 24 }, (_, unit) => unit)]));
  assertEquals(new Set(figure.data.map(({ line }) => line.color + line.dash)).size, 24);
});

Deno.test("a unit has the same line in every chart, also where quiet ones are left out", () => {
  const lines = (count: number, loud: (unit: number) => boolean) => {
    const rows = [0, 1].map((t) =>
      Array.from({ length: count }, (_, unit) => t * (loud(unit) ? 1 : 0))
    );
    const { data } = lineChart(rows, { labels: "unit" });
    return new Map(
      (data as { name: string; line: object }[]).map(({ name, line }) => [name, line]),
    );
  };
  const [all, some] = [lines(20, () => true), lines(60, (unit) => unit % 2 === 1)];
  assertEquals(some.size, 24);
  for (const name of ["unit[1]", "unit[7]", "unit[19]"]) {
    assertEquals(some.get(name), all.get(name));
    assert(some.get(name) !== undefined);
  }
});

Deno.test("lineChart() refuses what it cannot draw", () => {
  assertThrows(() => lineChart({ a: [1] }, { x: [1, 2] }), TypeError, "a has 1 points and x has 2");
  assertThrows(() => lineChart([[[1]]]), TypeError, "the shape is [1, 1, 1]");
  assertThrows(() => lineChart({ a: [[1]] as never }), TypeError, "a has shape [1, 1]");
  assertThrows(() => lineChart([[1]], { labels: [] }), TypeError, "series are 1 and labels 0");
  assertThrows(() => lineChart(3 as never), TypeError, "the value is the number 3");
});

Deno.test("A chart's text says its title, axes, series and ranges", () => {
  assertEquals(
    lineChart({ tanh: [-1, 0.5], relu: [0, NaN] }, { title: "Act", xTitle: "z", yTitle: "a" }).text,
    [
      "Act",
      "x: z, y: a",
      "- line tanh: 2 points, x 0 to 1, y -1 to 0.5",
      "  ▁█",
      "- line relu: 2 points, x 0 to 1, y 0 to 0, 1 not finite",
      "  ▅·",
    ].join("\n"),
  );
  assertEquals(
    heatmap([[1, 2, NaN]], { title: HOSTILE }).text,
    `${HOSTILE.replace("\u2028", "")}\n- heatmap: 1 × 3 values, 1 to 2, 1 not finite\n  ▇█·`,
  );
  assertEquals(plot({ data: [] }).text, "Chart");
  assertStringIncludes(lineChart([new Float32Array(64)]).text, "… and 8 more");
});

Deno.test("Hostile titles and labels stay text, in HTML and for Plotly", async () => {
  const labels = [HOSTILE];
  const charts = [
    heatmap([[NaN]], {
      rows: labels,
      columns: labels,
      title: HOSTILE,
      rowTitle: HOSTILE,
      columnTitle: HOSTILE,
      valueTitle: HOSTILE,
    }),
    lineChart({ [HOSTILE]: [1] }, {
      x: labels,
      title: HOSTILE,
      xTitle: HOSTILE,
      yTitle: HOSTILE,
    }),
    lineChart([[1]], { labels }),
  ];
  for (const chart of charts) {
    const { html, figure } = await shown(chart); // counts the script tags
    assertStringIncludes(html, "&lt;script&gt;alert(1)");
    const strings = JSON.stringify(figure).replaceAll("<br>", "").replaceAll("<extra></extra>", "");
    assertFalse(strings.includes("<"));
    assertFalse(strings.includes("$"));
    assertFalse(/%\{(?![xyz]\}|text\})/.test(strings));
  }
  const raw = await shown(plot({ data: [{ y: [1], name: HOSTILE }], layout: { title: HOSTILE } }));
  assertEquals(raw.figure.data[0].name, HOSTILE); // Plotly's own language: left as it is
});

Deno.test("A chart's script is valid JavaScript, and the same chart has the same HTML", async () => {
  const { html } = await shown(lineChart([1, 2], { title: HOSTILE }));
  const script = html.match(/<script>([\s\S]*)<\/script>/)?.[1] ?? "";
  new Function(script);
  assertEquals(html, (await shown(lineChart([1, 2], { title: HOSTILE }))).html);
  const keyOf = (text: string) => text.match(/data-gatescope-chart="(\w+)"/)?.[1];
  assertNotEquals(keyOf(html), keyOf((await shown(lineChart([1, 3]))).html));
});

Deno.test("The CDN's Plotly is the pinned bundle, by version and by hash", async () => {
  const bundle = await plotlyBundle();
  const { html } = await shown(lineChart([1]));
  const version = bundle.match(/plotly\.js \(cartesian - minified\) v([\d.]+)/)?.[1];
  assertStringIncludes(html, `https://cdn.plot.ly/plotly-cartesian-${version}.min.js`);
  const hash = await crypto.subtle.digest("SHA-384", new TextEncoder().encode(bundle));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(hash)));
  assertStringIncludes(html, `sha384-${base64}`);
});

Deno.test("embedPlotly() brings the whole bundle in one script, which makes Plotly the page's", async () => {
  const bundle = await embedPlotly()[JUPYTER_DISPLAY]();
  const html = String(bundle["text/html"]);
  assert(html.length > 1_400_000);
  assertEquals(html.match(/<\/?script/g), ["<script", "</script"]);
  new Function(html.match(/<script>([\s\S]*)<\/script>/)?.[1] ?? "");
  assertMatch(bundle["text/plain"], /^Plotly [\d.]+ is in this output/);
});

Deno.test("every chart takes a size, a theme and a background, and follows the page without", async () => {
  const look = { width: 640, height: 360, theme: "dark" } as const;
  const history = await model.fit(x, [[0, 1]], { verbose: false });
  const charts: ((look: ChartLook) => Chart)[] = [
    (look) => plot({ data: [{ y: [1, 2] }] }, look),
    (look) => plot(lineChart([1, 2]), look),
    (look) => heatmap([[1, 2]], look),
    (look) => lineChart([1, 2], look),
    (look) => gateView(trace(model, x), look),
    (look) => plotModel(model, look),
    (look) => plot(history, look),
    (look) => memory(trace(model, x)).curves(look),
    (look) => attribute(model, x, { target: 0 }).heatmap(look),
    (look) => plot(attribute(model, x, { target: 0 }), look),
    (look) => compare(model, model).heatmap(look),
    (look) => compare(trace(model, x), trace(model, x)).heatmap(look),
    (look) => sweep.heatmap(look),
  ];
  const sweep = await patchSweep(model, x, { target: 0, verbose: false, sites: ["cellState"] });
  for (const chart of charts) {
    const { html, figure: { layout } } = await shown(chart(look));
    assertEquals([layout.width, layout.height], [640, 360]);
    assertEquals(layout.template.layout.paper_bgcolor, "#111111");
    assertEquals(layout.template.layout.font.color, "#e6e6e6");
    assert(isFixed(html));
    assertFalse(isFixed((await shown(chart({}))).html));
    const clear = await shown(chart({ background: "transparent" }));
    assertEquals(clear.figure.layout.template.layout.paper_bgcolor, "transparent");
    assertFalse(isFixed(clear.html), "text on nothing follows the page");
    assertThrows(() => chart({ width: 0 }), RangeError, "width must be a whole number of pixels");
  }
});

/** Whether the colours stay, whatever the page's are. */
function isFixed(html: string): boolean {
  return html.includes(', false, {"url"');
}

Deno.test("plot() refuses what is shown in another way, and parts that a figure has not", () => {
  assertThrows(
    () => plot(memory(trace(model, x))),
    TypeError,
    "it must be a chart, a figure or what is shown as a chart",
  );
  assertThrows(
    () => plot({ data: [], misspelt: 1 } as Figure),
    TypeError,
    "Cannot plot the figure: its parts are data, layout, frames, but misspelt was given",
  );
  assertEquals(plot(lineChart([1, 2])).text, lineChart([1, 2]).text);
});
