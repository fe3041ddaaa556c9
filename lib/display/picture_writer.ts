// A drawn picture as SVG text: small, safe to open, and the same each time.

import { escapeHtml } from "./html.ts";
import type { PictureElement } from "./picture_boxes.ts";
import { PICTURE_FONT } from "./text_width.ts";

/** An element whose attributes can be listed. */
interface WritableElement extends PictureElement {
  readonly childNodes: Iterable<WritableElement>;
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>;
}

// Nothing else is written: no script, no foreign HTML, no link.
const ELEMENTS = [
  ...["svg", "defs", "clipPath", "linearGradient", "stop", "pattern", "g", "use"],
  ...["rect", "path", "circle", "line", "polygon", "text", "tspan", "image"],
];
const ATTRIBUTES = new Set([
  ...["id", "d", "x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "width", "height", "cx", "cy", "r"],
  ...["rx", "ry", "points", "offset", "transform", "viewBox", "preserveAspectRatio", "style"],
  ...["clip-path", "text-anchor", "fill", "fill-opacity", "stroke", "stroke-width", "opacity"],
  ...["stroke-opacity", "stroke-dasharray", "stop-color", "stop-opacity", "gradientUnits"],
  ...["patternUnits", "patternTransform", "href", "xlink:href", "shape-rendering"],
]);
const GEOMETRY = /^(?:d|[xy][12]?|d[xy]|width|height|c[xy]|r[xy]?|points|transform|viewBox)$/;
/** Finer than a pixel of most screens: of a line's points, and of where things stand. */
const DECIMALS = { path: 1, place: 2 };
const FONT = `font-family:${PICTURE_FONT};`;
/** How Plotly draws a round marker. */
const MARKER =
  /^ d="M([\d.]+),0A\1,\1 0 1,1 0,-\1A\1,\1 0 0,1 \1,0Z"( style="[^"]*")? transform="translate\((-?[\d.]+),(-?[\d.]+)\)"$/;
const UNSEEN_STYLE =
  /^(?:pointer-events|cursor|user-select|vector-effect|background|text-shadow|.*: ?(?:|undefined)$|(?:fill-|stroke-)?opacity: ?1$|stroke-miterlimit)/;

/**
 * Writes a picture.
 *
 * @param root the `svg` element
 * @param name what the picture shows, for a screen reader
 * @param key stands in its ids, so that pictures on one page do not share them
 */
export function writePicture(root: PictureElement, name: string, key: string): string {
  const used = new Set([...usesOf(root as WritableElement)]);
  const text = elementText(root as WritableElement, used, name).replaceAll(FONT, "");
  // Plotly's ids are random: they are counted instead.
  const ids = new Map<string, string>();
  for (const [, id = ""] of text.matchAll(/ id="([^"]+)"/g)) ids.set(id, `p${key}-${ids.size}`);
  return text.replace(
    /( id="|url\(#)([^")]+)/g,
    (whole, before: string, id: string) => ids.has(id) ? before + ids.get(id) : whole,
  );
}

/** The ids that a picture's elements refer to. */
function* usesOf(element: WritableElement): Iterable<string> {
  if (element.nodeType !== 1) return;
  yield /#([^'")]+)/.exec(element.getAttribute("clip-path") ?? "")?.[1] ?? "";
  for (const child of element.childNodes) yield* usesOf(child);
}

