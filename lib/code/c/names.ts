// Names, comments and texts of a C file: nothing in a layer's name breaks out of its place.

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

/** A name of letters, digits and underscores, whatever it was; 40 characters at most. */
export function identifier(text: string): string {
  const plain = text.normalize("NFD").replaceAll("\u0303", "_tilde").replaceAll(
    /[^A-Za-z0-9_]+/g,
    "_",
  ).slice(0, 40);
  const begun = /^[A-Za-z]/.test(plain) ? plain : `v${plain}`;
  return KEYWORDS.has(begun) ? `${begun}_` : begun;
}

/** Gives each a name of its own. */
export class Names {
  readonly #taken: Set<string>;

  constructor(taken: readonly string[] = TAKEN) {
    this.#taken = new Set(taken);
  }

  /** The name, or the first one after it that is free: `z`, `z_2`. */
  unique(text: string): string {
    const name = identifier(text);
    for (let k = 1;; k++) {
      const candidate = k === 1 ? name : `${name}_${k}`;
      if (this.#taken.has(candidate)) continue;
      this.#taken.add(candidate);
      return candidate;
    }
  }
}

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
