// How a chart gets to Plotly inside a page: a loader that every chart carries.

import { toBase64 } from "./base64.ts";
import { contentKey } from "./content_key.ts";
import { escapeHtml, scriptJson } from "./html.ts";
import { PLOTLY_INTEGRITY, PLOTLY_URL } from "./plotly_bundle.ts";
import { FIT_TITLE } from "./title_lines.ts";

/** A figure as JSON, with what the page needs to place and name it. */
export interface PageChart {
  /** The figure as plain JSON values: data, layout, config. */
  readonly figure: object;
  /** JavaScript that puts the figure's numbers in, where it is without: `async (figure) => figure`. */
  readonly numbers?: string | undefined;
  /** What stands there until Plotly draws, and where no script runs: an SVG document. */
  readonly picture: string | undefined;
  /** What the picture shows, in words; it stands there itself where there is no picture. */
  readonly text: string;
  /** Whether the colours follow the page's theme. */
  readonly themed: boolean;
}

/**
 * Writes the chart as HTML that draws itself with the page's Plotly, loading it once a page where
 * it is not there.
 */
export function chartHtml(chart: PageChart): string {
  const json = scriptJson(chart.figure);
  const key = contentKey(json + (chart.numbers ?? ""));
  return `<div data-gatescope-chart="${key}" style="break-inside:avoid;overflow-x:auto">` +
    `${stillHtml(chart)}</div>\n` +
    `<script>\n(${DRAW})(${scriptJson(key)}, ${json}, ${chart.themed}, ` +
    `${scriptJson({ url: PLOTLY_URL, integrity: PLOTLY_INTEGRITY })}` +
    `${chart.numbers === undefined ? "" : `, ${chart.numbers}`});\n</script>`;
}

/** Seen by everybody: sanitizers drop inline SVG and keep this. */
function stillHtml({ picture, text }: PageChart): string {
  if (picture === undefined) return `<pre>${escapeHtml(text)}</pre>`;
  const base64 = toBase64(new TextEncoder().encode(picture));
  return `<img alt="${escapeHtml(text)}" src="data:image/svg+xml;base64,${base64}" ` +
    `style="max-width:100%">`;
}

/**
 * What a chart's script does in the page. It finds its boxes that are not drawn yet, waits for
 * Plotly (the page's own, one that embedPlotly() brings, or the CDN's, asked for once a page),
 * takes over the page's colours, and follows the box's width. A picture stands there until it comes
 * near the screen. Where Plotly cannot be had, the picture stays, with the reason below it, and the
 * chart is drawn if embedPlotly() is shown later.
 */
const DRAW = `async (key, figure, themed, source, numbers = (figure) => figure) => {
  const selector = '[data-gatescope-chart="' + key + '"]:not([data-drawn])';

  const loadPlotly = () => {
    if (globalThis.Plotly?.newPlot) return Promise.resolve(globalThis.Plotly);
    globalThis.gatescopePlotly ??= new Promise((resolve, reject) => {
      const fail = () => {
        globalThis.gatescopePlotly = undefined;
        reject(new Error("Plotly could not be loaded from " + source.url));
      };
      const arrive = () => globalThis.Plotly?.newPlot ? resolve(globalThis.Plotly) : fail();
      globalThis.addEventListener("gatescope-plotly", arrive, { once: true });
      const script = document.createElement("script");
      script.src = source.url;
      script.integrity = source.integrity;
      script.crossOrigin = "anonymous";
      script.onload = arrive;
      script.onerror = fail;
      document.head.append(script);
    });
    return globalThis.gatescopePlotly;
  };

  const pageColors = (box) => {
    const color = getComputedStyle(box).color;
    for (let element = box; element; element = element.parentElement) {
      const background = getComputedStyle(element).backgroundColor;
      if (background !== "transparent" && !/, 0\\)$/.test(background)) return { color, background };
    }
    return { color, background: "rgba(0,0,0,0)" };
  };

  // On paper the picture, which fits any width: a chart keeps that of the screen.
  if (!document.getElementById("gatescope-print")) {
    const style = document.createElement("style");
    style.id = "gatescope-print";
    style.textContent = "@media screen { .gatescope-paper { display: none } } " +
      "@media print { .gatescope-screen { display: none } " +
      "[data-gatescope-chart] { overflow: visible !important } " +
      "[data-gatescope-chart] img { max-width: 100%; max-height: 95vh } }";
    document.head.append(style);
  }
  const printable = (box, stage, still) => {
    const paper = document.createElement("div");
    paper.className = "gatescope-paper";
    paper.append(...still);
    stage.classList.add("gatescope-screen");
    box.append(paper);
  };

  const draw = async (box, Plotly) => {
    const { data, layout, config, frames } = await numbers(structuredClone(figure));
    if (themed) {
      const { color, background } = pageColors(box);
      const theme = layout.template.layout;
      theme.font.color = color;
      theme.paper_bgcolor = theme.plot_bgcolor = background;
    }
    const still = [...box.childNodes];
    const stage = document.createElement("div");
    box.replaceChildren(stage);
    const fits = layout.width === undefined;
    if (fits) stage.style.minWidth = (layout.xaxis2 ? 680 : 480) + "px";
    const between = (layout.width ?? stage.offsetWidth) - 320; // the rows' names and the colours' bar
    const names = Math.max(1, Math.floor(between / 20)); // that stand beside each other, upright
    if (layout.xaxis?.nticks > names) layout.xaxis.nticks = names;
    const pen = document.createElement("canvas").getContext("2d");
    const measure = (text, size) => {
      pen.font = size + "px " + (layout.template?.layout?.font?.family ?? "Arial");
      return pen.measureText(text).width;
    };
    const buttons = 150;
    const titled = () => {
      const { title, margin, more } =
        fitTitle(layout, (layout.width ?? stage.offsetWidth) - 32 - buttons, measure);
      return { title, margin, ...(fits && { height: layout.height + more }) };
    };
    let now = titled();
    try {
      await Plotly.newPlot(stage, { data, layout: { ...layout, ...now }, config, frames });
    } catch (error) {
      box.replaceChildren(...still);
      throw error;
    }
    if (isPicture(still)) printable(box, stage, still);
    if (!fits) return;
    new ResizeObserver(() => {
      if (stage.offsetWidth === 0) return;
      const next = titled();
      if (next.title.text === now.title.text && next.height === now.height) {
        return Plotly.Plots.resize(stage);
      }
      now = next;
      const { title, margin, height } = now;
      Plotly.relayout(stage, { title, "margin.t": margin.t, height, width: null, autosize: true });
    }).observe(stage);
  };

  const isPicture = (nodes) => nodes.some((node) => node.nodeName === "IMG");
  const near = (box) => new Promise((resolve) => {
    if (!globalThis.IntersectionObserver || !isPicture([...box.childNodes])) return resolve();
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      resolve();
    }, { rootMargin: "400px" });
    observer.observe(box);
  });

  const fitTitle = ${FIT_TITLE};
  const show = async (box) => {
    box.setAttribute("data-drawn", "");
    await near(box);
    const attempt = async () => draw(box, await loadPlotly());
    try {
      await attempt();
    } catch (error) {
      const note = document.createElement("p");
      note.textContent = error.message + ". Without a network, show embedPlotly() once.";
      box.append(note);
      globalThis.addEventListener("gatescope-plotly", () => attempt().catch(() => {}), { once: true });
    }
  };
  for (const box of document.querySelectorAll(selector)) show(box);
}`.replace(/^\s*\/\/.*\n|^ +/gm, ""); // each chart carries it
