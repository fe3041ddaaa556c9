// A notebook's Markdown as HTML: raw HTML in it stays text, formulas become MathML, which needs no
// font and no script.

import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import typescript from "highlight.js/lib/languages/typescript";
import katex from "katex";
import MarkdownIt from "markdown-it";

hljs.registerLanguage("bash", bash);
hljs.registerLanguage("json", json);
hljs.registerLanguage("python", python);
hljs.registerLanguage("typescript", typescript);

/** A heading of a text. */
export interface Heading {
  readonly level: number;
  readonly id: string;
  /** What it says, as HTML. */
  readonly html: string;
}

/** What surrounds a text. */
export interface Surroundings {
  /** Begins the ids of its headings, which are the page's. */
  readonly idPrefix: string;
  /** Where a link goes. */
  readonly target: (href: string) => string;
}

/** A text as HTML, with its headings. */
export function markdown(
  source: string,
  { idPrefix, target }: Surroundings,
): { readonly html: string; readonly inline: string; readonly headings: readonly Heading[] } {
  const headings: Heading[] = [];
  const tokens = parser.parse(source, {});
  tokens.forEach((token, index) => {
    for (const child of token.children ?? []) {
      if (child.type === "link_open") child.attrSet("href", target(String(child.attrGet("href"))));
    }
    const inline = tokens[index + 1];
    if (token.type !== "heading_open" || inline === undefined) return;
    const id = `${idPrefix}-${slug(inline.content)}`;
    token.attrSet("id", id);
    const html = parser.renderer.renderInline(inline.children ?? [], parser.options, {});
    headings.push({ level: Number(token.tag.slice(1)), id, html });
  });
  const html = parser.renderer.render(tokens, parser.options, {});
  return { html, inline: html.trim().replace(/^<p>|<\/p>$/g, ""), headings };
}

/** Code with its words marked; escaped, as all else here. */
export function highlighted(code: string, language: string): string {
  return hljs.getLanguage(language) === undefined
    ? escaped(code)
    : hljs.highlight(code, { language }).value;
}

/** TeX as MathML; what cannot be read is shown as it is written. */
export function formula(tex: string, { display }: { readonly display: boolean }): string {
  return katex.renderToString(tex, { output: "mathml", displayMode: display, throwOnError: false });
}

/** Text for HTML, between tags and in quoted attributes. */
export function escaped(text: string): string {
  return parser.utils.escapeHtml(text).replaceAll("'", "&#39;");
}

const parser = new MarkdownIt({ html: false, highlight: highlighted });

// A page that stands alone loads no picture from elsewhere: its text is shown, as a link where it
// has one.
parser.renderer.rules.image = (tokens, index, options, env, self) => {
  const image = tokens[index]!;
  const text = self.renderInlineAsText(image.children ?? [], options, env);
  const source = String(image.attrGet("src"));
  if (source.startsWith("data:image/")) return self.renderToken(tokens, index, options);
  return `<a href="${escaped(source)}">${escaped(text || source)}</a>`;
};

parser.inline.ruler.before("escape", "formula", (state, silent) => {
  const rest = state.src.slice(state.pos, state.posMax);
  const [all, displayed, inline] =
    /^(?:\$\$([^]+?)\$\$|\$(?=[^\s$])((?:\\[^]|[^\\$])*?[^\s\\$]|[^\s\\$])\$(?!\d))/.exec(rest) ??
      [];
  if (all === undefined) return false;
  if (!silent) {
    const token = state.push("formula", "math", 0);
    token.content = displayed ?? inline ?? "";
    token.meta = { display: displayed !== undefined };
  }
  state.pos += all.length;
  return true;
});

// Lines of a formula may begin with what would be a list, a heading or a quote.
parser.block.ruler.before("fence", "formula", (state, first, end, silent) => {
  const line = (at: number) =>
    state.src.slice(state.bMarks[at]! + state.tShift[at]!, state.eMarks[at]);
  if (!line(first).startsWith("$$")) return false;
  let last = first;
  let text = line(first).trimEnd();
  while (!(text.length > 3 && text.endsWith("$$"))) {
    if (++last >= end) return false;
    text += `\n${line(last).trimEnd()}`;
  }
  const tex = text.slice(2, -2);
  if (tex.includes("$$")) return false; // two of them, with text between
  if (silent) return true;
  const token = state.push("formula", "math", 0);
  token.block = true;
  token.content = tex;
  token.meta = { display: true };
  state.line = last + 1;
  return true;
}, { alt: ["paragraph", "reference", "blockquote", "list"] });

parser.renderer.rules.formula = (tokens, index) => {
  const { content, meta } = tokens[index]!;
  return formula(content, { display: meta?.display === true });
};

/** `Why 32 columns, with 8 units?` is `why-32-columns-with-8-units`. */
function slug(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
}
