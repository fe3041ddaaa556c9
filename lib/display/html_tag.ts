// HTML of a notebook author's own, in which values stay text.

import { kindOf } from "../base/kind.ts";
import { visible } from "../base/visible.ts";
import { escapeHtml } from "./html.ts";
import { type Place, placeAfter, TEXT } from "./html_place.ts";
import { View } from "./view.ts";

/** HTML made by {@linkcode html}; inside another one it stays HTML. */
export class Html extends View {
  /** The HTML itself. */
  readonly html: string;

  /** {@linkcode html} makes it: this constructor takes what it is given as it is. */
  constructor(source: string) {
    if (typeof source !== "string") {
      throw new TypeError(`Cannot show HTML: it must be a text, but ${kindOf(source)} was given`);
    }
    super(textOf(source), () => ({ "text/html": source }));
    this.html = source;
  }
}

/**
 * Shows HTML. What stands between `${` and `}` becomes text, whatever is in it; HTML made by
 * another `html` stays HTML, and a list is joined.
 *
 * A value may stand in a text, and in quotes as an attribute that only labels, sizes or places
 * something (`title`, `alt`, `class`, `aria-…`, `width`, `x`, `fill` and their like); as a link's
 * `href` or a picture's `src`, where it leads to no script.
 *
 * @throws {TypeError} where a value stands anywhere else.
 *
 * @example
 * ```ts
 * import { html } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const names = ["<lstm>", "dense"];
 * const list = html`<ul>${names.map((name) => html`<li>${name}</li>`)}</ul>`;
 * assertEquals(list.html, "<ul><li>&lt;lstm&gt;</li><li>dense</li></ul>");
 * ```
 */
export function html(parts: TemplateStringsArray, ...values: readonly unknown[]): Html {
  let [source, place] = [parts[0] ?? "", placeAfter(TEXT, parts[0] ?? "")];
  values.forEach((value, index) => {
    const next = parts[index + 1] ?? "";
    if (place.in === "text") {
      source += contentOf(value);
    } else {
      const text = value === undefined || value === null ? "" : String(value);
      checkAttribute(place, text, next);
      place = { ...(place as Attribute), before: (place as Attribute).before + text };
      source += escapeHtml(text);
    }
    source += next;
    place = placeAfter(place, next);
  });
  return new Html(source);
}

type Attribute = Extract<Place, { in: "attribute" }>;

/** Attributes that label, size or place: none of them loads or runs anything. */
const SAFE = new Set(
  ("abbr align alt class colspan datetime dir for headers height high id label lang low max min " +
    "optimum placeholder role rowspan scope size span start step tabindex title valign value width " +
    "cx cy d dx dy fill fill-opacity font-family font-size font-weight gradienttransform offset " +
    "opacity pathlength points preserveaspectratio r rotate rx ry stop-color stop-opacity stroke " +
    "stroke-dasharray stroke-linecap stroke-linejoin stroke-opacity stroke-width text-anchor " +
    "textlength transform viewbox x x1 x2 y y1 y2").split(" "),
);

/** They run, load or change something: what their attributes mean is their own affair. */
const ACTIVE =
  /^(?:\/|(?:script|style|iframe|frame|object|embed|applet|param|meta|base|link|set|animate.*)$)/;

/** Throws where the value could run in a browser, or become a part of the tag. */
function checkAttribute(place: Place, text: string, next: string): void {
  if (place.in !== "attribute") throw refusal(describe(place));
  const { element, attribute, quote, before } = place;
  if (!ACTIVE.test(element)) {
    if (SAFE.has(attribute) || /^aria-[a-z]+$/.test(attribute)) return;
    const isLink = attribute === "href" && /^(?:a|area)$/.test(element);
    const isPicture = attribute === "src" && element === "img";
    if (isLink || isPicture) {
      const isWhole = before === "" && next.startsWith(quote);
      if (leadsNowhereElse(before, text, isWhole, isPicture)) return;
      throw refusal(`the ${attribute} ${JSON.stringify(visible(text.slice(0, 40)))}`);
    }
  }
  throw refusal(`in the attribute ${attribute} of <${element}>`);
}

/** Whether the URL's scheme is settled, and runs no script. */
function leadsNowhereElse(
  before: string,
  text: string,
  isWhole: boolean,
  isPicture: boolean,
): boolean {
  const settled = /^(?:https?:|mailto:|[./?#])/i;
  // A browser ignores blanks and control characters in a URL's scheme.
  const url = text.replace(/[\s\p{Cc}]/gu, "");
  if (before !== "") return settled.test(before);
  if (settled.test(url) || isWhole && !url.includes(":")) return true;
  return isPicture && /^data:image\/(?:png|jpeg|gif|webp|svg\+xml)[;,]/i.test(url);
}

function contentOf(value: unknown): string {
  if (value instanceof Html) {
    // Its own values are where they may stand, as long as it ends where it began.
    const end = placeAfter(TEXT, value.html);
    if (end.in !== "text") throw refusal(`HTML that ends ${describe(end)}`);
    return value.html;
  }
  if (Array.isArray(value)) return value.map(contentOf).join("");
  return value === undefined || value === null ? "" : escapeHtml(String(value));
}

function describe(place: Place): string {
  return place.in === "other" ? place.where : place.in === "text" ? "in a text" : "in an attribute";
}

function refusal(where: string): TypeError {
  return new TypeError(
    "Cannot write the HTML: a value may stand in a text, or in quotes in an attribute that only " +
      `labels, sizes or places, or leads to no script, but one is ${where}`,
  );
}

/** What is left without tags: for a terminal. */
function textOf(source: string): string {
  return source
    .replace(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, "")
    .replace(/<(?:br|\/p|\/li|\/tr|\/h[1-6]|\/div)\b[^>]*>/gi, "\n")
    .replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'").replaceAll("&amp;", "&")
    .replace(/[^\S\n]+/g, " ").replace(/ ?\n\s*/g, "\n").trim();
}