function elementText(element: WritableElement, used: ReadonlySet<string>, title?: string): string {
  if (element.nodeType === 3) return xmlText(element.textContent ?? "");
  if (element.nodeType !== 1) return "";
  const name = elementName(element);
  if (name === undefined) return "";
  if (name === "clipPath" && !used.has(element.getAttribute("id") ?? "")) return "";
  const content = [...element.childNodes].map((child) => elementText(child, used)).join("");
  if (content === "" && /^(?:g|text|tspan|defs)$/.test(name)) return "";
  const attributes = [...element.attributes]
    .map(({ name, value }) =>
      [name, attributeValue(name, value, element.textContent ?? "")] as const
    )
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => ` ${name}="${xmlText(value ?? "")}"`)
    .sort().join("");
  if (name === "path") {
    const [, r, style = "", x, y] = MARKER.exec(attributes) ?? [];
    if (r !== undefined) return `<circle cx="${x}" cy="${y}" r="${r}"${style}/>`;
  }
  if (name === "g" && attributes === "") return content;
  if (content === "" && isInvisible(name, attributes)) return "";
  const root = title === undefined ? ["", ""] : [
    ` xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" ` +
    `font-family="${PICTURE_FONT}"`,
    `<title>${xmlText(title)}</title>`,
  ];
  const inner = root[1] + content;
  return inner === ""
    ? `<${name}${attributes}/>`
    : `<${name}${root[0]}${attributes}>${inner}</${name}>`;
}

function isInvisible(name: string, attributes: string): boolean {
  const has = (declaration: string) => new RegExp(`[;"]${declaration}(?![.\\d])`).test(attributes);
  if (name === "path" && !attributes.includes(" d=")) return true;
  const noFill = has("fill-opacity:0") || has("fill:none");
  const noStroke = has("stroke-opacity:0") || has("stroke-width:0") ||
    !/[;"]stroke:/.test(attributes);
  return has("opacity:0") || /^(?:rect|path|circle)$/.test(name) && noFill && noStroke &&
      attributes.includes("style=");
}

/** A link's text stays, as text. */
function elementName(element: WritableElement): string | undefined {
  const name = element.nodeName.toLowerCase();
  if (name === "a") {
    return element.parentNode?.nodeName.toLowerCase() === "g" ? "g" : "tspan";
  }
  return ELEMENTS.find((known) => known.toLowerCase() === name);
}

function attributeValue(name: string, value: string, text: string): string | undefined {
  if (!ATTRIBUTES.has(name)) return undefined;
  if (name.endsWith("href")) {
    return /^(?:data:image\/png;base64,|#)/.test(value) ? value : undefined;
  }
  if (name === "style") return styleText(value, /^\s|\s\s|\s$/.test(text));
  if (name === "transform" && /^(?:translate|rotate)\(0(?:, ?0)*\)$/.test(value)) return undefined;
  // A reference to an id of the page that the picture was drawn in is one to its own id.
  if (name === "clip-path") return value.replace(/url\(['"]?[^#]*#([^'")]+)['"]?\)/, "url(#$1)");
  if (name === "d" && !/[aAcC]/.test(value)) return rounded(value, DECIMALS.path);
  return GEOMETRY.test(name) ? rounded(value, DECIMALS.place) : value;
}

function styleText(style: string, spaces: boolean): string {
  const declarations = style.split(/;(?![^(]*\))/)
    .map((declaration) => declaration.trim().replace(/\s*:\s*/, ":"))
    .filter((declaration) => declaration !== "" && !UNSEEN_STYLE.test(declaration))
    .filter((declaration) => spaces || declaration !== "white-space:pre")
    .map((declaration) => declaration.replace(/rgb\((\d+), (\d+), (\d+)\)/, hex));
  const unique = new Map(
    declarations.map((declaration) => [declaration.split(":", 1)[0], declaration]),
  );
  return [...unique.values()].join(";")
    .replace(/url\(['"]?[^#)]*#([^'")]+)['"]?\)/g, "url(#$1)");
}

function hex(_rgb: string, ...channels: string[]): string {
  return `#${channels.slice(0, 3).map((c) => Number(c).toString(16).padStart(2, "0")).join("")}`;
}

function rounded(value: string, decimals: number): string {
  return value.replace(
    /-?\d*\.\d+(?:e-?\d+)?/g,
    (number) => `${Number(Number(number).toFixed(decimals)) + 0}`,
  );
}

/** Without characters that XML has no place for. */
function xmlText(text: string): string {
  // deno-lint-ignore no-control-regex
  return escapeHtml(text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd"))
    .replaceAll("\u00a0", "&#160;");
}
