// How a picture differs from its chart: its size, its colours, and no slider, which nobody could drag.

import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import { CHART_TEMPLATE } from "./chart_template.ts";
import { escapePlotly } from "./html.ts";
import type { Plain, PlainFigure } from "./plain_figure.ts";

/** A picture's size and colours. */
export interface PictureOptions {
  /** In pixels. Default: the figure's, or 760. */
  readonly width?: number;
  /** In pixels. Default: the figure's. */
  readonly height?: number;
  /** Dark text on white, or light text on black. Default: `"light"`. */
  readonly theme?: "light" | "dark";
  /** A CSS colour behind all, or `"transparent"`. Default: the theme's. */
  readonly background?: string;
}

const OPTIONS: KeysOf<PictureOptions> = {
  width: "optional",
  height: "optional",
  theme: "optional",
  background: "optional",
};
const THEMES = {
  light: { text: "#222222", background: "#ffffff" },
  dark: { text: "#e6e6e6", background: "#111111" },
};
/** A name, a hexadecimal colour or a function of numbers; nothing that could end an attribute. */
const COLOR = /^(?:[a-z]+|#[0-9a-f]{3,8}|(?:rgb|hsl)a?\([\d.,%\s]+\))$/i;
const MOST_PIXELS = 10_000;
/** Below the axes, where a slider was. */
const BELOW = 56;

/**
 * The figure as a picture of it is drawn.
 *
 * @throws {RangeError} where an option is out of range.
 */
export function pictureFigure(
  { data, layout, frames }: PlainFigure,
  options: PictureOptions,
  action: string,
): PlainFigure {
  checkOptions(action, options, OPTIONS);
  const { theme = "light" } = options;
  if (!Object.hasOwn(THEMES, theme)) {
    throw new RangeError(
      `Cannot ${action}: theme must be ${amongNames(theme, Object.keys(THEMES))}`,
    );
  }
  const { background = THEMES[theme].background } = options;
  if (typeof background !== "string" || !COLOR.test(background)) {
    throw new RangeError(
      `Cannot ${action}: background must be a CSS colour or "transparent", ` +
        `but it is ${JSON.stringify(background)}`,
    );
  }
  const size: Record<string, number> = {};
  for (const name of ["width", "height"] as const) {
    const pixels = options[name];
    if (pixels === undefined) continue;
    if (!(Number.isInteger(pixels) && pixels > 0 && pixels <= MOST_PIXELS)) {
      throw new RangeError(
        `Cannot ${action}: ${name} must be a whole number of pixels up to ${MOST_PIXELS}, ` +
          `but it is ${pixels}`,
      );
    }
    size[name] = pixels;
  }
  const { sliders, updatemenus: _, ...still } = layout;
  return {
    data,
    layout: {
      ...still,
      ...size,
      title: titled(layout.title, sliders),
      ...(sliders !== undefined &&
        { margin: { ...(layout.margin as Plain | undefined), b: BELOW } }),
      template: templateOf(layout.template ?? CHART_TEMPLATE, THEMES[theme].text, background),
    },
    frames,
  };
}

/** A template with these colours; one of the figure's own keeps all else. */
function templateOf(template: unknown, color: string, background: string): Plain {
  const { layout = {}, ...rest } = template as { readonly layout?: Plain };
  const font = { ...(layout.font as Plain | undefined), color };
  return {
    ...rest,
    layout: { ...layout, font, paper_bgcolor: background, plot_bgcolor: background },
  };
}

/** A slider's position, which it would have said itself, below the title. */
function titled(title: unknown, sliders: unknown): unknown {
  const [slider] = (Array.isArray(sliders) ? sliders : []) as Plain[];
  if (slider === undefined) return title;
  const { active = 0, steps = [], currentvalue } = slider as {
    readonly active?: number;
    readonly steps?: readonly { readonly label?: unknown }[];
    readonly currentvalue?: { readonly prefix?: string };
  };
  const text = `${currentvalue?.prefix ?? ""}${
    escapePlotly(String(steps[active]?.label ?? active))
  }`;
  return { ...(title as Plain | undefined), subtitle: { text } };
}
