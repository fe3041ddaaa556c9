// The pictures that are drawn without a browser, beside what Chromium draws of the same figures.

import { assert, assertEquals } from "@std/assert";
import { toSvg } from "@gatescope/lstm";
import { plotlyBundle } from "../../lib/display/plotly_bundle.ts";
import { PICTURE_WIDTH } from "../../lib/display/draw_picture.ts";
import { stillFigure } from "../../lib/display/still.ts";
import { plainFigure } from "../../lib/display/plain_figure.ts";
import { textWidth } from "../../lib/display/text_width.ts";
import { fitTitle, TITLE_EDGE } from "../../lib/display/title_lines.ts";
import { hacked, launch, openPage, screenshot } from "./browser.ts";
import { charts } from "./gallery.ts";
import { frontEnds } from "./setup.ts";

/** Share of pixels that may differ. */
const MOST_DIFFERENT = 0.005;
/** Of 255, over the three channels; less is smoothing. */
const DIFFERENT = 96;

const needed = await frontEnds();

Deno.test("A picture without a browser differs from Chromium's in under 0.5 % of its pixels", async () => {
  await using browser = await launch(needed.browser);
  const { page, errors } = await openPage(browser);
  await page.addScriptTag({ content: await plotlyBundle() });
  const shares: Record<string, number> = {};
  for (const [name, view] of Object.entries(charts())) {
    const { data, layout } = view;
    const { height } = layout as { height: number };
    const size = { width: PICTURE_WIDTH, height };
    const figure = stillFigure(plainFigure({ data, layout: { ...layout, ...size } }));
    const svg = await toSvg(figure); // its slider is gone in both
    const room = PICTURE_WIDTH - 2 * TITLE_EDGE; // long titles stand on several lines in both
    const { title, margin } = fitTitle(figure.layout, room, textWidth);
    const fitted = { ...figure, layout: { ...figure.layout, title, margin } };
    shares[name] = await page.evaluate(async ({ figure, size, svg, DIFFERENT }) => {
      // deno-lint-ignore no-explicit-any
      const { document, Plotly, Image } = globalThis as any;
      const pixelsOf = async (source: string) => {
        const image = new Image();
        image.src = source;
        await image.decode();
        document.body.append(image);
        const canvas = document.createElement("canvas");
        Object.assign(canvas, size);
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0, size.width, size.height);
        return context.getImageData(0, 0, size.width, size.height).data;
      };
      const theirs = await pixelsOf(
        await Plotly.toImage(structuredClone(figure), { format: "svg", ...size }),
      );
      const bytes = new TextEncoder().encode(svg);
      const ours = await pixelsOf(
        `data:image/svg+xml;base64,${btoa(String.fromCharCode(...bytes))}`,
      );
      // A text may be a pixel wider there, by kerning, and shift what stands beside it by one.
      const near = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => 4 * (dy * size.width + dx)));
      let different = 0;
      for (let i = 0; i < ours.length; i += 4) {
        const same = near.some((shift) => {
          const j = i + shift;
          return Math.abs(ours[i] - theirs[j]) + Math.abs(ours[i + 1] - theirs[j + 1]) +
              Math.abs(ours[i + 2] - theirs[j + 2]) <= DIFFERENT;
        });
        if (!same) different++;
      }
      return different / (ours.length / 4);
    }, { figure: JSON.parse(JSON.stringify(fitted)), size, svg, DIFFERENT });
  }
  await screenshot(page, "pictures_beside_chromium");
  assert(Object.values(shares).every((share) => share < MOST_DIFFERENT), JSON.stringify(shares));
  assertEquals(await hacked(page), undefined);
  assertEquals(errors, []);
});

Deno.test("A picture opened as a page runs nothing of a hostile label", async () => {
  await using browser = await launch(needed.browser);
  const folder = await Deno.makeTempDir();
  for (const [name, view] of Object.entries(charts())) {
    await Deno.writeTextFile(`${folder}/${name}.svg`, await toSvg(view));
    const { page, errors } = await openPage(browser, `file://${folder}/${name}.svg`);
    assertEquals(await hacked(page), undefined);
    assertEquals(errors, []);
    await page.close();
  }
  await Deno.remove(folder, { recursive: true });
});
