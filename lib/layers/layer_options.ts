// The options of a layer, checked where it is made: unknown names, wrong kinds, values out of range.

import { either } from "../base/names.ts";
import { unknownKey } from "../base/options.ts";
import { kindOf } from "../base/kind.ts";
import { type Activation, type ActivationName, getActivation } from "../values/activations.ts";
import { checkOwn, isBuiltIn, isNamed } from "../values/built_in.ts";

/** What every layer takes. */
export interface LayerName {
  /** The layer's name in the model, where Keras's (`lstm`, `lstm_1`, …) is not wanted. */
  readonly name?: string | undefined;
}

/** What an option may be. */
export interface OptionRule {
  /** As it stands in an error, after "must be". */
  readonly expected: string;
  /** Whether the kind is right, whatever the value: a TypeError where not. */
  readonly isKind: (value: unknown) => boolean;
  /** Whether the value is in range: a RangeError where not. */
  readonly isInRange?: (value: never) => boolean;
}

const isNumber = (value: unknown) => typeof value === "number";

/** `units`, `inputDim`, … */
export const countRule: OptionRule = {
  expected: "a whole number from 1",
  isKind: isNumber,
  isInRange: (value: number) => Number.isSafeInteger(value) && value >= 1,
};

/** The share that dropout drops. */
export const rateRule: OptionRule = {
  expected: "a number from 0 to below 1",
  isKind: isNumber,
  isInRange: (value: number) => value >= 0 && value < 1,
};

/** A number that is one. */
export const numberRule: OptionRule = {
  expected: "a finite number",
  isKind: isNumber,
  isInRange: (value: number) => Number.isFinite(value),
};

/** A number from 0. */
export const positiveRule: OptionRule = {
  expected: "a number from 0",
  isKind: isNumber,
  isInRange: (value: number) => value >= 0 && Number.isFinite(value),
};

/** So many whole numbers, from `least`. */
export function wholesRule(expected: string, least: number, count?: number): OptionRule {
  return {
    expected,
    isKind: (value) => Array.isArray(value) && value.every((one) => typeof one === "number"),
    isInRange: (value: number[]) =>
      value.every((one) => Number.isSafeInteger(one) && one >= least) &&
      (count === undefined || value.length === count),
  };
}

/** true or false. */
export const flagRule: OptionRule = {
  expected: "true or false",
  isKind: (value) => typeof value === "boolean",
};

/** A name, or what `getActivation` made; the name itself is checked by `getActivation`. */
export const activationRule: OptionRule = {
  expected: "an activation's name, or made by getActivation()",
  isKind: (value) =>
    typeof value === "string" ||
    typeof value === "function" && typeof (value as Partial<Activation>).backward === "function",
};

/** One of a few texts. */
export function choiceRule(choices: readonly string[]): OptionRule {
  return {
    expected: either(choices),
    isKind: (value) => typeof value === "string",
    isInRange: (value: string) => choices.includes(value),
  };
}

const nameRule: OptionRule = {
  expected: "a text that is not empty",
  isKind: (value) => typeof value === "string",
  isInRange: (value: string) => value !== "",
};

/**
 * Checks options with their defaults in place: each must be known, and as its rule wants it.
 *
 * @param layer as it stands in an error: "an LSTM"
 */
export function checkOptions(
  layer: string,
  options: object,
  rules: Readonly<Record<string, OptionRule>>,
): void {
  const all: Readonly<Record<string, OptionRule>> = { ...rules, name: nameRule };
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(all, key)) {
      throw unknownKey(`make ${layer}`, "its options", key, Object.keys(all));
    }
  }
  for (const [key, { expected, isKind, isInRange = () => true }] of Object.entries(all)) {
    const value = (options as Record<string, unknown>)[key];
    if (key === "name" && value === undefined) continue;
    if (isKind(value) && isInRange(value as never)) continue;
    const Problem = isKind(value) ? RangeError : TypeError;
    const shown = typeof value === "string"
      ? JSON.stringify(value)
      : typeof value === "number"
      ? value
      : kindOf(value);
    throw new Problem(`Cannot make ${layer}: ${key} must be ${expected}, but it is ${shown}`);
  }
}

/** The options given, without those that are undefined: these leave the defaults in place. */
export function definedOptions<T extends object>(layer: string, options: T): T {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(
      `Cannot make ${layer}: it takes its options in one object, but ${kindOf(options)} was given`,
    );
  }
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as T;
}

/** The activation itself; one that halves its axis fits no layer, whose units are counted on. */
export function layerActivation(
  layer: string,
  activation: ActivationName | Activation,
): Activation {
  const chosen = typeof activation === "function" ? activation : getActivation(activation);
  checkOwn(chosen, `make ${layer}`);
  if (isNamed(chosen, "glu")) {
    throw new TypeError(
      `Cannot make ${layer}: its activation must keep the number of units, but it is glu`,
    );
  }
  return chosen;
}

/**
 * An activation as a layer's config tells it: its name, with its options where it has any. One that
 * `getActivation` did not make is told by the function itself, since no name leads back to it.
 */
export function activationConfig(activation: Activation): unknown {
  const { activationName, options } = activation;
  if (!isBuiltIn(activation)) return activation;
  return Object.keys(options).length === 0 ? activationName : { name: activationName, ...options };
}

/** The activation that such a config tells. */
export function activationOf(value: unknown): Activation {
  if (typeof value === "function") return value as Activation;
  if (typeof value === "string") return getActivation(value as ActivationName);
  const { name, ...options } = value as { readonly name: ActivationName };
  return getActivation(name, options);
}
