// How wide a text is, for pictures that are laid out where no font is at hand.

/** The font that pictures are laid out for: these have the same widths, and one is everywhere. */
export const PICTURE_FONT = "Arial, Helvetica, Liberation Sans, sans-serif";

/** Height of a line above and below its baseline, in em (Liberation Sans, `hhea`). */
export const ASCENT = 0.905;
/** See {@linkcode ASCENT}. */
export const DESCENT = 0.212;

// Advance widths in thousandths of an em: Liberation Sans Regular, `hmtx`, which are Arial's.
const FROM_SPACE = [
  ...[278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278],
  ...[556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556],
  ...[1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778],
  ...[667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556],
  ...[333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556],
  ...[556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584],
];
const OTHERS: Readonly<Record<string, number>> = {
  "→": 1000,
  "←": 1000,
  "…": 1000,
  "—": 1000,
  "∞": 713,
  "σ": 617,
  "·": 278,
  "•": 350,
  "²": 333,
  "³": 333,
  "⊙": 870, // from a fallback font, as the subscripts are
};
const SUBSCRIPT = 400;
const LATIN_AND_GREEK = 600;
const WIDE = 1000;
/** Bold is wider by this (Liberation Sans Bold, over English text). */
const BOLD = 1.065;

/** The width of a line of text in pixels. */
export function textWidth(text: string, fontSize: number, bold = false): number {
  let thousandths = 0;
  for (const character of text) thousandths += widthOf(character);
  return thousandths / 1000 * fontSize * (bold ? BOLD : 1);
}

function widthOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  const known = FROM_SPACE[code - 32] ?? OTHERS[character];
  if (known !== undefined) return known;
  if (code < 32 || /[\p{M}\u200b-\u200d]/u.test(character)) return 0;
  if (code >= 0x2080 && code <= 0x209c) return SUBSCRIPT;
  return code < 0x2e80 ? LATIN_AND_GREEK : WIDE;
}
