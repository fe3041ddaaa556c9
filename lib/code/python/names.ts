// Names and texts of a Python file: nothing in a layer's name breaks out of its place.

import { fileOf, Names } from "../names.ts";

// Python 3 (The Python Language Reference, 2.3.1 and 2.3.2), and what the file itself has
const KEYWORDS = new Set(
  ("False None True and as assert async await break class continue def del elif else except finally " +
    "for from global if import in is lambda nonlocal not or pass raise return try while with yield " +
    "match case type len range reversed list tuple float int abs sum max min np math DTYPE array")
    .split(" "),
);

/** Names in Python that nobody has yet. */
export const pythonNames = (taken: readonly string[] = []): Names => new Names(KEYWORDS, taken);

/** A text as a Python string: all that is not plain is escaped. */
export function stringText(text: string): string {
  const plain = /[A-Za-z0-9 _.,:;()=+/[\]-]/;
  return `"${
    Array.from(text, (one) =>
      plain.test(one) ? one : `\\U${one.codePointAt(0)!.toString(16).padStart(8, "0")}`).join("")
  }"`;
}

/** A text on one line of a docstring. */
export function docText(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").replaceAll(/["\\]/g, "_");
}

/** The module that a file is: its name without `.py`. */
export function moduleOf(target: string | URL): string {
  const file = fileOf(target);
  const module = file.replace(/\.py$/, "");
  if (file.endsWith(".py") && /^[A-Za-z_]\w*$/.test(module) && !KEYWORDS.has(module)) return module;
  throw new TypeError(
    `Cannot save a model as Python: the file's name must be that of a module (letters, digits and _) ` +
      `and end with .py, but it is ${JSON.stringify(file)}`,
  );
}
