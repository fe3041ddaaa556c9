// The canvas that Plotly paints a heatmap's cells on, and the PNG that they become.

import { zlibSync } from "fflate";
import { crc32 } from "../base/crc32.ts";
import { toBase64 } from "./base64.ts";

/** The colours of an image's pixels. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha of each pixel, 0 to 255. */
  readonly data: Uint8ClampedArray;
}

/** The part of a canvas's two-dimensional context that Plotly's heatmap uses. */
export interface PictureContext {
  fillStyle: string;
  fillRect(x: number, y: number, width: number, height: number): void;
  createImageData(width: number, height: number): Pixels;
  putImageData(pixels: Pixels, x: number, y: number): void;
}

/** A canvas that remembers its pixels. */
export class PictureCanvas {
  readonly #size: { readonly width: number; readonly height: number };
  readonly #data: Uint8ClampedArray;
  readonly #context: PictureContext;

  constructor(width: number, height: number) {
    const data = this.#data = new Uint8ClampedArray(width * height * 4);
    this.#size = { width, height };
    this.#context = {
      fillStyle: "#000000",
      fillRect(x, y, w, h) {
        const [r, g, b, a] = rgba(this.fillStyle);
        const right = Math.min(width, Math.round(x + w));
        const bottom = Math.min(height, Math.round(y + h));
        for (let row = Math.max(0, Math.round(y)); row < bottom; row++) {
          for (let column = Math.max(0, Math.round(x)); column < right; column++) {
            data.set([r, g, b, a], (row * width + column) * 4);
          }
        }
      },
      createImageData: (w, h) => ({
        width: w,
        height: h,
        data: new Uint8ClampedArray(w * h * 4),
      }),
      putImageData(pixels, x, y) {
        const columns = Math.min(pixels.width, width - x) * 4;
        for (let row = 0; row < Math.min(pixels.height, height - y); row++) {
          const start = row * pixels.width * 4;
          data.set(
            pixels.data.subarray(start, start + columns),
            ((row + y) * width + x) * 4,
          );
        }
      },
    };
  }

  /** The context that paints on it. */
  get context(): PictureContext {
    return this.#context;
  }

  /** The pixels as a PNG in a data URL. */
  toDataURL(): string {
    const { width, height } = this.#size;
    return `data:image/png;base64,${toBase64(png(width, height, this.#data))}`;
  }
}

/** PNG, Second Edition (W3C 2003): RGBA, or a palette where there are few colours; no filter. */
function png(width: number, height: number, data: Uint8ClampedArray): Uint8Array {
  const colors = new Uint32Array(data.buffer);
  const palette = new Map<number, number>();
  for (const color of colors) if (!palette.has(color)) palette.set(color, palette.size);
  const indexed = palette.size <= 256;
  const bytes = indexed ? Uint8Array.from(colors, (color) => palette.get(color) ?? 0) : data;
  const stride = width * (indexed ? 1 : 4);
  const lines = new Uint8Array(height * (stride + 1));
  for (let row = 0; row < height; row++) {
    lines.set(bytes.subarray(row * stride, (row + 1) * stride), row * (stride + 1) + 1);
  }
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8); // bits a channel
  header.setUint8(9, indexed ? 3 : 6); // palette, RGBA
  const rgba = new Uint8Array(Uint32Array.from(palette.keys()).buffer);
  const parts = [
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", new Uint8Array(header.buffer)),
    ...(indexed
      ? [
        chunk("PLTE", rgba.filter((_, i) => i % 4 !== 3)),
        chunk("tRNS", rgba.filter((_, i) => i % 4 === 3)),
      ]
      : []),
    chunk("IDAT", zlibSync(lines)), // fflate, as its bytes are the same in every Deno
    chunk("IEND", new Uint8Array()),
  ];
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** Length, name, bytes, and the checksum of name and bytes. */
function chunk(name: string, bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length + 12);
  const view = new DataView(whole.buffer);
  view.setUint32(0, bytes.length);
  whole.set(new TextEncoder().encode(name), 4);
  whole.set(bytes, 8);
  view.setUint32(bytes.length + 8, crc32(whole.subarray(4, bytes.length + 8)));
  return whole;
}

/** Plotly writes `#rrggbb`, `rgb(r, g, b)` and `rgba(r, g, b, a)`. */
function rgba(color: string): [number, number, number, number] {
  const hex = /^#([0-9a-f]{6})$/i.exec(color)?.[1];
  if (hex !== undefined) {
    const value = Number.parseInt(hex, 16);
    return [value >> 16, value >> 8 & 255, value & 255, 255];
  }
  const [r = 0, g = 0, b = 0, a = 1] = (color.match(/[\d.]+/g) ?? []).map(Number);
  return [r, g, b, Math.round(a * 255)];
}
