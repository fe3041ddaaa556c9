import { assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import type { Notebook, Output } from "../../notebooks/notebook.ts";
import { writePage } from "../../notebooks/page.ts";
import { markdown } from "../../notebooks/page_markdown.ts";

const HOSTILE = `</script><script>hacked()</script><img src=x onerror="hacked()">"'`;
const around = { idPrefix: "00_a", target: (href: string) => href };
const html = (source: string) => markdown(source, around).html;

/** A notebook of one text and one cell, with these outputs. */
function notebook(text: string, source = "1", outputs: Output[] = []): Notebook {
  return {
    cells: [
      { cell_type: "markdown", metadata: {}, source: text },
      { cell_type: "code", metadata: {}, source, execution_count: 1, outputs },
    ],
    metadata: { kernelspec: { name: "deno", display_name: "Deno", language: "typescript" } },
    nbformat: 4,
    nbformat_minor: 5,
  };
}

/** What of the page is the notebooks'. */
function mainOf(page: string): string {
  return page.slice(page.indexOf("<nav"), page.lastIndexOf("</main>")); // its own script follows
}

Deno.test("markdown() writes formulas as MathML, inline, alone, and over several lines", () => {
  assertMatch(html("the gate $i_t$ is"), /^<p>the gate <span class="katex"><math[^]*<\/p>\n$/);
  assertMatch(html("$$z = xW + b$$"), /^<span class="katex"><math[^>]*display="block"/);
  assertMatch(
    html("of\n\n$$\n\\begin{aligned}\na &= b \\\\\n- c &= d\n\\end{aligned}\n$$\n"),
    /<mtable/,
  );
  assertMatch(html("$$a$$ and $$b$$"), /display="block"[^]* and [^]*display="block"/);
  assertMatch(html("| a |\n| - |\n| $x^2$ |"), /<td><span class="katex">/);
});

Deno.test("markdown() leaves dollars alone that are no formula", () => {
  for (const text of ["from $5 to $10", "a $ b $ c", "`$x$`", "\\$x\\$", "$$ never ends"]) {
    assertFalse(html(text).includes("<math"), text);
  }
});

Deno.test("markdown() keeps HTML as text, and refuses links that run something", () => {
  const shown = html(`${HOSTILE}\n\n[k](javascript:hacked()) ![p](javascript:hacked())`);
  assertFalse(/<(?:script|img)/.test(shown) || /href="javascript/.test(shown), shown);
  assertEquals(
    html("![a <b>](https://example.org/a.png)"),
    `<p><a href="https://example.org/a.png">a &lt;b&gt;</a></p>\n`,
  );
  assertFalse(html("$\\href{javascript:hacked()}{x}$").includes("href="));
  assertFalse(html("$\\text{<img src=x onerror=hacked()>}$").includes("<img"));
  assertFalse(html("$\\undefined{<img src=x>}$").includes("<img"));
});

Deno.test("writePage() escapes source, text and errors, and takes an output's HTML as it is", async () => {
  const outputs: Output[] = [
    { output_type: "stream", name: "stdout", text: [`\u001b[33m${HOSTILE}\u001b[39m`] },
    { output_type: "error", ename: HOSTILE, evalue: HOSTILE, traceback: [HOSTILE] },
    { output_type: "display_data", data: { "text/plain": HOSTILE }, metadata: {} },
    {
      output_type: "display_data",
      data: { "image/svg+xml": `<svg>${HOSTILE}</svg>`, "text/plain": HOSTILE },
      metadata: {},
    },
    { output_type: "display_data", data: { "image/png": HOSTILE }, metadata: {} },
    {
      output_type: "execute_result",
      execution_count: 1,
      data: { "text/html": ["<b>", "bold</b>"], "text/plain": "bold" },
      metadata: {},
    },
  ];
  const book = notebook(`# ${HOSTILE}`, HOSTILE, outputs);
  for (const cell of book.cells) Object.assign(cell, { execution_count: HOSTILE });
  Object.assign(book.metadata, { kernelspec: { language: HOSTILE } });
  const page = mainOf(await writePage([{ name: `00_${HOSTILE}`, notebook: book }]));
  assertFalse(/<script|<img src=x/.test(page) || page.includes("\u001b"), page);
  assertStringIncludes(page, "<b>bold</b>");
  assertMatch(page, /<img alt="[^"<>]*" src="data:image\/svg\+xml,[^"<>]*">/);
  assertMatch(page, /<img alt="" src="data:image\/png;base64,[^"<>]*">/);
});

Deno.test("writePage() lists every notebook and its parts, and links them within the page", async () => {
  const page = await writePage([
    {
      name: "00_a",
      notebook: notebook("# A `b`\n\n[next](01_b.ipynb) [far](02_c.ipynb)\n\n## Part one"),
    },
    { name: "01_b", notebook: notebook("# B", "const a = 1; // <") },
  ]);
  const main = mainOf(page);
  assertStringIncludes(main, `<li value="0"><a href="#00_a">A <code>b</code></a>`);
  assertStringIncludes(main, `<li><a href="#00_a-part-one">Part one</a></li>`);
  assertStringIncludes(main, `<h2 id="00_a-part-one">Part one</h2>`);
  assertStringIncludes(main, `<a href="#01_b">next</a> <a href="02_c.ipynb">far</a>`);
  assertStringIncludes(main, `<span class="hljs-keyword">const</span>`);
  assertStringIncludes(main, `<span class="hljs-comment">// &lt;</span>`);
  assertStringIncludes(page, `content="default-src 'none';`);
  assertEquals(
    page.match(/globalThis\.Plotly\?\.newPlot\) \{/g)?.length,
    1,
    "Plotly is there once",
  );
});

Deno.test("a page of a single notebook says so", async () => {
  const page = await writePage([{ name: "00_a", notebook: notebook("# A") }]);
  assertStringIncludes(page, "<p>A notebook that opens up recurrent networks");
});
