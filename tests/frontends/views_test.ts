// Every public view at three sizes, in light and dark, on a wide and a narrow screen: nothing lies on
// anything else. The screenshots are in artefacts/, to be looked at.

import { assertEquals } from "@std/assert";
import { galleryPage, SIZES } from "../views/gallery.ts";
import { drawAll, launch, openPage, screenshot, unreadableTexts } from "./browser.ts";
import { frontEnds } from "./setup.ts";

const needed = await frontEnds();
const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

for (const [name, size] of Object.entries(SIZES)) {
  Deno.test(`Every view of ${size.samples} × ${size.timesteps} × ${size.units} is readable, wide and narrow`, async () => {
    const file = `${folder}/${name}.html`;
    await Deno.writeTextFile(file, await galleryPage(size));
    await using browser = await launch(needed.browser);
    for (
      const [width, colorScheme] of [
        [1280, "light"],
        [1280, "dark"],
        [900, "light"],
        [900, "dark"],
        [400, "light"],
      ] as const
    ) {
      const { page, errors } = await openPage(browser);
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 1000 });
      await page.goto(`file://${file}`);
      await drawAll(page);
      await screenshot(page, `views_${name}_${width}_${colorScheme}`);
      assertEquals(await unreadableTexts(page), [], `${width} px, ${colorScheme}`);
      const wide = await page.evaluate(() => {
        // deno-lint-ignore no-explicit-any
        return (globalThis as any).document.documentElement.scrollWidth;
      });
      assertEquals(wide, width, "the page is no wider than the screen");
      assertEquals(errors, []);
      await page.close();
    }
  });
}
