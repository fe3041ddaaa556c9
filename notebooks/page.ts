// All executed notebooks on one page that needs nothing else: no network, no server, no kernel.

import { embedPlotly } from "@gatescope/lstm";
import { stripVTControlCharacters } from "node:util";
import {
  type CodeCell,
  joinLines,
  type MediaBundle,
  type Multiline,
  type Notebook,
  type Output,
} from "./notebook.ts";
import { escaped, formula, type Heading, highlighted, markdown } from "./page_markdown.ts";

/** A notebook by the name of its file, without the ending. */
export interface NamedNotebook {
  readonly name: string;
  readonly notebook: Notebook;
}

interface Section {
  readonly name: string;
  readonly html: string;
  readonly headings: readonly Heading[];
  /** What it is about, as HTML. */
  readonly about: string;
}

/** The browser is told that nothing of the page comes from elsewhere; its own scripts run. */
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; " +
  "style-src 'unsafe-inline'; img-src data: blob:; form-action 'none'; base-uri 'none'";

/** Headings up to this level are in the table of contents. */
const DEEPEST_LISTED = 2;

/** Open where there is room beside the text; elsewhere a bar that a chosen link closes. */
const CONTENTS = `const contents = document.querySelector("nav details");
const wide = matchMedia("(min-width: 84rem)");
const place = () => contents.open = wide.matches;
place();
wide.addEventListener("change", place);
contents.addEventListener("click", ({ target }) => {
  if (target.closest("a") && !wide.matches) contents.open = false;
});`;

/** Writes the page: what it is, contents, notebooks, and Plotly once. */
export async function writePage(notebooks: readonly NamedNotebook[]): Promise<string> {
  const style = await Deno.readTextFile(new URL("page.css", import.meta.url));
  const sections = notebooks.map((notebook) => sectionOf(notebook, notebooks));
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gatescope: the notebooks</title>
<link rel="icon" href="data:,">
<style>
${style}</style>
</head>
<body id="top">
<div hidden>${await plotly()}</div>
${opening(sections)}
${contents(sections)}
<main>
${sections.map(({ html }) => html).join("\n")}
</main>
<script>
${CONTENTS}
</script>
</body>
</html>
`;
}

async function plotly(): Promise<string> {
  const view = embedPlotly() as unknown as Record<symbol, () => Promise<MediaBundle>>;
  const { "text/html": html } = await view[Symbol.for("Jupyter.display")]!();
  return String(html);
}

/** What the page is, and what each notebook is about. */
function opening(sections: readonly Section[]): string {
  const items = sections.map((section) =>
    `<li value="${Number.parseInt(section.name)}"><a href="#${escaped(section.name)}">` +
    `${titleOf(section)}</a>\n<p>${section.about}</p></li>`
  );
  return `<header>
<h1>Gatescope: inside an LSTM</h1>
<p>${
    sections.length === 1 ? "A notebook that opens" : `${sections.length} notebooks that open`
  } up recurrent networks: their weights by gate, every step
computed by hand, proved against Keras, changed and explained. Their outputs are those of the Deno
kernel; charts and sliders work here, without a network.</p>
<ol>
${items.join("\n")}
</ol>
</header>`;
}

function titleOf({ name, headings }: Section): string {
  return headings.find(({ level }) => level === 1)?.html ?? escaped(name);
}

function contents(sections: readonly Section[]): string {
  const items = sections.map((section) => {
    const { name, headings } = section;
    const parts = headings.filter(({ level }) => level > 1 && level <= DEEPEST_LISTED)
      .map(({ id, html }) => `<li><a href="#${escaped(id)}">${html}</a></li>`);
    const link = `<a href="#${escaped(name)}">${titleOf(section)}</a>`;
    return `<li value="${Number.parseInt(name)}">${link}` +
      (parts.length === 0
        ? ""
        : `\n<details><summary>Parts</summary>\n<ol>\n${parts.join("\n")}\n</ol>\n</details>`) +
      "</li>";
  });
  return `<nav aria-label="Contents">
<details>
<summary>Contents</summary>
<ol>
${items.join("\n")}
</ol>
</details>
<a href="#top">Top</a>
</nav>`;
}

function sectionOf({ name, notebook }: NamedNotebook, all: readonly NamedNotebook[]): Section {
  const language = notebook.metadata.kernelspec?.language ?? "typescript";
  const target = (href: string) => {
    const [, linked] = /^(?:\.\/)?([^/#?:]+)\.ipynb(?:#.*)?$/.exec(href) ?? [];
    return all.some(({ name }) => name === linked) ? `#${linked}` : href;
  };
  const headings: Heading[] = [];
  const cells = notebook.cells.map((cell) => {
    if (cell.cell_type === "code") return codeHtml(cell, language);
    if (cell.cell_type === "raw") return "";
    const text = markdown(joinLines(cell.source), { idPrefix: name, target });
    headings.push(...text.headings);
    return text.html;
  });
  const html = `<section id="${escaped(name)}" aria-label="${escaped(name)}">\n` +
    `${cells.join("\n")}\n</section>`;
  const [first] = notebook.cells;
  const about = first?.cell_type === "markdown" ? aboutOf(joinLines(first.source)) : "";
  return { name, html, headings, about: markdown(about, { idPrefix: name, target }).inline };
}

