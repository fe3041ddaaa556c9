// What the html tag lets through, in a browser that would run it: loaded, hovered, clicked, focused.

import { assert, assertEquals } from "@std/assert";
import { KEPT } from "../display/html_templates.ts";
import { hacked, launch, openPage } from "./browser.ts";
import { frontEnds } from "./setup.ts";

const needed = await frontEnds();

Deno.test("no value of the html tag runs in Chromium, whatever is done to the page", async () => {
  await using browser = await launch(needed.browser);
  for (const write of KEPT) {
    const { page } = await openPage(browser);
    await page.setContent(`<!doctype html><body>${write().html}</body>`);
    await page.evaluate(() => {
      // deno-lint-ignore no-explicit-any
      for (const element of (globalThis as any).document.querySelectorAll("body *")) {
        for (const kind of ["mouseover", "click", "focus", "load", "error", "begin"]) {
          const isLink = element.closest("a[href^=http]") !== null;
          if (!(kind === "click" && isLink)) element.dispatchEvent(new Event(kind));
        }
      }
    });
    await page.waitForTimeout(50);
    assertEquals(await hacked(page), undefined, `${write}`);
    await page.close();
  }
  const { page } = await openPage(browser);
  await page.setContent(`<img src=x onerror="window.hacked=1">`);
  await page.waitForTimeout(50);
  assert(await hacked(page) === 1, "the page runs what is let through");
});
