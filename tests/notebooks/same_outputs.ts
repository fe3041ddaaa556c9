// Whether a notebook shows what it is stored with: texts to the letter, numbers but for their last
// digits (WASM may fuse multiplications on one processor and not on another), times not at all.

import {
  codeCells,
  joinLines,
  type Multiline,
  type Notebook,
  type Output,
} from "../../notebooks/notebook.ts";

/** Relative to the number stored. */
const LAST_DIGITS = 1e-3;

/** What float32 leaves of a zero: differences between runs, sums that cancel. */
const NEARLY_ZERO = 1e-6;

/** Which of many roundings is the largest, and how large, is chance: the notebook judges them. */
const COMPARISON = "application/vnd.gatescope.comparison+json";

const TIME = /\d+(?:\.\d+)? (?:µs|ms|s)\b/g;
const NUMBER = /[-−]?\d+(?:\.\d+)?(?:e[-−+]?\d+)?/g;
const SPACE = /[ \n]+/g; // columns are as wide as their numbers
/** These follow from numbers that are compared: keys of contents, colours, packed arrays. */
const KEY = /(?<=["p])[0-9a-f]{8}(?=["-])/g;
const COLOR = /#[0-9a-f]{6}\b|rgb\([^)]*\)/g;
const PACKED = /(?<=base64(?:,|":"))[\w+/=]+/g;

/** What differs, a line each; none where all is as it is stored. */
export function differences(stored: Notebook, executed: Notebook): string[] {
  const now = codeCells(executed);
  return codeCells(stored).flatMap(({ outputs, source }, k) => {
    const cell = `[${k + 1}] ${joinLines(source).slice(0, 60)}`;
    const shown = now[k]?.outputs ?? [];
    if (shown.length !== outputs.length) {
      return [`${cell}: ${shown.length} outputs instead of ${outputs.length}`];
    }
    return outputs.flatMap((output, n) => differencesOf(output, shown[n]!))
      .map((line) => `${cell}: ${line}`);
  });
}

function differencesOf(stored: Output, executed: Output): string[] {
  const [before, after] = [forms(stored), forms(executed)];
  const kinds = [before, after].map((form) => [...form.keys()].sort().join(", "));
  if (kinds[0] !== kinds[1]) return [`${kinds[1]} instead of ${kinds[0]}`];
  const hasNumbers = !before.has(COMPARISON);
  return [...before].flatMap(([kind, text]) => {
    const isDrawn = kind === "image/svg+xml"; // its numbers are pixels; the chart's are compared
    const line = firstDifference(text, after.get(kind)!, hasNumbers && !isDrawn);
    return line === undefined ? [] : [`${kind}: ${line}`];
  });
}

function forms(output: Output): Map<string, string> {
  if ("data" in output) {
    return new Map(
      Object.entries(output.data).map(([type, value]) => [
        type,
        type.endsWith("json") ? JSON.stringify(value) : joinLines(value as Multiline),
      ]),
    );
  }
  if (output.output_type === "stream") return new Map([[output.name, joinLines(output.text)]]);
  return new Map([["error", `${output.ename}: ${output.evalue}`]]);
}

function firstDifference(
  stored: string,
  executed: string,
  hasNumbers: boolean,
): string | undefined {
  const [before, after] = [stored, executed].map((text) =>
    text.replace(PACKED, "packed").replace(SPACE, " ").replace(KEY, "key").replace(COLOR, "color")
      .replace(TIME, "time")
  ) as [string, string];
  const [words, otherWords] = [before, after].map((text) => text.split(NUMBER)) as [
    string[],
    string[],
  ];
  const at = words.findIndex((word, k) => word !== otherWords[k]);
  if (at >= 0 || words.length !== otherWords.length) {
    return `${clip(otherWords[at] ?? "")} instead of ${clip(words[at] ?? "")}`;
  }
  if (!hasNumbers) return undefined;
  const numbers = before.match(NUMBER) ?? [];
  const others = after.match(NUMBER) ?? [];
  const off = numbers.findIndex((number, k) => !near(read(number), read(others[k]!)));
  return off < 0 ? undefined : `${others[off]} instead of ${numbers[off]}`;
}

function read(number: string): number {
  return Number(number.replaceAll("−", "-"));
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= Math.max(LAST_DIGITS * Math.abs(a), NEARLY_ZERO);
}

function clip(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
