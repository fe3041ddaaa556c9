// A picture in pixels: its SVG, drawn by resvg with fonts that are carried along, so that it needs no
// permission and is the same everywhere.

import { initWasm, Resvg } from "@resvg/resvg-wasm";
import { isDeno, NOT_DENO } from "../base/deno.ts";
import { FONTS, type PictureFont } from "./font_bytes.ts";

let ready: Promise<void> | undefined;

/**
 * Draws an SVG document of ours as PNG.
 *
 * @param svg the document
 * @param scale pixels of the PNG for each of the picture
 * @param more fonts for characters that ours have not, as bytes
 * @throws {RangeError} where the text has characters that no font is known to have.
 * @throws {Error} outside Deno.
 */
export async function drawPng(
  svg: string,
  scale: number,
  more: readonly Uint8Array[],
  action: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!isDeno()) {
    throw new Error(
      `Cannot ${action}: only Deno draws PNGs, but ${NOT_DENO} (toSvg gives the picture)`,
    );
  }
  const prepared = withFonts(svg, more.length > 0, action);
  ready ??= wasm().then(initWasm);
  await ready;
  const resvg = new Resvg(prepared, {
    fitTo: { mode: "zoom", value: scale },
    font: {
      fontBuffers: [...FONTS.map(({ woff2 }) => Uint8Array.fromBase64(woff2)), ...more],
      defaultFontFamily: FONTS[0]!.family,
      sansSerifFamily: FONTS[0]!.family,
    },
  });
  const image = resvg.render();
  try {
    return Uint8Array.from(image.asPng()); // a copy: the other lies in resvg's memory
  } finally {
    image.free();
    resvg.free();
  }
}

/**
 * Its version is deno.json's: a test compares them. A function made of text, since bundlers cannot
 * read a source import yet, and TypeScript neither.
 */
async function wasm(): Promise<WebAssembly.Module> {
  const path = "npm:@resvg/resvg-wasm@2.6.2/index_bg.wasm";
  return await new Function("path", "return import.source(path)")(path);
}

/** The document with a font for each sign that the first has not; resvg would drop such a text. */
function withFonts(svg: string, hasMore: boolean, action: string): string {
  const missing = new Set<string>();
  const graphemes = new Intl.Segmenter("en");
  const withFont = (signs: string) =>
    Array.from(graphemes.segment(signs), ({ segment }) => {
      const font = FONTS.find((font) => has(font, segment));
      if (font === undefined && !/^\s*$/.test(segment)) missing.add(segment);
      return font === undefined || font.family === FONTS[0]!.family
        ? segment
        : `<tspan font-family="${font.family}">${segment}</tspan>`;
    }).join("");
  const document = withoutZeroWidth(svg).replace(
    /(?<=>)[^<>]+(?=<\/t(?:ext|span)|<tspan)/g,
    (text) => text.replace(/[^\x20-\x7f]+/g, withFont),
  );
  if (missing.size === 0 || hasMore) return document;
  const some = [...missing].slice(0, 8).join(" ");
  throw new RangeError(
    `Cannot ${action}: the fonts at hand have Latin, Greek, Cyrillic and mathematical signs, but the ` +
      `text has ${some}; give the bytes of a font by \`fonts\`, or write an .svg`,
  );
}

/** Plotly ends an index by a space without a width that moves the line back: what follows moves it. */
function withoutZeroWidth(svg: string): string {
  return svg.replace(
    /<tspan dy="(-[\d.]+em)">\u200b<\/tspan>([^<]*)(<\/text)?/g,
    (_, back: string, text: string, end: string | undefined) => {
      const follows = text.replaceAll("\u200b", "") || (end === undefined ? "\u200a" : "");
      return (follows === "" ? "" : `<tspan dy="${back}">${follows}</tspan>`) + (end ?? "");
    },
  ).replaceAll("\u200b", "");
}

function has({ covered }: PictureFont, grapheme: string): boolean {
  return [...grapheme].every((character) => {
    const code = character.codePointAt(0)!;
    return covered.some((from, k) => k % 2 === 0 && from <= code && code <= covered[k + 1]!);
  });
}
