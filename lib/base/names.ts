// Names that are not known, and the ones that a person may have wanted.

import { kindOf } from "./kind.ts";

/** What Keras calls shorter than we do, where no letter tells. */
const OTHER_WORDS: Readonly<Record<string, string>> = { lr: "learningRate" };

/**
 * The end of an error about a name: the question whether a near one was meant.
 *
 * @param name what was given
 * @param known what there is
 * @returns `; did you mean sigmoid?`; nothing where no name is near
 */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = nearestNames(name, known);
  return near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`;
}

/**
 * What there is and what was given, as it stands in an error after the rule:
 * `adam, sgd or rmsprop, but "adma" was given; did you mean adam?`
 */
export function amongNames(name: unknown, known: readonly string[]): string {
  const found = typeof name === "string" ? JSON.stringify(name) : kindOf(name);
  return `${either(known)}, but ${found} was given${didYouMean(String(name), known)}`;
}

/** `a, b or c`. */
export function either(names: readonly string[]): string {
  return names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}`;
}

/** The known names nearest to the one given, three at most; none where none is near. */
export function nearestNames(name: string, known: readonly string[]): string[] {
  const other = Object.hasOwn(OTHER_WORDS, name) ? OTHER_WORDS[name] : undefined;
  if (other !== undefined && known.includes(other)) return [other];
  const wanted = simplified(name);
  const most = wanted.length < 4 ? 1 : Math.max(2, wanted.length / 3);
  const near = known
    .map((candidate) => ({ candidate, distance: editDistance(wanted, simplified(candidate)) }))
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance);
  const found = near.length > 0
    ? near.filter(({ distance }) => distance === near[0]!.distance).map((one) => one.candidate)
    : known.filter((candidate) => wanted.length >= 4 && simplified(candidate).includes(wanted));
  return found.slice(0, 3);
}

/** As it reads in any spelling: `batch_size`, `batchSize`. */
function simplified(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** Levenshtein 1966: how many letters must be added, removed or changed. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
