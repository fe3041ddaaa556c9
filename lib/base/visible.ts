// Text as it is: nothing in it moves a terminal's cursor, or turns the reading direction round.

// C0, DEL, C1, the line separators, and what overrides, embeds or isolates a direction.
// deno-lint-ignore no-control-regex
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * The text with characters that a terminal would obey written out, as `\x1b` and `\u202e`; the
 * ends of its lines stay.
 */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => character === "\n" ? "\n" : written(character));
}

/** The same on one line: what would begin another, and tabs, become one space. */
export function visibleLine(text: string): string {
  return visible(text.replace(/[\t\n\v\f\r\u2028\u2029]+/g, " "));
}

function written(character: string): string {
  const code = character.charCodeAt(0);
  return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
}
