import { assert } from "@std/assert";
import { cellColor, partColor } from "../../lib/display/cell_color.ts";

type Color = readonly [number, number, number];

/** Page and text of the usual themes; a striped row's background where there is one. */
const THEMES: Record<string, { readonly pages: readonly Color[]; readonly text: Color }> = {
  "JupyterLab Light": { pages: [[255, 255, 255], [245, 245, 245]], text: [33, 33, 33] },
  "JupyterLab Dark": { pages: [[17, 17, 17], [33, 33, 33]], text: [225, 225, 225] },
  "VS Code Light+": { pages: [[255, 255, 255]], text: [59, 59, 59] },
  "VS Code Dark+": { pages: [[31, 31, 31]], text: [204, 204, 204] },
  "GitHub light": { pages: [[255, 255, 255]], text: [31, 35, 40] },
  "GitHub dark": { pages: [[13, 17, 23]], text: [230, 237, 243] },
  "nbconvert": { pages: [[255, 255, 255], [245, 245, 245]], text: [33, 33, 33] },
};

/** WCAG 2.1, relative luminance. */
function luminance(color: Color): number {
  const [r, g, b] = color.map((channel) => {
    const c = channel / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** WCAG 2.1, contrast ratio. */
function contrast(a: Color, b: Color): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

/** A see-through colour on a page. */
function over(style: string, page: Color): Color {
  const [r = 0, g = 0, b = 0, alpha = 0] = (style.match(/[\d.]+/g) ?? []).map(Number);
  return [r, g, b].map((channel, i) => channel * alpha + page[i]! * (1 - alpha)) as never;
}

Deno.test("Numbers on their colours keep a contrast of 4.5, light and dark", () => {
  for (const [theme, { pages, text }] of Object.entries(THEMES)) {
    for (const page of pages) {
      for (let value = -1; value <= 1; value += 0.05) {
        const ratio = contrast(text, over(cellColor(value, 1), page));
        assert(ratio >= 4.5, `${theme}: ${ratio.toFixed(2)} at ${value.toFixed(2)}`);
        const ofPart = contrast(text, over(partColor(Math.abs(value)), page));
        assert(ofPart >= 4.5, `${theme}: ${ofPart.toFixed(2)} of the part ${value.toFixed(2)}`);
      }
    }
  }
});

Deno.test("A colour grows with the magnitude, and there is none at zero", () => {
  const strength = (value: number) => Number(/,([\d.]+)\)/.exec(cellColor(value, 1))?.[1] ?? 0);
  assert(strength(0) === 0 && strength(0.2) < strength(0.6) && strength(0.6) < strength(1));
  assert(strength(-0.5) === strength(0.5) && cellColor(-0.5, 1) !== cellColor(0.5, 1));
});
