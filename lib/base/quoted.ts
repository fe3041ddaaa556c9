// Text from elsewhere in a message: cut, and without what a terminal would obey.

const LONGEST = 80;

// C0, DEL, C1, the line separators, and what overrides, embeds or isolates a direction.
// deno-lint-ignore no-control-regex
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A name in quotes, of 80 characters at most: `"encoder"`, `"nnnn…"`. */
export function quoted(name: string): string {
  const isLong = name.length > LONGEST;
  return harmless(JSON.stringify(isLong ? `${name.slice(0, LONGEST - 1)}…` : name));
}

/** The text with each control character written out, `\x1b`; cut where it is longer than `most`. */
export function harmless(text: string, most = Infinity): string {
  const cut = text.length > most
    ? `${text.slice(0, most)}… (${text.length} characters in all)`
    : text;
  return cut.replace(UNSEEN, (character) => {
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}