/** The paragraph below the title, without a sentence that leads over to what follows it. */
function aboutOf(source: string): string {
  const [, paragraph = ""] = /^#[^\n]*\n+([^]*?)(?:\n\n|$)/.exec(source) ?? [];
  return paragraph.replace(/(?<=[.?!]\s)[^.?!]*:$/, "");
}

function codeHtml({ source, execution_count, outputs }: CodeCell, language: string): string {
  const code = joinLines(source);
  if (code.trim() === "") return "";
  const shown = outputs.map(outputHtml).filter((html) => html !== "");
  return `<div class="cell">\n<span class="count">[${
    escaped(String(execution_count ?? " "))
  }]</span>\n` +
    `<pre class="code" tabindex="0"><code>${highlighted(code, language)}</code></pre>\n` +
    shown.map((html) => `<div class="output">${html}</div>\n`).join("") + "</div>";
}

function outputHtml(output: Output): string {
  if (output.output_type === "stream") {
    return plain(output.text, output.name === "stderr" ? "stderr" : "stdout");
  }
  if (output.output_type === "error") {
    const { ename, evalue, traceback } = output;
    return plain(traceback.join("\n").trim() || `${ename}: ${evalue}`, "error");
  }
  return mediaHtml(output.data);
}

/** The richest form that a page can show. An output's HTML runs here as it ran in the notebook. */
function mediaHtml(data: MediaBundle): string {
  const text = (type: string) => {
    const value = data[type];
    return value === undefined ? undefined : joinLines(value as Multiline);
  };
  const html = text("text/html");
  if (html !== undefined) return html;
  const alt = escaped(text("text/plain") ?? "");
  const svg = text("image/svg+xml");
  if (svg !== undefined) {
    return `<img alt="${alt}" src="data:image/svg+xml,${encodeURIComponent(svg)}">`;
  }
  for (const type of ["image/png", "image/jpeg"]) {
    const base64 = text(type)?.replace(/\s/g, "");
    if (base64 !== undefined) {
      return `<img alt="${alt}" src="data:${type};base64,${escaped(base64)}">`;
    }
  }
  const tex = text("text/latex");
  if (tex !== undefined) return formula(tex.trim().replace(/^\$+|\$+$/g, ""), { display: true });
  const source = text("text/markdown");
  if (source !== undefined) return markdown(source, { idPrefix: "output", target: String }).html;
  return plain(text("text/plain") ?? "");
}

function plain(text: Multiline, kind = "text"): string {
  const shown = stripVTControlCharacters(joinLines(text));
  return shown === "" ? "" : `<pre class="${kind}" tabindex="0">${escaped(shown)}</pre>`;
}
