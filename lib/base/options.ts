// What a public function is given by name, checked at its door: the Deno kernel checks no types, and
// a misspelt option that is passed over in silence gives another result.

import { kindOf } from "./kind.ts";
import { didYouMean } from "./names.ts";

/**
 * The names of an interface's properties, each with whether it may be left out; the compiler refuses
 * a list that is not complete.
 */
export type KeysOf<T> = {
  readonly [K in keyof Required<T>]: Record<never, never> extends Pick<T, K> ? "optional"
    : "required";
};

type Keys = Readonly<Record<string, "optional" | "required">>;

/**
 * Throws where the options are no object, or one of them is not known. None at all is fine, and so is
 * one that is undefined: it counts as not given.
 *
 * @param action as it stands in the error after "Cannot"
 * @param what as it stands in the error where they are parts of something else
 */
export function checkOptions(
  action: string,
  given: unknown,
  known: Keys,
  what = "the options",
): void {
  if (given !== undefined) checkNames(action, what, given, known);
}

/**
 * Throws where an object that must be there (weights, a state, gates) is none, has a key that is not
 * known, or lacks one.
 *
 * @param what as it stands in the error: "the weights"
 */
export function checkParts(action: string, what: string, given: unknown, known: Keys): void {
  checkNames(action, what, given, known);
  for (const key in known) {
    if (known[key] === "optional" || (given as Record<string, unknown>)[key] !== undefined) {
      continue;
    }
    throw new TypeError(`Cannot ${action}: ${what} must be ${shown(known)}, but ${key} is missing`);
  }
}

/**
 * Throws where a function that takes no options is given some. What else follows its arguments is
 * passed over, as by JavaScript's own functions: `files.map(loadNpy)` hands on an index too.
 */
export function refuseOptions(action: string, given: ArrayLike<unknown>, taken: number): void {
  const more = given[taken];
  if (typeof more !== "object" || more === null || Array.isArray(more)) return;
  const [key] = Object.keys(more);
  if (key === undefined) return;
  throw new TypeError(`Cannot ${action}: there are no options, but ${key} was given`);
}

function checkNames(action: string, what: string, given: unknown, known: Keys): void {
  if (
    typeof given !== "object" || given === null || Array.isArray(given) || ArrayBuffer.isView(given)
  ) {
    throw new TypeError(
      `Cannot ${action}: ${what} must be an object ${shown(known)}, but ${kindOf(given)} was given`,
    );
  }
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(known, key)) throw unknownKey(action, what, key, Object.keys(known));
  }
}

/** Of an option or a key that there is not. */
export function unknownKey(
  action: string,
  what: string,
  key: string,
  known: readonly string[],
): TypeError {
  const rule = known.length === 0 ? `${what} are none` : `${what} are ${known.join(", ")}`;
  return new TypeError(`Cannot ${action}: ${rule}, but ${key} was given${didYouMean(key, known)}`);
}

/** `{ kernel, recurrentKernel, bias? }`. */
function shown(known: Keys): string {
  const keys = Object.keys(known).map((key) => known[key] === "optional" ? `${key}?` : key);
  return keys.length === 0 ? "{}" : `{ ${keys.join(", ")} }`;
}
