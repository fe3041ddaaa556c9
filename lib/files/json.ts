import { quoted } from "../base/quoted.ts";
import { asFileError, UnreadableFileError } from "./unreadable.ts";

const MAX_BYTES = 2 ** 24; // parsed, it may take thirty times as much; a model's takes some 10 kB
const MAX_DEPTH = 100;
const MARK = /["{}[\],:]/g;

/**
 * JSON from a file, of 16 MiB and 100 levels at most. Where an object names a key twice, readers
 * differ in which they take: refused.
 *
 * @param bytes the text in UTF-8
 * @throws {UnreadableFileError} where it is no JSON; `cause` says why.
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_BYTES) {
    const state = `the length is ${bytes.length}`;
    throw new UnreadableFileError(`its JSON may take at most ${MAX_BYTES} bytes`, state);
  }
  const [value, text] = asFileError("it must be JSON in UTF-8", () => {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return [JSON.parse(text) as unknown, text] as const;
  });
  checkStructure(text);
  return value;
}

/** Throws where a key occurs twice in its object, or objects and lists lie too deep. */
function checkStructure(text: string): void {
  const open: (Set<string> | undefined)[] = []; // the keys so far of each object; none of a list
  let last = "";
  for (const token of tokens(text)) {
    if (open.length > MAX_DEPTH) {
      const rule = `its JSON may be ${MAX_DEPTH} levels deep`;
      throw new UnreadableFileError(rule, "the text is deeper");
    }
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") {
      const keys = open.at(-1);
      const key: string = JSON.parse(last);
      if (keys?.has(key)) {
        const state = `the key ${quoted(key)} occurs twice`;
        throw new UnreadableFileError("each key of a JSON object needs its own name", state);
      }
      keys?.add(key);
    }
    last = token;
  }
}

/** Brackets, commas and colons, and texts whole, so that no bracket in one counts. */
function* tokens(text: string): Generator<string> {
  MARK.lastIndex = 0;
  for (let found = MARK.exec(text); found !== null; found = MARK.exec(text)) {
    if (found[0] !== '"') {
      yield found[0];
      continue;
    }
    const end = endOfText(text, found.index); // by hand: an expression's stack has an end
    yield text.slice(found.index, end);
    MARK.lastIndex = end;
  }
}

/** Behind the quote that ends the text: one that an even number of backslashes stands before. */
function endOfText(text: string, begin: number): number {
  for (let at = text.indexOf('"', begin + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text[at - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
  return text.length;
}

/** Whether a value is an object with keys, and no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is a list of whole numbers from 0: a shape, or offsets. */
export function areCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((x) => Number.isSafeInteger(x) && x >= 0);
}
