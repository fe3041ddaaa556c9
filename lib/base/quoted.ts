// Text from elsewhere in a message: cut, and without what a terminal would obey.

import { visible } from "./visible.ts";

const LONGEST = 80;

/** A name in quotes, of 80 characters at most: `"encoder"`, `"nnnn…"`. */
export function quoted(name: string): string {
  const isLong = name.length > LONGEST;
  return harmless(JSON.stringify(isLong ? `${name.slice(0, LONGEST - 1)}…` : name));
}

/** The text on one line, each control character written out; cut where it is longer than `most`. */
export function harmless(text: string, most = Infinity): string {
  const whole = String(text);
  const cut = whole.length > most
    ? `${whole.slice(0, most)}… (${whole.length} characters in all)`
    : whole;
  return visible(cut).replaceAll("\n", "\\x0a");
}
