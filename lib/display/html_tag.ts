// HTML of a notebook author's own, in which values stay text.

import { kindOf } from "../base/kind.ts";
import { escapeHtml } from "./html.ts";
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
 * @throws {TypeError} where a value would become a script, a style or a part of a tag's own syntax.
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
  let source = parts[0] ?? "";
  values.forEach((value, index) => {
    source += valueAt(source, value) + (parts[index + 1] ?? "");
  });
  return new Html(source);
}

/** A value as it may stand after this much HTML. */
function valueAt(before: string, value: unknown): string {
  const open = before.lastIndexOf("<") > before.lastIndexOf(">");
  const raw = /<(script|style|textarea|title|iframe)\b(?:(?!<\/\1)[\s\S])*$/i.exec(before)?.[1];
  if (raw !== undefined && !open) throw refusal(`inside <${raw}>`);
  if (!open) return contentOf(value);
  const attribute = /\s([^\s"'=<>/]+)\s*=\s*(?:"[^"]*|'[^']*)$/.exec(before)?.[1]?.toLowerCase();
  if (attribute === undefined) throw refusal("inside a tag without quotes around it");
  if (attribute.startsWith("on") || attribute === "style" || attribute === "srcdoc") {
    throw refusal(`in the attribute ${attribute}`);
  }
  const text = String(value);
  // A browser ignores blanks and control characters in a URL's scheme.
  const scheme = /^([^/?#]*?):/.exec(text.replace(/[\s\p{Cc}]/gu, ""))?.[1]?.toLowerCase();
  const url = /^(?:href|src|action|formaction|xlink:href|poster|data)$/.test(attribute);
  const safe = scheme === undefined || /^(?:https?|mailto)$/.test(scheme) ||
    /^\s*data:image\/(?:png|jpeg|gif|svg\+xml)[;,]/.test(text);
  if (url && (!safe || /=\s*["'][^"']+$/.test(before) && /[:]/.test(text))) {
    throw refusal(`as the ${attribute} ${JSON.stringify(text.slice(0, 40))}`);
  }
  return escapeHtml(text);
}

function contentOf(value: unknown): string {
  if (value instanceof Html) return value.html;
  if (Array.isArray(value)) return value.map(contentOf).join("");
  return value === undefined || value === null ? "" : escapeHtml(String(value));
}

function refusal(where: string): TypeError {
  return new TypeError(
    "Cannot write the HTML as a value may stand between tags or in a quoted attribute only: " +
      `a value is ${where}`,
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
