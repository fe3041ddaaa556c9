import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { escapeHtml, escapePlotly, scriptJson } from "../../lib/display/html.ts";
import { REFUSED } from "./html_templates.ts";
import { html } from "../../lib/display/html_tag.ts";
import { JUPYTER_DISPLAY } from "../../lib/display/view.ts";

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

Deno.test("html`` refuses a value where it could run or break out", () => {
  const run = "javascript:alert(1)";
  for (
    const write of [
      () => html`<script>${run}</script>`,
      () => html`<style>${run}</style>`,
      () => html`<b onclick="${run}">x</b>`,
      () => html`<b title=${run}>x</b>`,
      () => html`<b ${run}>x</b>`,
      () => html`<a href="${run}">x</a>`,
      () => html`<a href="${" jAva\tscript:alert(1)"}">x</a>`,
      () => html`<a href="java${"script:alert(1)"}">x</a>`,
      () => html`<img src="${"data:text/html,<script>"}">`,
    ]
  ) {
    assertThrows(write, TypeError, "Cannot write the HTML");
  }
  assertEquals(html`<a href="${"https://keras.io/?a=1&b"}">x</a>`.html.includes("&amp;b"), true);
});

Deno.test("html`` refuses each of 60 templates in which a value would run or break out", () => {
  REFUSED.forEach((write, k) => {
    assertThrows(write, TypeError, "Cannot write the HTML", `${k}: ${write}`);
  });
  assert(REFUSED.length >= 60);
});
