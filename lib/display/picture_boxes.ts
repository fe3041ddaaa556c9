// Where the elements of a picture lie: what a browser's layout would answer Plotly.

import { ASCENT, DESCENT, textWidth } from "./text_width.ts";

/** The part of a DOM element that is read here. */
export interface PictureElement {
  readonly nodeType: number;
  readonly nodeName: string;
  readonly textContent: string | null;
  readonly childNodes: Iterable<PictureElement>;
  readonly parentNode: PictureElement | null;
  getAttribute(name: string): string | null;
}

/** Left, top, right and bottom; undefined where nothing is drawn. */
interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What `getBBox` and `getBoundingClientRect` answer. */
export interface Rectangle extends Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** a, b, c, d, e, f of an SVG matrix. */
type Matrix = readonly [number, number, number, number, number, number];

const FONT_SIZE = 12;

/** The rectangle around an element's content, in its own coordinates. */
export function boundsOf(element: PictureElement): Rectangle {
  return rectangle(boxOf(element));
}

/** The rectangle of an element as it lies in its picture, its own transform included. */
export function placedBoundsOf(element: PictureElement): Rectangle {
  return rectangle(transformed(boxOf(element), element));
}

/** A property of an element's own style, or the nearest ancestor's. */
export function inheritedStyle(element: PictureElement, property: string): string | undefined {
  const pattern = new RegExp(`(?:^|;)\\s*${property}\\s*:\\s*([^;]+)`);
  for (
    let current: PictureElement | null = element;
    current !== null && current.nodeType === 1;
    current = current.parentNode
  ) {
    const own = pattern.exec(current.getAttribute("style") ?? "")?.[1] ??
      current.getAttribute(property);
    if (own) return own.trim();
  }
  return undefined;
}

function rectangle(box: Box | undefined): Rectangle {
  const { left, top, right, bottom } = box ?? { left: 0, top: 0, right: 0, bottom: 0 };
  return { left, top, right, bottom, x: left, y: top, width: right - left, height: bottom - top };
}

function boxOf(element: PictureElement): Box | undefined {
  const number = (name: string) => Number.parseFloat(element.getAttribute(name) ?? "") || 0;
  switch (element.nodeName.toLowerCase()) {
    case "text":
      return boxOfText(element);
    case "tspan":
      return boxOfLine([element], element, number("x"), number("y"));
    case "rect":
    case "image":
      return sized(number("x"), number("y"), number("width"), number("height"));
    case "circle": {
      const r = number("r");
      return sized(number("cx") - r, number("cy") - r, 2 * r, 2 * r);
    }
    case "line":
      return around([[number("x1"), number("y1")], [number("x2"), number("y2")]]);
    case "path":
      return around(pointsOfPath(element));
    case "defs":
    case "clippath":
      return undefined;
    default:
      return union(
        [...element.childNodes].filter(isElement).map((child) => transformed(boxOf(child), child)),
      );
  }
}

/** A text: each `tspan.line` a line of its own, everything else runs on. */
function boxOfText(text: PictureElement): Box | undefined {
  const children = [...text.childNodes];
  const x = Number.parseFloat(text.getAttribute("x") ?? "") || 0;
  const y = Number.parseFloat(text.getAttribute("y") ?? "") || 0;
  const lines = children.filter((child) =>
    isElement(child) && (child.getAttribute("class") ?? "").includes("line")
  );
  if (lines.length === 0) return boxOfLine(children, text, x, y);
  const fontSize = fontSizeOf(text);
  return union(lines.map((line) => {
    const shift = Number.parseFloat(line.getAttribute("dy") ?? "") || 0; // in em
    return boxOfLine([line], text, x, y + shift * fontSize);
  }));
}

function boxOfLine(
  parts: readonly PictureElement[],
  text: PictureElement,
  x: number,
  y: number,
): Box | undefined {
  const width = parts.reduce((sum, part) => sum + runWidth(part, text), 0);
  if (width === 0) return undefined;
  const fontSize = fontSizeOf(text);
  const anchor = inheritedStyle(text, "text-anchor");
  const left = x - (anchor === "middle" ? width / 2 : anchor === "end" ? width : 0);
  // Browsers round both to whole pixels.
  const [ascent, descent] = [Math.round(ASCENT * fontSize), Math.round(DESCENT * fontSize)];
  return sized(left, y - ascent, width, ascent + descent);
}

function runWidth(node: PictureElement, parent: PictureElement): number {
  if (isElement(node)) {
    return [...node.childNodes].reduce((sum, child) => sum + runWidth(child, node), 0);
  }
  const bold = /^(bold|[6-9]00)/.test(inheritedStyle(parent, "font-weight") ?? "");
  return textWidth(node.textContent ?? "", fontSizeOf(parent), bold);
}

