// What stands where on the pages of a PDF, by poppler's pdftotext.

import { PDF_TO_TEXT } from "./setup.ts";

/** A word on paper, in points from the page's upper left corner. */
interface Word {
  readonly text: string;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A page of a PDF. */
export interface PrintedPage {
  readonly width: number;
  readonly height: number;
  readonly words: readonly Word[];
}

/** The pages of a PDF. */
export async function printedPages(pdf: Uint8Array): Promise<PrintedPage[]> {
  const file = await Deno.makeTempFile({ suffix: ".pdf" });
  await Deno.writeFile(file, pdf);
  const { stdout } = await new Deno.Command(PDF_TO_TEXT, { args: ["-bbox", file, "-"] }).output();
  await Deno.remove(file);
  const html = new TextDecoder().decode(stdout);
  return [...html.matchAll(/<page width="([\d.]+)" height="([\d.]+)">([^]*?)<\/page>/g)].map(
    ([, width, height, words = ""]) => ({
      width: Number(width),
      height: Number(height),
      words: [...words.matchAll(
        /xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">([^<]*)</g,
      )].map(([, left, top, right, bottom, text = ""]) => ({
        text: unescaped(text),
        left: Number(left),
        top: Number(top),
        right: Number(right),
        bottom: Number(bottom),
      })),
    }),
  );
}

/** The labels of a picture that stand on one line without an index, from first to last. */
export function labelsOf(svg: string): string[] {
  return [...svg.matchAll(/<text\b[^>]*>([^<]+)<\/text>/g)].map(([, text = ""]) => unescaped(text));
}

/**
 * The page on which a picture stands whole: all words of its labels are there, inside the paper.
 *
 * @param from the first page that it may be on
 */
export function pageOf(svg: string, pages: readonly PrintedPage[], from: number): number {
  const wanted = labelsOf(svg).flatMap((label) => label.split(/\s+/))
    .filter((word) => word !== "" && !/\p{M}/u.test(word)); // a mark is a word of its own on paper
  return pages.findIndex(({ words, width, height }, page) => {
    if (page < from) return false;
    const left = new Map<string, number>();
    for (const word of words) {
      const inside = word.left >= 0 && word.right <= width && word.top >= 0 &&
        word.bottom <= height;
      if (inside) left.set(word.text, (left.get(word.text) ?? 0) + 1);
    }
    return wanted.every((word) => {
      const count = left.get(word) ?? 0;
      left.set(word, count - 1);
      return count > 0;
    });
  });
}

function unescaped(text: string): string {
  return text.replace(/&#160;/g, " ").replace(/\u200b/g, "")
    .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(
      /&#39;|&apos;/g,
      "'",
    )
    .replace(/&amp;/g, "&");
}
