// A chart's size and colours: options of every chart, and of every picture.

import { amongNames } from "../base/names.ts";
import type { KeysOf } from "../base/options.ts";
import { CHART_TEMPLATE, CLEAR_TEMPLATE, followsPage, templateWith } from "./chart_template.ts";
import type { Figure } from "./plain_figure.ts";

/** A chart's size and colours. */
export interface ChartLook {
  /** In pixels. Default: that of the page; in a picture 760. */
  readonly width?: number;
  /** In pixels. Default: what the chart needs. */
  readonly height?: number;
  /** Dark text on white, or light text on black. Default: the page's; in a picture `"light"`. */
  readonly theme?: "light" | "dark";
  /** A CSS colour behind all, or `"transparent"`. Default: the theme's. */
  readonly background?: string;
}

/** The names of a look, for the table of a view's options. */
export const LOOK: KeysOf<ChartLook> = {
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

/** What of a view's options is its look, to be handed on. */
export function lookOf({ width, height, theme, background }: ChartLook): ChartLook {
  return {
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(theme === undefined ? {} : { theme }),
    ...(background === undefined ? {} : { background }),
  };
}

/**
 * The figure in another size and other colours; what is not given stays.
 *
 * @throws {RangeError} where one of them is out of range.
 */
export function withLook(figure: Figure, look: ChartLook, action: string): Figure {
  checkLook(look, action);
  const { theme, background, ...size } = lookOf(look);
  if (theme === undefined && background === undefined) {
    return Object.keys(size).length === 0
      ? figure
      : { ...figure, layout: { ...figure.layout, ...size } };
  }
  const { template = CHART_TEMPLATE } = (figure.layout ?? {}) as { readonly template?: object };
  return {
    ...figure,
    layout: { ...figure.layout, ...size, template: colored(template, theme, background) },
  };
}

/** Text on a colour of its own is the light theme's, text on nothing the page's. */
function colored(
  template: object,
  theme: ChartLook["theme"],
  background: string | undefined,
): object {
  if (theme === undefined && background === "transparent") {
    return followsPage(template) ? CLEAR_TEMPLATE : templateWith(template, undefined, background);
  }
  const colors = THEMES[theme ?? "light"];
  return templateWith(template, colors.text, background ?? colors.background);
}

/**
 * The same as CSS declarations, for what is no figure.
 *
 * @throws {RangeError} where one of them is out of range.
 */
export function lookCss(look: ChartLook, action: string): string {
  checkLook(look, action);
  const { width, height, theme, background } = look;
  const colors = theme && THEMES[theme];
  return [
    width && `width:${width}px`,
    height && `height:${height}px;overflow:auto`,
    colors && `color:${colors.text};color-scheme:${theme}`,
    (background ?? colors?.background) &&
    `background:${background ?? colors?.background};padding:8px`,
  ].filter(Boolean).join(";");
}

function checkLook(
  { theme = "light", background = "white", width, height }: ChartLook,
  action: string,
): void {
  if (!Object.hasOwn(THEMES, theme)) {
    throw new RangeError(
      `Cannot ${action}: theme must be ${amongNames(theme, Object.keys(THEMES))}`,
    );
  }
  if (typeof background !== "string" || !COLOR.test(background)) {
    throw new RangeError(
      `Cannot ${action}: background must be a CSS colour or "transparent", ` +
        `but it is ${JSON.stringify(background)}`,
    );
  }
  for (const [name, pixels = 1] of Object.entries({ width, height })) {
    if (Number.isInteger(pixels) && pixels > 0 && pixels <= MOST_PIXELS) continue;
    throw new RangeError(
      `Cannot ${action}: ${name} must be a whole number of pixels up to ${MOST_PIXELS}, ` +
        `but it is ${pixels}`,
    );
  }
}