/** In pixels; a sub- or superscript's is a share of its line's. */
function fontSizeOf(element: PictureElement): number {
  const size = inheritedStyle(element, "font-size") ?? "";
  const value = Number.parseFloat(size) || FONT_SIZE;
  if (!size.endsWith("%") && !size.endsWith("em")) return value;
  const parent = element.parentNode;
  const share = size.endsWith("%") ? value / 100 : value;
  return share * (parent === null ? FONT_SIZE : fontSizeOf(parent));
}

/** Along a path's corners, as far as `length`. Default: all of it. */
export function alongPath(
  element: PictureElement,
  length = Infinity,
): { readonly x: number; readonly y: number; readonly length: number } {
  const [first = [0, 0], ...rest] = pointsOfPath(element);
  let [x, y] = first;
  let gone = 0;
  for (const [nextX, nextY] of rest) {
    const step = Math.hypot(nextX - x, nextY - y);
    const share = step === 0 ? 1 : Math.min(1, (length - gone) / step);
    x += (nextX - x) * share;
    y += (nextY - y) * share;
    gone += step * share;
    if (share < 1) break;
  }
  return { x, y, length: gone };
}

/** Plotly writes absolute M, L, H, V, C and Z, and relative arcs of markers around the origin. */
function pointsOfPath(path: PictureElement): [number, number][] {
  const d = path.getAttribute("d") ?? "";
  const points: [number, number][] = [];
  let [x, y] = [0, 0];
  for (const [, command = "", rest = ""] of d.matchAll(/([a-zA-Z])([^a-zA-Z]*)/g)) {
    const numbers = (rest.match(/-?\d*\.?\d+(?:e[-+]?\d+)?/g) ?? []).map(Number);
    const relative = command === command.toLowerCase();
    const [fromX, fromY] = relative ? [x, y] : [0, 0];
    const kind = command.toUpperCase();
    if (kind === "H") points.push([x = fromX + (numbers[0] ?? 0), y]);
    else if (kind === "V") points.push([x, y = fromY + (numbers[0] ?? 0)]);
    else if (kind === "A") {
      points.push([x = fromX + (numbers[5] ?? 0), y = fromY + (numbers[6] ?? 0)]);
    } else {
      for (let i = 0; i + 1 < numbers.length; i += 2) {
        points.push([x = fromX + numbers[i]!, y = fromY + numbers[i + 1]!]);
      }
    }
  }
  return points;
}

function transformed(box: Box | undefined, element: PictureElement): Box | undefined {
  const transform = element.getAttribute("transform");
  if (box === undefined || !transform) return box;
  const [a, b, c, d, e, f] = matrixOf(transform);
  const corners = [box.left, box.right].flatMap((x) => [box.top, box.bottom].map((y) => [x, y]));
  return around(
    corners.map(([x = 0, y = 0]): [number, number] => [a * x + c * y + e, b * x + d * y + f]),
  );
}

function matrixOf(transform: string): Matrix {
  let matrix: Matrix = [1, 0, 0, 1, 0, 0];
  for (const [, name, list = ""] of transform.matchAll(/(\w+)\(([^)]*)\)/g)) {
    const [p = 0, q, r = 0] = list.split(/[\s,]+/).filter((text) => text !== "").map(Number);
    if (name === "translate") matrix = product(matrix, [1, 0, 0, 1, p, q ?? 0]);
    else if (name === "scale") matrix = product(matrix, [p, 0, 0, q ?? p, 0, 0]);
    else if (name === "rotate") {
      const [sin, cos] = [Math.sin(p * Math.PI / 180), Math.cos(p * Math.PI / 180)];
      matrix = product(matrix, [1, 0, 0, 1, q ?? 0, r]);
      matrix = product(matrix, [cos, sin, -sin, cos, 0, 0]);
      matrix = product(matrix, [1, 0, 0, 1, -(q ?? 0), -r]);
    }
  }
  return matrix;
}

function product(m: Matrix, n: Matrix): Matrix {
  return [
    m[0] * n[0] + m[2] * n[1],
    m[1] * n[0] + m[3] * n[1],
    m[0] * n[2] + m[2] * n[3],
    m[1] * n[2] + m[3] * n[3],
    m[0] * n[4] + m[2] * n[5] + m[4],
    m[1] * n[4] + m[3] * n[5] + m[5],
  ];
}

function isElement(node: PictureElement): boolean {
  return node.nodeType === 1;
}

function sized(left: number, top: number, width: number, height: number): Box {
  return { left, top, right: left + width, bottom: top + height };
}

function around(points: readonly (readonly [number, number])[]): Box | undefined {
  return union(points.map(([x, y]) => sized(x, y, 0, 0)));
}

function union(boxes: readonly (Box | undefined)[]): Box | undefined {
  let all: Box | undefined;
  for (const box of boxes) {
    if (box === undefined) continue;
    all = all === undefined ? box : {
      left: Math.min(all.left, box.left),
      top: Math.min(all.top, box.top),
      right: Math.max(all.right, box.right),
      bottom: Math.max(all.bottom, box.bottom),
    };
  }
  return all;
}
