// PNG pictures, read back by a decoder of the format (PNG, Second Edition, W3C 2003).

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { heatmap, lineChart, type PictureOptions, plot, savePicture, toPng } from "@gatescope/lstm";
import { inflateSync } from "node:zlib";
import { FONTS } from "../../lib/display/font_bytes.ts";

/** Width, height, and red, green, blue and alpha of each pixel. */
interface Image {
  readonly width: number;
  readonly height: number;
  readonly at: (x: number, y: number) => number[];
}

function decode(png: Uint8Array): Image {
  assertEquals([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const view = new DataView(png.buffer, png.byteOffset);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  assertEquals([png[24], png[25]], [8, 6], "8 bits of RGBA");
  const parts: Uint8Array[] = [];
  for (let at = 8; at < png.length; at += view.getUint32(at) + 12) {
    const name = new TextDecoder().decode(png.subarray(at + 4, at + 8));
    if (name === "IDAT") parts.push(png.subarray(at + 8, at + 8 + view.getUint32(at)));
  }
  const lines = inflateSync(new Uint8Array(parts.flatMap((part) => [...part])));
  const stride = 4 * width;
  const pixels = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < stride; k++) {
      const left = k < 4 ? 0 : pixels[y * stride + k - 4]!;
      const up = y === 0 ? 0 : pixels[(y - 1) * stride + k]!;
      const corner = k < 4 || y === 0 ? 0 : pixels[(y - 1) * stride + k - 4]!;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)];
      const filter = lines[y * (stride + 1)]!;
      pixels[y * stride + k] = lines[y * (stride + 1) + 1 + k]! + predicted[filter]!;
    }
  }
  const at = (x: number, y: number) => [...pixels.subarray(y * stride + 4 * x).subarray(0, 4)];
  return { width, height, at };
}

function paeth(left: number, up: number, corner: number): number {
  const p = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(p - value)) as [
    number,
    number,
    number,
  ];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** Where a title stands, in a picture of 400 × 300. */
const TITLE = [0, 5, 400, 75];

/** How much is drawn in black on white within a rectangle, in pixels. */
function ink({ at }: Image, [x0, y0, x1, y1]: number[]): number {
  let sum = 0;
  for (let y = y0!; y < y1!; y++) for (let x = x0!; x < x1!; x++) sum += 1 - at(x, y)[1]! / 255;
  return sum;
}

Deno.test("toPng() has width × height × scale² pixels, in the theme's colours", async () => {
  const chart = lineChart([1, 2], { title: "Loss", width: 400, height: 300 });
  const small = decode(await toPng(chart));
  assertEquals([small.width, small.height], [400, 300]);
  assertEquals(small.at(0, 0), [255, 255, 255, 255]);
  const large = decode(await toPng(chart, { scale: 2, theme: "dark" }));
  assertEquals([large.width, large.height], [800, 600]);
  assertEquals(large.at(0, 0), [0x11, 0x11, 0x11, 255]);
  const clear = decode(await toPng(chart, { background: "transparent" }));
  assertEquals(clear.at(0, 0)[3], 0);
});

Deno.test("toPng() draws a heatmap's cells in their colours", async () => {
  const chart = heatmap([[1, -1]], { width: 400, height: 300 });
  const image = decode(await toPng(chart, { scale: 2 }));
  const [y, left, right] = [300, 200, 500];
  // The ends of ColorBrewer's RdBu.
  assertEquals(image.at(left, y), [0xb2, 0x18, 0x2b, 255]);
  assertEquals(image.at(right, y), [0x21, 0x66, 0xac, 255]);
});

Deno.test("toPng() draws every sign of the equations, whatever stands beside it", async () => {
  const inkOf = async (text: string, options: PictureOptions = {}) => {
    const layout = { title: { text, font: { size: 30 } }, margin: { t: 80 } };
    const chart = plot({ data: [], layout }, { width: 400, height: 300 });
    return ink(decode(await toPng(chart, options)), TITLE);
  };
  assertEquals(await inkOf(" "), 0);
  const [words, indices, c] = [
    await inkOf("fi  file"),
    await inkOf("<b>c</b><sub>t</sub>  h<sub>t−1</sub>"),
    await inkOf("c"),
  ];
  assert(words > 100 && await inkOf("c̃") > c + 5);
  const font = Uint8Array.fromBase64(FONTS[0]!.woff2);
  const box = await inkOf("fi 损 file", { fonts: [font] }); // what stands for a missing sign
  for (const sign of ["⊙", "∘", "σ", "φ", "−", "·", "…", "≤", "×", "→", "∂", "₁", "●", "√"]) {
    const withSign = await inkOf(`fi ${sign} file`);
    assert(withSign > words + 2 && Math.abs(withSign - box) > 1, sign);
    assert(
      await inkOf(`<b>c̃</b><sub>t</sub> ${sign} h̃<sub>t−1</sub>`) > indices + 5,
      `${sign} beside indices`,
    );
  }
});

Deno.test("toPng() refuses what none of its fonts has, and takes another font for it", async () => {
  const chart = lineChart([1, 2], { title: "损失", width: 400, height: 300 });
  await assertRejects(
    () => toPng(chart),
    RangeError,
    "the text has 损 失; give the bytes of a font",
  );
  const font = Uint8Array.fromBase64(FONTS[0]!.woff2);
  assertEquals(decode(await toPng(chart, { fonts: [font] })).width, 400);
  await assertRejects(
    () => toPng(chart, { fonts: "a.ttf" } as never),
    TypeError,
    "a list of fonts",
  );
  await assertRejects(() => toPng(chart, { scale: 0 }), RangeError, "scale must be above 0");
  await assertRejects(() => toPng(chart, { scale: 100 }), RangeError, "100 million pixels");
});

Deno.test("savePicture() writes a PNG file, and has no scale for an SVG", async () => {
  const folder = await Deno.makeTempDir();
  const chart = lineChart([1, 2], { width: 200, height: 150 });
  await savePicture(`${folder}/a.PNG`, chart, { scale: 1.5 });
  assertEquals(decode(await Deno.readFile(`${folder}/a.PNG`)).width, 300);
  await assertRejects(
    () => savePicture(`${folder}/a.svg`, chart, { scale: 2 }),
    TypeError,
    "but scale was given",
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("resvg's program is of the version that deno.json pins", async () => {
  const read = async (path: string) =>
    await Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
  const pin = JSON.parse(await read("deno.json")).imports["@resvg/resvg-wasm"];
  assertStringIncludes(await read("lib/display/picture_png.ts"), `"${pin}/index_bg.wasm"`);
});
