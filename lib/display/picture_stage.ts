// The window that Plotly draws in where there is no browser: a DOM without layout or fonts, with
// the answers that Plotly's own layout asks for. It needs no permission.

import { DOMParser, parseHTML } from "linkedom/worker";
import {
  alongPath,
  boundsOf,
  inheritedStyle,
  type PictureElement,
  placedBoundsOf,
} from "./picture_boxes.ts";
import { PictureCanvas } from "./picture_canvas.ts";
import { writePicture } from "./picture_writer.ts";
import { plotlyBundle } from "./plotly_bundle.ts";

/** The part of Plotly that is used here. */
interface Plotly {
  toImage(figure: object, options: PictureSize & { format: "svg" }): Promise<string>;
}

/** A picture's size in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Draws a figure; `name` and `key` as {@linkcode writePicture} takes them. */
export type Stage = (
  figure: object,
  size: PictureSize,
  label: { name: string; key: string },
) => Promise<string>;

/** Evaluates the Plotly bundle in a window of its own. One figure is to be drawn at a time. */
export async function openStage(): Promise<Stage> {
  const bundle = await plotlyBundle();
  let label = { name: "", key: "" };
  let written = "";
  const globals = windowOf((svg) => {
    written = writePicture(svg, label.name, label.key); // now, as Plotly empties it afterwards
    return "<svg/>"; // Plotly would decode the entities of the real text, and so break it
  });
  const module: { exports: object } = { exports: {} };
  // A function rather than node:vm: the bundle takes its browser from its parameters.
  const names = Object.keys(globals);
  const evaluate = new Function(...names, "module", "exports", "define", bundle);
  evaluate.call(globals, ...Object.values(globals), module, module.exports, undefined);
  const plotly = (globals.Plotly ?? module.exports) as Plotly;
  return async (figure, size, labelled) => {
    [label, written] = [labelled, ""];
    await plotly.toImage(figure, { ...size, format: "svg" });
    if (written === "") throw new Error("Plotly has drawn nothing");
    return written;
  };
}

function windowOf(serialize: (svg: PictureElement) => string): Record<string, unknown> {
  const page = parseHTML("<!DOCTYPE html><html><head></head><body></body></html>");
  // deno-lint-ignore no-explicit-any
  const { document, Element, HTMLElement, SVGElement, Node, Event, CustomEvent } = page as any;
  // Plotly's rules are for a page's mouse, none for the picture: parsing them takes 0.15 s.
  Object.defineProperty(document.createElement("style").constructor.prototype, "sheet", {
    value: { insertRule: () => 0, cssRules: [] },
  });
  const window: Record<string, unknown> = {
    ...{ document, Element, HTMLElement, SVGElement, Node, Event, CustomEvent, DOMParser },
    navigator: { userAgent: "Deno" },
    location: { href: "about:blank", protocol: "https:" },
    URL: { createObjectURL: () => "about:blank", revokeObjectURL: () => {} },
    XMLSerializer: class {
      serializeToString = serialize;
    },
    getComputedStyle: (element: PictureElement) => computedStyle(element),
    matchMedia: () => ({ matches: false }),
    requestAnimationFrame: (draw: () => void) => setTimeout(draw, 0),
    cancelAnimationFrame: clearTimeout,
    addEventListener: () => {},
    removeEventListener: () => {},
    ...{ devicePixelRatio: 1, innerWidth: 1000, innerHeight: 800, scrollX: 0, scrollY: 0 },
    ...{ setTimeout, clearTimeout, Blob },
    console: { log() {}, warn() {}, error() {}, info() {}, trace() {} }, // no noise in a notebook
    process: undefined, // where the bundle would ask for an environment variable
  };
  window.window = window.self = window;
  Object.defineProperty(document, "defaultView", { value: window });

  Object.assign(Element.prototype, {
    getBBox(this: PictureElement) {
      return boundsOf(this);
    },
    getBoundingClientRect(this: PictureElement) {
      return placedBoundsOf(this);
    },
    getTotalLength(this: PictureElement) {
      return alongPath(this).length;
    },
    getPointAtLength(this: PictureElement, length: number) {
      return alongPath(this, length);
    },
    getComputedTextLength(this: PictureElement) {
      return boundsOf(this).width;
    },
  });
  // As in every browser: "path" where linkedom says "PATH".
  Object.defineProperty(SVGElement.prototype, "nodeName", {
    get(this: { readonly localName: string }) {
      return this.localName;
    },
  });
  const createElement = document.createElement.bind(document);
  document.createElement = (name: string, ...rest: unknown[]) =>
    name === "canvas" ? canvasElement() : createElement(name, ...rest);
  return window;
}

/** What Plotly asks of a style: whether something is hidden, and how images are scaled. */
function computedStyle(element: PictureElement): object {
  const own = (property: string) => inheritedStyle(element, property) ?? "";
  return {
    display: own("display") || "block",
    imageRendering: own("image-rendering"),
    getPropertyValue: own,
  };
}

/** A canvas takes its size before its context is asked for. */
function canvasElement(): object {
  let canvas: PictureCanvas | undefined;
  const element = {
    width: 300,
    height: 150,
    getContext() {
      canvas ??= new PictureCanvas(Math.round(element.width), Math.round(element.height));
      return canvas.context;
    },
    toDataURL: () => canvas?.toDataURL() ?? "",
  };
  return element;
}
