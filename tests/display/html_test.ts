import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { escapeHtml, escapePlotly, scriptJson } from "../../lib/display/html.ts";
import { html } from "../../lib/display/html_tag.ts";
import { JUPYTER_DISPLAY } from "../../lib/display/view.ts";
import { REFUSED } from "./hostile_templates.ts";

const HOSTILE = `</script><script>alert("1")</script>&'\u2028\u2029<!--`;

Deno.test("escapeHtml() leaves no character that HTML reads", () => {
  assertEquals(
    escapeHtml(`<a href="x" title='y'>&`),
    "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;",
  );
  assertFalse(/[<>"']/.test(escapeHtml(HOSTILE)));
});

Deno.test("scriptJson() cannot end its script, and reads back as it was", () => {
  const json = scriptJson({ label: HOSTILE });
  assertFalse(/[<\u2028\u2029]/.test(json));
  assertEquals(JSON.parse(json), { label: HOSTILE });
});

Deno.test("escapePlotly() leaves no tag, no TeX and no template", () => {
  assertEquals(
    escapePlotly("<b>a</b> $x$ %{y} &lt;"),
    "&lt;b&gt;a&lt;/b&gt; &#36;x&#36; &#37;{y} &amp;lt;",
  );
});

Deno.test("html`` keeps values text, HTML of its own HTML, and lists joined", async () => {
  const view = html`<p title="${HOSTILE}">${HOSTILE}${[html`<b>${1 < 2}</b>`, "<i>"]}</p>`;
  const bundle = await view[JUPYTER_DISPLAY]();
  assertEquals(bundle["text/html"], view.html);
  assertEquals(view.html.match(/<[^>]*?(?=[\s>])/g), ["<p", "<b", "</b", "</p"]);
  assertEquals(
    html`
      <p>a &lt; ${"<b>"}</p>
      <p>${null}c</p>
    `.text,
    "a < <b>\nc",
  );
});

for (const [place, write] of Object.entries(REFUSED)) {
  Deno.test(`html\`\` refuses a value ${place}`, () => {
    assertThrows(write, TypeError, "Cannot write the HTML: a value may stand in a text");
  });
}

Deno.test("html`` takes values in a text, and in quotes in an attribute that runs nothing", () => {
  const tag = html; // under which the formatter leaves it as it is
  const v = HOSTILE;
  const escaped = escapeHtml(HOSTILE);
  for (
    const [{ html: written }, expected] of [
      [tag`a < b, c <3 ${v}`, `a < b, c <3 ${escaped}`],
      [tag`<!-- > --><b>${v}</b>`, `<!-- > --><b>${escaped}</b>`],
      [tag`<b title="1 > 0" class='${v}'>`, `<b title="1 > 0" class='${escaped}'>`],
      [tag`<td a=1/b COLSPAN = "${2}" abbr="a${1}">`, `<td a=1/b COLSPAN = "2" abbr="a1">`],
      [tag`<script>f(1 < 2)</script>${v}`, `<script>f(1 < 2)</script>${escaped}`],
      [tag`<a href="${"https://keras.io/?a=1&b"}">`, `<a href="https://keras.io/?a=1&amp;b">`],
      [tag`<a href="https://keras.io/?q=${"a:b"}">`, `<a href="https://keras.io/?q=a:b">`],
      [tag`<a href="${"#a"}">`, `<a href="#a">`],
      [tag`<a href="${"page.html"}">`, `<a href="page.html">`],
      [tag`<img src="${"data:image/png;base64,AA"}">`, `<img src="data:image/png;base64,AA">`],
      [
        tag`<svg><rect x="${1}" fill="${"red"}"/></svg>`,
        `<svg><rect x="1" fill="red"/></svg>`,
      ],
      [tag`<b aria-label="${null}">`, `<b aria-label="">`],
    ] as const
  ) assertEquals(written, expected);
});
