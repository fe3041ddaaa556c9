// Names, comments and texts of a C file: nothing in a layer's name breaks out of its place.

import { identifier, Names } from "../names.ts";

// C99 (ISO/IEC 9899:1999, 6.4.1), C++ (the header may be read by one), and what math.h and stdio.h take
const KEYWORDS = new Set(
  ("auto break case char const continue default do double else enum extern float for goto if inline " +
    "int long register restrict return short signed sizeof static struct switch typedef union " +
    "unsigned void volatile while _Bool _Complex _Imaginary bool true false class namespace new delete " +
    "template this operator private public protected try catch throw and or not xor asm typename using " +
    "virtual friend explicit export mutable main printf gamma signgam j0 j1 jn y0 y1 yn I NAN INFINITY")
    .split(" "),
);

/** The loops' own names, and the parameters'. */
const TAKEN = "n t row j k p q sum s x y most".split(" ");

/** A text as a name in C. */
export const cIdentifier = (text: string): string => identifier(text, KEYWORDS);

/** Names in C that nobody has yet: besides the loops', or in a place without loops. */
export const cNames = (taken: readonly string[] = TAKEN): Names => new Names(KEYWORDS, taken);

/**
 * A text as it may stand in a comment: on one line, unseen characters out, and without what ends a
 * comment (*), joins lines (\\) or makes a trigraph (?).
 */
export function commentText(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").replaceAll(/[*\\?]/g, "_");
}

/** A text as a C string: all that is not plain is written as its bytes, in octal. */
export function stringText(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const plain = (byte: number) => /[A-Za-z0-9 _.,:;()=+-]/.test(String.fromCharCode(byte));
  return `"${
    Array.from(bytes, (byte) =>
      byte < 128 && plain(byte)
        ? String.fromCharCode(byte)
        : `\\${byte.toString(8).padStart(3, "0")}`).join("")
  }"`;
}
