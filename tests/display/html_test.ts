import { assertEquals, assertFalse } from "@std/assert";
import { escapeHtml, escapePlotly, scriptJson } from "../../lib/display/html.ts";

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
