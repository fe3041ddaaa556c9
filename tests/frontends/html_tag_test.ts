// Each place of a value that the html tag allows, with each hostile value, in a real Chromium.

import { type Html, html } from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { hacked, launch, openPage } from "./browser.ts";
import { HOSTILE } from "./gallery.ts";
import { frontEnds } from "./setup.ts";

const needed = await frontEnds();

const VALUES = [
  HOSTILE,
  "x onerror=hacked=1",
  `" onmouseover="hacked=1" x="`,
  `' onclick='hacked=1' x='`,
  "`onclick=hacked=1`",
  "javascript:hacked=1",
  " \tJava\nScript:hacked=1",
  "\0javascript:hacked=1",
  "--><script>hacked=1</script>",
  "]]><script>hacked=1</script>",
  "&#34; onclick=&#34;hacked=1",
  "&lt;script&gt;hacked=1&lt;/script&gt;",
  "data:text/html,<script>opener.hacked=1</script>",
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='parent.hacked=1'/>",
  "\u2028hacked=1\u2029",
  "<svg onload=hacked=1>",
  "x".repeat(10_000) + "<img src=x onerror=hacked=1>",
];

// Under another name: the formatter would mend what stands in html`…`.
const tag = html;

const PLACES: readonly ((v: string) => Html)[] = [
  (v) => tag`<p>${v}</p>`,
  (v) => tag`a < ${v}`,
  (v) => tag`<p>${[tag`<b>${v}</b>`, v]}</p>`,
  (v) => tag`<b title="1 > 0" class="${v}">k</b>`,
  (v) => tag`<b id='${v}' title='a"${v}'>k</b>`,
  (v) => tag`<b a=">"title="${v}">k</b>`,
  (v) => tag`<a href="${v}">k</a>`,
  (v) => tag`<a href='#${v}'>k</a>`,
  (v) => tag`<a href="./${v}">k</a>`,
  (v) => tag`<img alt="${v}" src="${v}">`,
  (v) => tag`<img alt=">" width="${v}" src="data:image/png,${v}">`,
  (v) => tag`<svg><text y="20" fill="${v}" transform="${v}">${v}</text></svg>`,
  (v) => tag`<svg><a href="${v}"><text y="20">k</text></a></svg>`,
  (v) => tag`<math><mi class="${v}">${v}</mi></math>`,
  (v) => tag`<svg><foreignObject width="9" height="9"><p>${v}</p></foreignObject></svg>`,
  (v) => tag`<table><tr title="${v}">${v}<td colspan="${v}">${v}</table>`,
  (v) => tag`<select><option value="${v}" label="${v}">${v}</select>`,
  (v) => tag`<input value="${v}" placeholder="${v}">`,
  (v) => tag`<script>f = 1 < 2</script><style>b > i {}</style><!-- > --><i>${v}</i>`,
  (v) => tag`<!--><b title="-->${v}">k</b>`,
  (v) => tag`<template><p title="${v}">${v}</p></template>`,
];

Deno.test("Nothing that html`` writes runs a value, hovered and clicked in Chromium", async () => {
  const written = PLACES.flatMap((place) =>
    VALUES.flatMap((value) => {
      try {
        return [place(value).html];
      } catch (error) {
        assert(error instanceof TypeError && error.message.startsWith("Cannot write the HTML"));
        return [];
      }
    })
  );
  assert(written.length > 250, `${written.length} templates were taken`);
  await using browser = await launch(needed.browser);
  const { page, errors } = await openPage(browser);
  for (const source of written) {
    await page.setContent(source);
    await page.evaluate(() => {
      // deno-lint-ignore no-explicit-any
      const { document, MouseEvent } = globalThis as any;
      document.addEventListener("click", (event: Event) => {
        // deno-lint-ignore no-explicit-any
        const href = (event.target as any).closest("a")?.href;
        if (!String(href?.baseVal ?? href).startsWith("javascript:")) event.preventDefault();
      });
      for (const element of document.querySelectorAll("*")) {
        for (const type of ["mouseover", "focus", "click"]) {
          element.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true }));
        }
      }
    });
    assertEquals(await hacked(page), undefined, source.slice(0, 300));
  }
  assertEquals(errors.filter((error) => error.startsWith("dialog")), []);
});
